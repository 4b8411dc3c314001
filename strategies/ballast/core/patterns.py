"""Price patterns that more than one candle makes: dips and squeezes."""

import math

import bottleneck
import numpy as np
import pandas as pd
import talib

from ballast.core.aligned import Window
from ballast.core.candles import Candles
from ballast.core.measured import of_windows

# A history may lack this few of its candles (1 - share) before a rank in it is unknown.
_KNOWN = 0.9


def zscore(pair: Candles, window: Window) -> pd.Series:
    """
    Standard deviations that the close is above its simple average of the window:
    `below(zscore(pair, "2d"), -1.8)`.
    """
    return (pair.close - pair.mean(window)) / pair.deviation(window)


def deepest_dip(pair: Candles, window: Window, within: Window) -> pd.Series:
    """
    Lowest z-score (of `window`) of the candles within the time before this candle:
    `below(deepest_dip(pair, "2d", within="1d"), -2)`.

    A number of standard deviations; negative is below the average.
    """

    def lowest(_: pd.DataFrame, n: int, recent: int) -> np.ndarray:
        close = pair.slow.values("close")
        z = (close - talib.SMA(close, n)) / _positive(talib.STDDEV(close, n))
        return _lowest(z, recent)

    return pair.measure("deepest_dip", (window, within), lowest, chained=True, before=True)


def tightest_range(pair: Candles, window: Window, history: Window, within: Window) -> pd.Series:
    """
    How tight the range of prices has been within the time before this candle:
    `below(tightest_range(pair, "2d", "10d", within="1d"), 0.1)`.

    The range is highest high less lowest low of the window over the close; its rank is the share
    (0 to 1) of the history that was as tight or tighter; the lowest rank within the time counts.
    """

    def lowest_rank(_: pd.DataFrame, n: int, past: int, recent: int) -> np.ndarray:
        high, low, close = map(pair.slow.values, ("high", "low", "close"))
        spread = (talib.MAX(high, n) - talib.MIN(low, n)) / close
        # A filled candle has no range: a hole is no squeeze.
        known = pd.Series(np.where(high > low, spread, np.nan))
        ranks = known.rolling(past, min_periods=math.ceil(_KNOWN * past))
        return _lowest(ranks.rank(method="max", pct=True).to_numpy(), recent)

    windows = (window, history, within)
    return pair.measure("tightest_range", windows, lowest_rank, chained=True, before=True)


def _lowest(values: np.ndarray, n: int) -> np.ndarray:
    # Not TA-Lib: MIN carries a NaN within the data on for ever.
    return of_windows(bottleneck.move_min, values, n, least=n)


def _positive(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, values, np.nan)
