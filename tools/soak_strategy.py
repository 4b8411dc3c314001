"""A strategy whose signals follow from the clock alone, so that anyone can tell a stale entry."""

from __future__ import annotations

from typing import Any, ClassVar

import pandas as pd
from freqtrade.strategy import IStrategy

from ballast.core.candles import Candles
from ballast.core.frames import nanoseconds
from ballast.core.market import Market
from ballast.core.rules import Rule, holds
from ballast.core.stops import StopRules
from ballast.strategy.guarded import GuardedStrategy

# The candle that opens when so many seconds are over is a signal, of every pair.
EVERY_S = 3 * 3600


def is_signal(open_s: int) -> bool:
    """Whether the candle that opens at a time [Unix s] is a signal."""
    return open_s % EVERY_S == 0


class Clockwork(GuardedStrategy):
    """Buys every three hours, and leaves after one unless the price has gone up by one R."""

    timeframe = "1h"
    stops = StopRules(initial_atr=1.5, chandelier_atr=2, time_stop="1h")

    def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        opened = nanoseconds(pair.frame["date"]) // 1_000_000_000
        return {"due": holds(pd.Series([is_signal(int(open_s)) for open_s in opened]))}


class PlainClockwork(IStrategy):
    """The same signals in plain Freqtrade, with a stop on the exchange: what Ballast is up to."""

    timeframe = "1h"
    stoploss = -0.03
    minimal_roi: ClassVar[dict[str, float]] = {"0": 10, "60": -1}
    startup_candle_count = 30
    process_only_new_candles = True
    order_types: ClassVar[dict[str, Any]] = GuardedStrategy.order_types

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        return dataframe

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        opened = nanoseconds(dataframe["date"]) // 1_000_000_000
        dataframe["enter_long"] = [int(is_signal(int(open_s))) for open_s in opened]
        return dataframe

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        return dataframe
