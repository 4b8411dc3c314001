"""
Regime of a pair and of the market: up, down or range; from completed candles only.

The definition is that of the entry rules (`ballast.core.uptrend`): 'up' is where they are met, so
that a chart never shades 'down' what an entry takes for up.
"""

import numpy as np
import pandas as pd

from ballast.core.candles import Candles
from ballast.core.market import Market
from ballast.core.uptrend import SLOW, rising_market, trend_gap

DOWN, RANGE, UP = -1, 0, 1
NAMES = {DOWN: "down", RANGE: "range", UP: "up"}


def of_pair(candles: Candles) -> pd.Series:
    """
    Regime of every candle of a pair.

    Up: the rule pair_up is met, the 5-day average is above the 20-day one. Down: it is below, and
    so is the close. Range: neither, or not known yet.

    Returns
    -------
    Series of int, one value per candle
        DOWN, RANGE or UP.
    """
    close = candles.close
    gap, mean = trend_gap(candles).to_numpy(), candles.mean(SLOW).to_numpy()
    return _regimes(gap > 0, (gap < 0) & (close.to_numpy() < mean), close.index)


def of_market(market: Market) -> pd.Series:
    """
    Regime of the market at every candle.

    Up: both rules of a rising market are met, market_up and breadth_up. Down: neither is. Range:
    one of them, or not known yet.

    Returns
    -------
    Series of int, one value per candle
        DOWN, RANGE or UP.
    """
    rules = rising_market(market).values()
    up = np.logical_and.reduce([rule.met for rule in rules])
    known = [np.isfinite(np.asarray(rule.value) + np.asarray(rule.limit)) for rule in rules]
    down = np.logical_and.reduce([*known, *(~rule.met for rule in rules)])
    return _regimes(up, down, market.close.index)


def _regimes(up: np.ndarray, down: np.ndarray, index: pd.Index) -> pd.Series:
    return pd.Series(np.where(up, UP, np.where(down, DOWN, RANGE)), index=index, dtype=np.int8)
