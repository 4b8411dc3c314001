"""A strategy that wants to buy every pair at the same minute: the most that a loop can be asked."""

from __future__ import annotations

import pandas as pd

from ballast.core.candles import Candles
from ballast.core.frames import nanoseconds
from ballast.core.market import Market
from ballast.core.rules import Rule, holds
from ballast.core.stops import StopRules
from ballast.strategy.guarded import GuardedStrategy

CANDLE_S = 60
EVERY = 10


class EveryPair(GuardedStrategy):
    """Buys all pairs once in ten minutes, and leaves after five."""

    timeframe = "1m"
    stops = StopRules(initial_atr=2, time_stop="5m")

    def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        minute = nanoseconds(pair.frame["date"]) // (CANDLE_S * 1_000_000_000)
        return {"due": holds(pd.Series(minute % EVERY == 0))}
