"""The strategy of `load_bare` under the layer, and with all that the pack's largest works out."""

from __future__ import annotations

import pandas as pd
from RisingMarket import RisingMarket

from ballast import GuardedStrategy, StopRules
from ballast.core.candles import Candles
from ballast.core.market import Market
from ballast.core.rules import Rule, holds
from ballast.core.setups import Setup
from tools.load_bare import due

# Far away: what is sold is sold because it is due, by both.
_STOPS = StopRules(initial_atr=20)


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
