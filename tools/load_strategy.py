"""Strategies that buy two pairs on every candle, and leave each after five: alone, and held."""

from __future__ import annotations

from typing import Any, ClassVar

import pandas as pd
from freqtrade.strategy import IStrategy
from RisingMarket import RisingMarket

from ballast import GuardedStrategy, StopRules
from ballast.core.candles import Candles
from ballast.core.frames import nanoseconds, span_ns
from ballast.core.market import Market
from ballast.core.rules import Rule, holds
from ballast.core.signals import Setup

AT_ONCE, STAY = 2, 5
# Far away: what is sold is sold because it is due, by both.
_STOPS = StopRules(initial_atr=20)


def due(frame: pd.DataFrame, timeframe: str, pair: str, pairs: list[str]) -> tuple[Any, Any]:
    """Candles after which a pair is bought and sold, as booleans: each has its turn."""
    turns = max(len(pairs) // AT_ONCE, STAY + 1)
    number = nanoseconds(frame["date"]) // span_ns(timeframe)
    turn = (number - (pairs.index(pair) if pair in pairs else 0)) % turns
    return turn == 0, turn == STAY


class Bare(IStrategy):
    """Freqtrade alone: the floor. Orders as the layer's."""

    stoploss = -0.25
    minimal_roi: ClassVar[dict[str, float]] = {"0": 10}
    startup_candle_count = 100
    order_types: ClassVar[dict[str, Any]] = GuardedStrategy.order_types

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """None."""
        return dataframe

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Two pairs a candle."""
        dataframe["enter_long"] = self._due(dataframe, metadata)[0].astype(int)
        return dataframe

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Five candles later."""
        dataframe["exit_long"] = self._due(dataframe, metadata)[1].astype(int)
        return dataframe

    def _due(self, dataframe: pd.DataFrame, metadata: dict) -> tuple[Any, Any]:
        pairs = self.config["exchange"]["pair_whitelist"]
        return due(dataframe, self.timeframe, metadata["pair"], pairs)


class Held(GuardedStrategy):
    """The same under the layer: what it costs without indicators of a strategy."""

    timeframe = "1m"
    stops = _STOPS

    def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        """Two pairs a candle."""
        return {"due": self._due(pair)[0]}

    def exit_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        """Five candles later."""
        return {"over": self._due(pair)[1]}

    def _due(self, pair: Candles) -> tuple[Rule, Rule]:
        pairs = self.config["exchange"]["pair_whitelist"]
        enter, leave = due(pair.frame, self.timeframe, pair.name, pairs)
        return holds(pd.Series(enter)), holds(pd.Series(leave))


class Largest(Held, RisingMarket):
    """The same with all that the pack's largest strategy works out, and its signals."""

    timeframe = "1m"

    def setups(self, pair: Candles, market: Market) -> list[Setup]:
        """Two pairs a candle, and what `RisingMarket` wants."""
        return [Held.setup(self, pair, market), *RisingMarket.setups(self, pair, market)]
