"""The condition that the trend strategies share: a pair that leads a rising market."""

import numpy as np
import pandas as pd
import talib

from ballast.core.candles import Candles
from ballast.core.market import Market
from ballast.core.rules import Rule, above, at_least

SLOW, FAST, MOMENTUM = "20d", "5d", "10d"


def rising_market(market: Market) -> dict[str, Rule]:
    """
    Rules of a market that rises as a whole: `rising_market(market)`.

    market_up: the leader is above its 20-day weighted average. breadth_up: at least half of the
    basket is above its 20-day simple average.
    """
    return market.once(
        "rising_market",
        lambda: {
            "market_up": above(market.close, market.weighted_mean(SLOW)),
            "breadth_up": at_least(market.breadth(SLOW), 0.5),
        },
    )


def leads_rising_market(pair: Candles, market: Market) -> dict[str, Rule]:
    """
    Rules of an up-trend that is the market's and, more so, the pair's:
    `leads_rising_market(pair, market)`.

    Besides those of a rising market: pair_up: the pair's 5-day average is above its 20-day average.
    leads: over ten days the pair has gained more than the basket (relative strength: among coins
    that rise, those that lead go on leading, and those that lag fall first).
    """
    return pair.once(
        ("leads_rising_market", market),
        lambda: {
            **rising_market(market),
            "pair_up": above(trend_gap(pair), 0.0),
            "leads": above(pair.roc(MOMENTUM), market.mean_roc(MOMENTUM)),
        },
    )


def trend_gap(pair: Candles) -> pd.Series:
    """
    How far the 5-day average is above the 20-day average (ratio): `above(trend_gap(pair), 0)`.
    """

    def gap(_: pd.DataFrame, fast: int, slow: int) -> np.ndarray:
        close = pair.slow.values("close")
        return np.asarray(talib.SMA(close, fast) / talib.SMA(close, slow) - 1)

    return pair.measure("trend_gap", (FAST, SLOW), gap)
