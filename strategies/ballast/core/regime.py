"""
Regime of a pair and of the market: up, down or range; from completed candles only.

The definition is that of the entry rules (`ballast.core.uptrend`): 'up' is where they are met, so
that a chart never shades 'down' what an entry takes for up.
"""

import numpy as np

from ballast.core.candles import Candles
from ballast.core.market import Market
from ballast.core.uptrend import SLOW, rising_market, trend_gap

DOWN, RANGE, UP = -1, 0, 1
NAMES = {DOWN: "down", RANGE: "range", UP: "up"}


def of_pair(candles: Candles) -> np.ndarray:
    """
    Regime of every candle of a pair.

    Up: the rule pair_up is met, the 5-day average is above the 20-day one. Down: it is below, and
    so is the close. Range: neither, or not known yet.

    Returns
    -------
    ndarray of int8, one value per candle
        DOWN, RANGE or UP.
    """
    close, mean = (np.asarray(one) for one in (candles.close, candles.mean(SLOW)))
    gap = np.asarray(trend_gap(candles))
    return _regimes(gap > 0, (gap < 0) & (close < mean))


def of_market(market: Market) -> np.ndarray:
    """
    Regime of the market at every candle.

    Up: both rules of a rising market are met, market_up and breadth_up. Down: neither is. Range:
    one of them, or not known yet.

    Returns
    -------
    ndarray of int8, one value per candle
        DOWN, RANGE or UP.
    """
    rules = rising_market(market).values()
    up = np.logical_and.reduce([rule.met for rule in rules])
    known = [np.isfinite(np.asarray(rule.value) + np.asarray(rule.limit)) for rule in rules]
    down = np.logical_and.reduce([*known, *(~rule.met for rule in rules)])
    return _regimes(up, down)


def _regimes(up: np.ndarray, down: np.ndarray) -> np.ndarray:
    return np.where(up, np.int8(UP), np.where(down, np.int8(DOWN), np.int8(RANGE)))
