"""What a strategy sees of a pair: its completed candles and indicators on them, aligned.

Every method returns one value per candle of the strategy's own timeframe, made of completed
candles only. Each notes how much history it needs, so that the start-up length of a strategy is
the answer to 'which windows did its rules ask for?'.
"""

import copy
import math
from collections.abc import Callable
from typing import Self

import numpy as np
import pandas as pd
import talib

from ballast.core import frames
from ballast.core.windows import candles as candles_in
from ballast.core.windows import coarser, minutes

# Candles until a recursive average has forgotten its seed to 0.03 %, in multiples of its period:
# exp(-8). An exponential average of period n has weight 2/(n+1), Wilder's has 1/n.
EXPONENTIAL_MEMORY = 4
WILDER_MEMORY = 8


class Candles:
    """
    Completed candles of one pair.

    Parameters
    ----------
    frame : DataFrame
        The strategy's own candles: date (UTC), open, high, low, close (quote currency), volume
        (base currency).
    timeframe : str
        Length of one of them, such as '5m'.
    older : DataFrame, optional
        Hourly candles that reach further back (see `frames.slow_frame`).
    """

    def __init__(
        self, frame: pd.DataFrame, timeframe: str, older: pd.DataFrame | None = None
    ) -> None:
        self.frame = frame
        self.timeframe = timeframe
        self.slow_timeframe = coarser(timeframe, frames.SLOW_TIMEFRAME)
        self.slow = frames.slow_frame(frame, timeframe, older)
        self.warmup = 0
        self._shared: dict[tuple[object, ...], np.ndarray] = {}
        self._index = frame.index
        self._at: np.ndarray | None = None
        self._there = np.ones(len(frame), dtype=bool)
        self._slow_at = self._slow_positions(frame["date"], timeframe)

    def onto(self, dates: pd.Series) -> Self:
        """
        The same candles seen from another pair's: for each of its candles, the values of the newest
        candle here that has ended by then. Indicators are computed once for all such views.

        Parameters
        ----------
        dates : Series of datetime (UTC)
            Opening times of the other pair's candles, of the same timeframe.
        """
        view = copy.copy(self)
        view._index = dates.index
        view._at = frames.last_completed(dates, self.timeframe, self.frame["date"], self.timeframe)
        own = frames.nanoseconds(self.frame["date"])
        view._there = (view._at < 0) | np.isin(frames.nanoseconds(dates), own)
        view._slow_at = frames.last_completed(
            dates, self.timeframe, self.slow["date"], self.slow_timeframe
        )
        return view

    def once(self, key: tuple[object, ...], compute: Callable[[], np.ndarray]) -> np.ndarray:
        """Values on the candles' own axis that all views share, worked out at the first call."""
        if key not in self._shared:
            self._shared[key] = compute()
        return self._shared[key]

    def is_there(self) -> np.ndarray:
        """
        Whether there is a candle here that ended with each candle of the axis of this view. Before
        the first one there is nothing to be missing.
        """
        return self._there

    def _slow_positions(self, dates: pd.Series, timeframe: str) -> np.ndarray | None:
        if self.slow is self.frame:
            return None
        return frames.last_completed(dates, timeframe, self.slow["date"], self.slow_timeframe)

    def __len__(self) -> int:
        return len(self._index)

    def column(self, name: str) -> pd.Series:
        """A column of the candles themselves, such as 'volume' (base currency)."""
        if self._at is None:
            return self.frame[name]
        return pd.Series(frames.take(self.frame[name].to_numpy(), self._at), index=self._index)

    def from_own(self, values: np.ndarray, missing: float) -> np.ndarray:
        """One value per candle here, on the axis of this view; `missing` before the first."""
        return values if self._at is None else frames.take(values, self._at, missing)

    def from_slow(self, values: np.ndarray, missing: float) -> np.ndarray:
        """One value per candle of the slow frame, likewise."""
        return values if self._slow_at is None else frames.take(values, self._slow_at, missing)

    @property
    def close(self) -> pd.Series:
        """Closing price in quote currency."""
        return self.column("close")

    @property
    def high(self) -> pd.Series:
        """Highest price of the candle in quote currency."""
        return self.column("high")

    @property
    def low(self) -> pd.Series:
        """Lowest price of the candle in quote currency."""
        return self.column("low")

    def highest_high(self, window: str) -> pd.Series:
        """Upper Donchian channel: highest high of the `window` before this candle (price)."""
        return self.measure(
            "highest_high", window, lambda slow, n: talib.MAX(_values(slow, "high"), n)
        ).shift(1)

    def lowest_low(self, window: str) -> pd.Series:
        """Lower Donchian channel: lowest low of the `window` before this candle (price)."""
        return self.measure(
            "lowest_low", window, lambda slow, n: talib.MIN(_values(slow, "low"), n)
        ).shift(1)

    def ema(self, window: str) -> pd.Series:
        """Exponential moving average of the close (price)."""
        return self.measure(
            "ema", window, lambda slow, n: talib.EMA(_values(slow, "close"), n), EXPONENTIAL_MEMORY
        )

    def weighted_mean(self, window: str) -> pd.Series:
        """Linearly weighted moving average of the close (price): the newest close weighs most."""
        return self.measure(
            "weighted_mean", window, lambda slow, n: talib.WMA(_values(slow, "close"), n)
        )

    def mean(self, window: str) -> pd.Series:
        """Simple moving average of the close (price)."""
        return self.measure("mean", window, lambda slow, n: talib.SMA(_values(slow, "close"), n))

    def deviation(self, window: str) -> pd.Series:
        """Standard deviation of the close around its simple moving average (price)."""
        return self.measure(
            "deviation", window, lambda slow, n: talib.STDDEV(_values(slow, "close"), n)
        )

    def rsi(self, window: str) -> pd.Series:
        """Relative strength index (Wilder), 0 to 100."""
        return self.measure(
            "rsi", window, lambda slow, n: talib.RSI(_values(slow, "close"), n), WILDER_MEMORY
        )

    def roc(self, window: str) -> pd.Series:
        """Rate of change of the close over the window (ratio: 0.1 is a rise of ten percent)."""
        return self.measure("roc", window, lambda slow, n: talib.ROCP(_values(slow, "close"), n))

    def atr(self, window: str) -> pd.Series:
        """
        Average true range (Wilder) of one hour (price).

        Candles longer than an hour are scaled by the square root of time, so that 'two ATR' is the
        same distance on every timeframe.
        """
        to_hour = math.sqrt(minutes(frames.SLOW_TIMEFRAME) / minutes(self.slow_timeframe))
        return self.measure(
            "atr",
            window,
            lambda slow, n: (
                to_hour
                * talib.ATR(_values(slow, "high"), _values(slow, "low"), _values(slow, "close"), n)
            ),
            WILDER_MEMORY,
        )

    def daily_volatility(self, window: str) -> pd.Series:
        """
        Standard deviation of log returns over the window, scaled to a day by the square root of
        time (ratio). Filled candles are left out: a hole is not calm.
        """
        per_day = math.sqrt(minutes("1d") / minutes(self.slow_timeframe))

        def sigma(slow: pd.DataFrame, n: int) -> np.ndarray:
            moves = pd.Series(np.log(_values(slow, "close"))).diff()
            real = moves.where((slow["volume"] > 0).to_numpy())
            return per_day * np.asarray(real.rolling(n, min_periods=max(2, n // 2)).std())

        return self.measure("daily_volatility", window, sigma)

    def hourly_turnover(self, window: str) -> pd.Series:
        """Median turnover of an hour over the window (quote currency)."""
        to_hour = minutes(frames.SLOW_TIMEFRAME) / minutes(self.slow_timeframe)

        def median(slow: pd.DataFrame, n: int) -> np.ndarray:
            turnover = pd.Series(_values(slow, "close") * _values(slow, "volume"))
            return to_hour * np.asarray(turnover.rolling(n).median())

        return self.measure("hourly_turnover", window, median)

    def efficiency_ratio(self, window: str) -> pd.Series:
        """
        Kaufman's efficiency ratio: net move over the sum of moves, 0 (noise) to 1 (straight).

        A random walk of n candles averages about 1/sqrt(n).
        """

        def ratio(slow: pd.DataFrame, n: int) -> np.ndarray:
            close = slow["close"]
            path = close.diff().abs().rolling(n).sum()
            return np.asarray((close - close.shift(n)).abs() / path.where(path > 0))

        return self.measure("efficiency_ratio", window, ratio)

    def fall(self, window: str) -> pd.Series:
        """
        How far the close is below the highest close of the window (ratio, 0.1 is ten percent).

        Measured on the strategy's own candles: a sharp fall should not wait for the hour to end.
        """
        length = candles_in(window, self.timeframe)
        self.warmup = max(self.warmup, length)
        close = _values(self.frame, "close")
        values = 1 - close / talib.MAX(close, length)
        return pd.Series(self.from_own(values, np.nan), index=self._index)

    def measure(
        self,
        name: str,
        windows: str | tuple[str, ...],
        of: Callable[..., np.ndarray],
        memory: int = 1,
        chained: bool = False,
    ) -> pd.Series:
        """
        Any indicator over one or several windows.

        Parameters
        ----------
        name : str
            Names the indicator together with its windows; the same name is computed once.
        of : callable
            Given the frame that windows are measured on and each window's length in its candles,
            returns one value per candle of that frame. It must not look ahead.
        memory : int
            History it needs, in multiples of the longest window: more than 1 if recursive.
        chained : bool
            The windows are applied one on the result of another, so that their lengths add up.
        """
        windows = (windows,) if isinstance(windows, str) else windows
        lengths = [candles_in(window, self.slow_timeframe) for window in windows]
        history = sum(lengths) if chained else max(lengths) * memory
        self.warmup = max(self.warmup, history + 1)
        empty = np.full(0, np.nan)
        values = self.once(
            (name, windows), lambda: of(self.slow, *lengths) if len(self.slow) else empty
        )
        if self._slow_at is not None:
            values = frames.take(values, self._slow_at)
        return pd.Series(values, index=self._index)


def _values(frame: pd.DataFrame, column: str) -> np.ndarray:
    return np.asarray(frame[column], dtype=float)
