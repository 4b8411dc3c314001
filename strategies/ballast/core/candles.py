"""What a strategy sees of a pair: its completed candles and indicators on them, aligned.

Every method returns one value per candle of the strategy's own timeframe, made of completed
candles only. Each notes how much history it needs, so that the start-up length of a strategy is
the answer to 'which windows did its rules ask for?'.
"""

import copy
import math
from collections.abc import Callable, Hashable
from typing import Any, Self, TypeVar, cast

import numpy as np
import pandas as pd
import talib

from ballast.core import frames
from ballast.core.measured import MeasuredCandles
from ballast.core.windows import candles as candles_in
from ballast.core.windows import coarser, minutes

# Candles until a recursive average has forgotten its seed to 0.03 %, in multiples of its period:
# exp(-8). An exponential average of period n has weight 2/(n+1), Wilder's has 1/n.
EXPONENTIAL_MEMORY = 4
WILDER_MEMORY = 8


Made = TypeVar("Made")


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
    slow : MeasuredCandles, optional
        What windows are measured on, where it is known (see `slow_candles`).

    Attributes
    ----------
    own, slow : MeasuredCandles
        The candles, and those that windows are measured on: the same from one hour upwards.
    """

    def __init__(
        self, frame: pd.DataFrame, timeframe: str, slow: MeasuredCandles | None = None
    ) -> None:
        self.timeframe = timeframe
        self.slow = slow or slow_candles(frame, timeframe)
        self.slow_timeframe = self.slow.timeframe
        same = self.slow_timeframe == timeframe
        self.own = self.slow if same else MeasuredCandles(frame, timeframe)
        self.warmup = 0
        self._known: dict[Hashable, Any] = {}
        self._index = frame.index
        self._at: np.ndarray | None = None
        self._there = np.ones(len(frame), dtype=bool)
        self._slow_at = None if same else self._slow_positions(frame["date"])

    @property
    def frame(self) -> pd.DataFrame:
        """The candles themselves, on their own axis."""
        return self.own.frame

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
        view._known = {}
        view._index = dates.index
        view._at = frames.last_completed(dates, self.timeframe, self.frame["date"], self.timeframe)
        own = frames.nanoseconds(self.frame["date"])
        view._there = (view._at < 0) | np.isin(frames.nanoseconds(dates), own)
        view._slow_at = self._slow_positions(dates)
        return view

    def once(self, key: Hashable, compute: Callable[[], Made]) -> Made:
        """What follows from the candles on this axis, worked out at the first call."""
        if key not in self._known:
            self._known[key] = compute()
        return cast(Made, self._known[key])

    def is_there(self) -> np.ndarray:
        """
        Whether there is a candle here that ended with each candle of the axis of this view. Before
        the first one there is nothing to be missing.
        """
        return self._there

    def _slow_positions(self, dates: pd.Series) -> np.ndarray:
        slow = self.slow.frame["date"]
        return frames.last_completed(dates, self.timeframe, slow, self.slow_timeframe)

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
        return before(
            self.measure("highest_high", window, lambda _, n: talib.MAX(self._slow("high"), n))
        )

    def lowest_low(self, window: str) -> pd.Series:
        """Lower Donchian channel: lowest low of the `window` before this candle (price)."""
        return before(
            self.measure("lowest_low", window, lambda _, n: talib.MIN(self._slow("low"), n))
        )

    def ema(self, window: str) -> pd.Series:
        """Exponential moving average of the close (price)."""
        return self.measure(
            "ema", window, lambda _, n: talib.EMA(self._slow("close"), n), EXPONENTIAL_MEMORY
        )

    def weighted_mean(self, window: str) -> pd.Series:
        """Linearly weighted moving average of the close (price): the newest close weighs most."""
        return self.measure("weighted_mean", window, lambda _, n: talib.WMA(self._slow("close"), n))

    def mean(self, window: str) -> pd.Series:
        """Simple moving average of the close (price)."""
        return self.measure("mean", window, lambda _, n: talib.SMA(self._slow("close"), n))

    def deviation(self, window: str) -> pd.Series:
        """Standard deviation of the close around its simple moving average (price)."""
        return self.measure("deviation", window, lambda _, n: talib.STDDEV(self._slow("close"), n))

    def rsi(self, window: str) -> pd.Series:
        """Relative strength index (Wilder), 0 to 100."""
        return self.measure(
            "rsi", window, lambda _, n: talib.RSI(self._slow("close"), n), WILDER_MEMORY
        )

    def roc(self, window: str) -> pd.Series:
        """Rate of change of the close over the window (ratio: 0.1 is a rise of ten percent)."""
        return self.measure("roc", window, lambda _, n: talib.ROCP(self._slow("close"), n))

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
            lambda _, n: (
                to_hour * talib.ATR(self._slow("high"), self._slow("low"), self._slow("close"), n)
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
            moves = pd.Series(np.log(self._slow("close"))).diff()
            real = moves.where((slow["volume"] > 0).to_numpy())
            return per_day * np.asarray(real.rolling(n, min_periods=max(2, n // 2)).std())

        return self.measure("daily_volatility", window, sigma)

    def hourly_turnover(self, window: str) -> pd.Series:
        """Median turnover of an hour over the window (quote currency)."""
        to_hour = minutes(frames.SLOW_TIMEFRAME) / minutes(self.slow_timeframe)

        def median(slow: pd.DataFrame, n: int) -> np.ndarray:
            turnover = pd.Series(self._slow("close") * self._slow("volume"))
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
        close = self.own.values("close")
        values = 1 - close / talib.MAX(close, length)
        return pd.Series(self.from_own(values, np.nan), index=self._index)

    def measure(
        self,
        name: Hashable,
        windows: str | tuple[str, ...],
        of: Callable[..., np.ndarray],
        memory: int = 1,
        chained: bool = False,
    ) -> pd.Series:
        """
        Any indicator over one or several windows, kept until there is a new candle to measure.

        Parameters
        ----------
        name : str
            Names the indicator together with its windows; the same name is computed once.
        of : callable
            Given the frame that windows are measured on and each window's length in its candles,
            returns one value per candle of that frame. It must not look ahead, nor at anything
            else.
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
        key = (name, windows)

        def seen() -> pd.Series:
            measured = self.slow.once(
                key, lambda: of(self.slow.frame, *lengths) if len(self.slow) else empty
            )
            return pd.Series(self.from_slow(measured, np.nan), index=self._index)

        # A copy as far as whoever has it can tell: pandas copies what is written to.
        return self.once(key, seen).copy(deep=False)

    def _slow(self, column: str) -> np.ndarray:
        return self.slow.values(column)


def before(values: pd.Series) -> pd.Series:
    """Of each candle, the value of the one before it (`Series.shift`, at a fifth of its price)."""
    own = values.to_numpy()
    return pd.Series(np.concatenate(([np.nan], own[:-1]))[: len(own)], index=values.index)


def slow_candles(
    frame: pd.DataFrame, timeframe: str, older: pd.DataFrame | None = None
) -> MeasuredCandles:
    """What windows of hours and days are measured on (see `frames.slow_frame`)."""
    slow_timeframe = coarser(timeframe, frames.SLOW_TIMEFRAME)
    return MeasuredCandles(frames.slow_frame(frame, timeframe, older), slow_timeframe)
