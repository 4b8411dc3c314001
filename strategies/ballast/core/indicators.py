"""The usual indicators, one value per candle of the strategy, made of completed candles only."""

import math
from collections.abc import Callable, Hashable

import numpy as np
import pandas as pd
import talib

from ballast.core import frames
from ballast.core.aligned import AlignedCandles, Window
from ballast.core.frames import prices_of
from ballast.core.library import (
    Argument,
    Indicator,
    check_call,
    from_talib,
    from_technical,
)
from ballast.core.windows import minutes

# Candles until a recursive average has forgotten its seed to 0.03 %, in multiples of its period:
# exp(-8). An exponential average of period n has weight 2/(n+1), Wilder's has 1/n.
EXPONENTIAL_MEMORY = 4
WILDER_MEMORY = 8


class Indicators(AlignedCandles):
    """Indicators on completed candles of one pair (see `AlignedCandles`)."""

    @property
    def close(self) -> pd.Series:
        """Closing price in quote currency: `above(pair.close, pair.mean("20d"))`."""
        return self.column("close")

    @property
    def high(self) -> pd.Series:
        """
        Highest price of the candle in quote currency:
        `above(pair.on("1d").high, pair.on("1d").mean(20))`.
        """
        return self.column("high")

    @property
    def low(self) -> pd.Series:
        """Lowest price of the candle in quote currency: `above(pair.low, pair.own.ema(20))`."""
        return self.column("low")

    def highest_high(self, window: Window) -> pd.Series:
        """
        Upper Donchian channel: highest high of the `window` before this candle (price).
        `above(pair.close, pair.highest_high("10d"))`.
        """
        return self.measure(
            "highest_high",
            window,
            lambda _, n: _extreme(talib.MAX, self._slow("high"), n),
            before=True,
            least=1,
        )

    def lowest_low(self, window: Window) -> pd.Series:
        """
        Lower Donchian channel: lowest low of the `window` before this candle (price).
        `below(pair.close, pair.lowest_low("5d"))`.
        """
        return self.measure(
            "lowest_low",
            window,
            lambda _, n: _extreme(talib.MIN, self._slow("low"), n),
            before=True,
            least=1,
        )

    def ema(self, window: Window) -> pd.Series:
        """Exponential moving average of the close (price): `pair.ema("5d")`."""
        return self.measure(
            "ema", window, lambda _, n: talib.EMA(self._slow("close"), n), EXPONENTIAL_MEMORY
        )

    def weighted_mean(self, window: Window) -> pd.Series:
        """
        Linearly weighted moving average of the close (price): the newest close weighs most.
        `pair.weighted_mean("20d")`.
        """
        return self.measure("weighted_mean", window, lambda _, n: talib.WMA(self._slow("close"), n))

    def mean(self, window: Window) -> pd.Series:
        """Simple moving average of the close (price): `pair.on("1d").mean(50)`."""
        return self.measure("mean", window, lambda _, n: talib.SMA(self._slow("close"), n))

    def deviation(self, window: Window) -> pd.Series:
        """
        Standard deviation of the close around its simple moving average (price):
        `pair.mean("2d") - 2 * pair.deviation("2d")`.
        """
        return self.measure("deviation", window, lambda _, n: talib.STDDEV(self._slow("close"), n))

    def rsi(self, window: Window) -> pd.Series:
        """Relative strength index (Wilder), 0 to 100: `pair.own.rsi(14)`."""
        return self.measure(
            "rsi", window, lambda _, n: talib.RSI(self._slow("close"), n), WILDER_MEMORY
        )

    def roc(self, window: Window) -> pd.Series:
        """
        Rate of change of the close over the window (ratio: 0.1 is a rise of ten percent).
        `pair.roc("10d")`.
        """
        return self.measure("roc", window, lambda _, n: talib.ROCP(self._slow("close"), n), least=1)

    def atr(self, window: Window) -> pd.Series:
        """
        Average true range (Wilder) of one hour (price): `pair.atr("1d")`.

        Candles longer than an hour are scaled by the square root of time, so that 'two ATR' is the
        same distance on every timeframe. In `pair.own` and `pair.on(...)` it is that of one of
        their candles, as everywhere else.
        """
        to_hour = math.sqrt(minutes(frames.SLOW_TIMEFRAME) / minutes(self.slow_timeframe))
        scale = 1.0 if self.counts else to_hour
        return self.measure(
            "atr" if scale == 1 else ("atr", "of an hour"),
            window,
            lambda _, n: (
                scale * talib.ATR(self._slow("high"), self._slow("low"), self._slow("close"), n)
            ),
            WILDER_MEMORY,
            least=1,
        )

    def daily_volatility(self, window: Window) -> pd.Series:
        """
        Standard deviation of log returns over the window, scaled to a day by the square root of
        time (ratio). Filled candles are left out: a hole is not calm.
        `below(pair.daily_volatility("10d"), 0.06)`.
        """
        per_day = math.sqrt(minutes("1d") / minutes(self.slow_timeframe))

        def sigma(_: pd.DataFrame, n: int) -> np.ndarray:
            moves = np.diff(np.log(self._slow("close")), prepend=np.nan)
            real = np.where(self._slow("volume") > 0, moves, np.nan)
            return per_day * self.slow.deviations("real moves", real, n, least=n // 2)

        return self.measure("daily_volatility", window, sigma)

    def hourly_turnover(self, window: Window) -> pd.Series:
        """
        Median turnover of an hour over the window (quote currency):
        `above(pair.hourly_turnover("5d"), 200_000)`.
        """
        to_hour = minutes(frames.SLOW_TIMEFRAME) / minutes(self.slow_timeframe)

        def median(_: pd.DataFrame, n: int) -> np.ndarray:
            turnover = self._slow("close") * self._slow("volume")
            return to_hour * self.slow.quantiles("turnover", turnover, n, least=n)

        return self.measure("hourly_turnover", window, median)

    def efficiency_ratio(self, window: Window) -> pd.Series:
        """
        Kaufman's efficiency ratio: net move over the sum of moves, 0 (noise) to 1 (straight).
        `above(pair.efficiency_ratio("5d"), 0.3)`.

        A random walk of n candles averages about 1/sqrt(n).
        """

        def ratio(slow: pd.DataFrame, n: int) -> np.ndarray:
            close = slow["close"]
            path = close.diff().abs().rolling(n).sum()
            return np.asarray((close - close.shift(n)).abs() / path.where(path > 0))

        return self.measure("efficiency_ratio", window, ratio)

    def fall(self, window: Window) -> pd.Series:
        """
        How far the close is below the highest close of the window (ratio, 0.1 is ten percent):
        `below(pair.fall("8h"), 0.05)`.

        Measured on the strategy's own candles: a sharp fall should not wait for the hour to end.
        """
        length = self._length("fall", window, 2, self.timeframe)
        self.needs(length)
        close = self.base.values("close")
        return self._series(self.from_own(1 - close / talib.MAX(close, length), np.nan))

    def ta(
        self,
        name: str,
        *given: Argument,
        output: str | None = None,
        price: str = "close",
        **named: Argument,
    ) -> pd.Series:
        """
        Any indicator or candle pattern of TA-Lib, on the pair's own candles (on those of
        `pair.on(...)` there): `pair.ta("RSI", 14)`, `pair.ta("BBANDS", 20, output="lowerband")`,
        `pair.ta("CDLENGULFING")` (100, 0 or -100).

        Arguments are those of TA-Lib's documentation, in its order or by name; a window may be a
        length of time. `output` names one of several. `price` stands for the close: a column,
        'typical' (mean of high, low and close), 'median' (high and low) or 'average' (all four).
        """
        by_name = tuple(sorted(named.items()))
        check_call("ta", name, (*given, *named.values()))
        return self._of_library(from_talib(name, given, by_name, price, self.timeframe), output)

    def technical(
        self,
        name: str,
        *given: Argument,
        output: str | None = None,
        price: str = "close",
        **named: Argument,
    ) -> pd.Series:
        """
        Any indicator of the package `technical`, likewise: `pair.technical("chopiness", 14)`,
        `pair.technical("ichimoku", output="kijun_sen")`, `pair.technical("qtpylib.zscore", 20)`.
        """
        by_name = tuple(sorted(named.items()))
        check_call("technical", name, (*given, *named.values()))
        return self._of_library(from_technical(name, given, by_name, price, self.timeframe), output)

    def apply(
        self, function: Callable[[pd.DataFrame], pd.Series | np.ndarray], history: Window
    ) -> pd.Series:
        """
        An indicator of one's own: `pair.apply(lambda candles: candles["close"].diff(), history=2)`.

        Parameters
        ----------
        function : callable
            From candles (date, open, high, low, close, volume) to one value for each. It must not
            look at later ones: what it gives for a candle must not change when more follow.
        history : str or int
            How long, or how many candles of the pair, it looks back on, this one included. Before
            that its value is unknown.
        """
        candles = history
        if isinstance(history, str):
            candles = self._candles_in(history, self.timeframe, "apply")
        if isinstance(candles, bool) or not isinstance(candles, int) or candles < 1:
            raise ValueError(
                f"pair.apply(..., history={history!r}): expected a length of time such as '3d', or "
                "a number of candles"
            )

        def applied(frame: pd.DataFrame) -> np.ndarray:
            values = np.asarray(function(prices_of(frame)), dtype=float)
            if values.shape != (len(frame),):
                raise ValueError(
                    f"pair.apply: the function gave {np.shape(values)} for {len(frame)} candles: "
                    "expected one value for each"
                )
            return values

        return self._on_base(("apply", function, candles), candles, applied)

    def _of_library(self, indicator: Indicator, wanted: str | None) -> pd.Series:
        row = indicator.outputs.index(indicator.output(wanted))

        def computed(frame: pd.DataFrame) -> np.ndarray:
            # All outputs at once: each of them is asked for in turn.
            found = indicator.compute(frame)
            return np.vstack([found[output] for output in indicator.outputs])

        return self._on_base(indicator.key, indicator.history, computed, row)

    def _on_base(
        self,
        key: Hashable,
        history: int,
        compute: Callable[[pd.DataFrame], np.ndarray],
        row: int | None = None,
    ) -> pd.Series:
        """One value per candle, or a row of several, unknown where there are under `history`."""
        self.needs(history)
        if len(self.base) < history:
            return self._series(np.full(len(self), np.nan))

        def values() -> np.ndarray:
            found = compute(self.base.frame).copy()
            found[..., : history - 1] = np.nan
            return found

        found = self.base.once(key, values)
        return self._series(self.from_own(found if row is None else found[row], np.nan))

    def _slow(self, column: str) -> np.ndarray:
        return self.slow.values(column)


def _extreme(of: Callable[..., np.ndarray], values: np.ndarray, n: int) -> np.ndarray:
    """`talib.MAX` or `talib.MIN`, that of a single candle as well."""
    return of(values, n) if n > 1 else values
