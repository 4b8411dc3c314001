"""Regime of a pair and of the market: up, down or range; from completed candles only."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import talib

from ballast.core.candles import Candles
from ballast.core.market import Market

DOWN, RANGE, UP = -1, 0, 1
NAMES = {DOWN: "down", RANGE: "range", UP: "up"}


@dataclass(frozen=True)
class RegimeRules:
    """
    Definition of the regimes.

    Parameters
    ----------
    fast, slow : str
        Windows of the two simple averages whose order gives a pair's direction.
    breadth : float
        Share of the basket (0 to 1) that must be above its slow average for an up-market.
    confirm_candles : int
        Closes in a row (hourly, or longer candles) that a new regime needs to replace the old one.
    """

    fast: str = "5d"
    slow: str = "20d"
    breadth: float = 0.5
    confirm_candles: int = 3


DEFAULT = RegimeRules()


def of_pair(candles: Candles, rules: RegimeRules = DEFAULT) -> pd.Series:
    """
    Regime of every candle of a pair.

    Up: the fast average is above the slow one and the close above the slow one. Down: both below.
    Range: neither, or not known yet.

    Returns
    -------
    Series, one value per candle
        DOWN, RANGE or UP; NaN before the first hour is complete.
    """

    def regimes(frame: pd.DataFrame, fast_n: int, slow_n: int) -> np.ndarray:
        close = frame["close"].to_numpy(dtype=float)
        fast, slow = talib.SMA(close, fast_n), talib.SMA(close, slow_n)
        up = (fast > slow) & (close > slow)
        down = (fast < slow) & (close < slow)
        raw = np.where(up, UP, np.where(down, DOWN, RANGE)).astype(np.int8)
        return confirmed(raw, rules.confirm_candles)

    return candles.measure(f"regime/{rules}", (rules.fast, rules.slow), regimes)


def of_market(market: Market, rules: RegimeRules = DEFAULT) -> pd.Series:
    """
    Regime of the market at every candle.

    Up: the leader's close is above its slow average and so are enough pairs of the basket. Down:
    the leader is below, and too few are above. Range: neither, or not known.
    """
    above = market.close > market.mean(rules.slow)
    below = market.close < market.mean(rules.slow)
    breadth = market.breadth(rules.slow)
    up = above & (breadth >= rules.breadth)
    down = below & (breadth < rules.breadth)
    return pd.Series(np.where(up, UP, np.where(down, DOWN, RANGE)), index=above.index)


def confirmed(raw: np.ndarray, candles: int) -> np.ndarray:
    """
    Hysteresis: a value counts once it has stood for `candles` candles in a row; until then the last
    one that did so counts. RANGE before the first.
    """
    if len(raw) == 0 or candles <= 1:
        return raw
    position = np.arange(len(raw))
    changed = np.concatenate(([True], raw[1:] != raw[:-1]))
    run = position - np.maximum.accumulate(np.where(changed, position, 0)) + 1
    last = np.maximum.accumulate(np.where(run >= candles, position, -1))
    return np.where(last >= 0, raw[np.maximum(last, 0)], RANGE).astype(np.int8)
