"""Volatility shocks of a pair: cheap detectors, hysteresis, longer pauses after bigger shocks."""

from dataclasses import dataclass

import numpy as np
import talib

from ballast.core.candles import Candles
from ballast.core.measured import MeasuredCandles, moved
from ballast.core.windows import calibrated

# Makes the median absolute deviation of normal data its standard deviation.
_MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True)
class ShockRules:
    """
    When a shock begins and ends. Windows are in time.

    Parameters
    ----------
    atr_fast, atr_slow : str
    atr_ratio, atr_extreme : float
        Trigger and extreme of ATR(fast) / ATR(slow).
    vol_window, vol_history : str
    vol_quantile : float
        Triggers above this quantile (0 to 1) of the realised volatility's own past.
    range_window : str
    range_z, range_extreme : float
        Trigger and extreme of the robust z-score of the log range: (x - median) / sigma.
    release : float
        The shock is over once its intensity has been below this (1 is the trigger) ...
    calm_candles : int
        ... for so many candles in a row ...
    pause, longest_pause : str
        ... and at least `pause` times its intensity, up to `longest_pause`, have passed.
    """

    atr_fast: str = "8h"
    atr_slow: str = "60h"
    atr_ratio: float = 2.4
    atr_extreme: float = 3.5
    vol_window: str = "24h"
    vol_history: str = "10d"
    vol_quantile: float = 0.99
    range_window: str = "10d"
    range_z: float = 10.0
    range_extreme: float = 16.0
    release: float = 0.7
    calm_candles: int = 3
    pause: str = "4h"
    longest_pause: str = "48h"


DEFAULT = ShockRules()


def intensity(candles: Candles, rules: ShockRules = DEFAULT) -> np.ndarray:
    """
    How violent each candle's market is: 1 is a shock.

    Each detector is divided by its trigger. The intensity is the second largest of the three, so
    that two must agree, or the largest of those measured against their extremes. Filled candles
    count as unknown: a hole is not calm.

    Returns
    -------
    ndarray, one value per candle
        NaN until every detector is known.
    """
    windows = (
        rules.atr_fast,
        rules.atr_slow,
        rules.vol_window,
        rules.vol_history,
        rules.range_window,
    )
    return candles.measured(
        f"intensity/{rules}",
        tuple(calibrated(window, candles.timeframe) for window in windows),
        lambda _, *lengths: _intensity(candles.slow, lengths, rules),
        chained=True,
    )


def cooldown(level: np.ndarray, pause: int, longest: int, rules: ShockRules) -> np.ndarray:
    """
    Candles that entries stay blocked at least, for every candle.

    Parameters
    ----------
    level : ndarray
        Intensity; NaN neither begins a shock nor counts as calm.
    pause, longest : int
        Pauses in candles.

    Returns
    -------
    ndarray of float
        0 where entries are free. While the pause is over but calm has not returned, the candles
        that calm takes.
    """
    position = np.arange(len(level))
    with np.errstate(invalid="ignore"):
        shock = level >= 1
        if not shock.any():
            return np.zeros(len(level))
        quiet = level < rules.release
    lengths = np.minimum(np.ceil(pause * np.where(shock, level, 0)), longest)
    ends = np.maximum.accumulate(np.where(shock, position + lengths, -1))
    unquiet = np.maximum.accumulate(np.where(quiet, -1, position))
    calm = position - unquiet >= rules.calm_candles
    last_calm = np.maximum.accumulate(np.where(calm, position, -1))
    left = np.maximum(ends - position, rules.calm_candles - (position - unquiet))
    return np.where(last_calm < ends, left, 0.0)


@np.errstate(divide="ignore", invalid="ignore")
def _intensity(candles: MeasuredCandles, lengths: tuple[int, ...], rules: ShockRules) -> np.ndarray:
    fast, slow, vol_n, history_n, range_n = lengths
    high, low, close = map(candles.values, ("high", "low", "close"))
    filled = (candles.values("volume") == 0) & (high == low)

    atr = talib.ATR(high, low, close, fast) / talib.ATR(high, low, close, slow)
    moves = np.where(filled, np.nan, np.diff(np.log(close), prepend=np.nan))
    sigma = candles.deviations("moves", moves, vol_n, vol_n // 2)
    name = f"sigma/{vol_n}"
    usual = candles.quantiles(name, sigma, history_n, history_n // 2, rules.vol_quantile)
    vol = sigma / moved(usual)
    spread = np.where(filled, np.nan, np.log(high / low))
    away = spread - moved(candles.quantiles("spread", spread, range_n, range_n // 2))
    far = np.abs(away)
    mad = moved(candles.quantiles(f"far/{range_n}", far, range_n, range_n // 2))
    # After perfect calm any move is infinitely far, and no move is none.
    z = np.where(away == 0, 0.0 * mad, away / (_MAD_TO_SIGMA * mad))

    triggers = np.vstack([atr / rules.atr_ratio, vol, z / rules.range_z])
    extremes = np.vstack([atr / rules.atr_extreme, z / rules.range_extreme])
    a, b, c = triggers
    second = np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))
    # Where one is unknown, the level is.
    return np.asarray(np.maximum(second, extremes.max(axis=0)))
