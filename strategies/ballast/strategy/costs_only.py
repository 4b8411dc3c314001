"""A strategy alone, through the layer's own way: nothing is decided, and its fills bear costs.

What `python -m ballast compare` sets beside the layer; no configuration leads here.
"""

import math
from datetime import datetime
from typing import Any

from freqtrade.enums import TRADE_MODES
from freqtrade.exceptions import OperationalException
from freqtrade.persistence import LocalTrade, Order
from freqtrade.strategy import IStrategy

from ballast.risk.stop_plans import ManagedStop
from ballast.strategy import additions
from ballast.strategy.decisions import Decisions, EntryOrder
from ballast.strategy.fail_closed import fail_closed
from ballast.strategy.foreign import ForeignLayer, guarded

# Attributes that the layer sets, and that are theirs here.
_KEPT = (
    "order_types",
    "use_custom_stoploss",
    "position_adjustment_enable",
    "process_only_new_candles",
    "ignore_buying_expired_candle_after",
)


def alone(theirs: type[IStrategy]) -> type[Any]:
    """As `guarded`: a class to derive from, under which a strategy does what it does alone."""
    return guarded(theirs, CostsOnly)


class NoDecisions(Decisions):
    """Size, limits, stops and exits are the strategy's own."""

    def on_loop(self, now: datetime) -> None:
        pass

    def stake(
        self, pair: str, now: datetime, rate: float, tag: str | None, limits: dict[str, float]
    ) -> float:
        return limits.get("user_stake", limits["proposed_stake"])

    def addition(
        self, trade: LocalTrade, rate: float, limits: dict[str, float], now: datetime
    ) -> float:
        return limits["user_stake"]

    def check_entry(self, order: EntryOrder, now: datetime) -> None:
        pass

    def entry_sent(self, order: EntryOrder, now: datetime) -> None:
        pass

    @fail_closed(refusal=None)
    def filled(self, trade: LocalTrade, order: Order, now: datetime) -> None:
        """Charge what the fill costs."""
        costs = self.connected.costs
        if costs is not None:
            is_addition = additions.is_one(trade, order)
            costs.charge(trade, order, now, is_addition=is_addition)

    def stop(self, trade: LocalTrade, now: datetime) -> float:
        return math.nan

    def staying(self, trade: LocalTrade, rate: float, now: datetime) -> float | None:
        return None

    def steady(self, trade: LocalTrade) -> ManagedStop | None:
        return None

    def reason_to_leave(self, trade: LocalTrade, rate: float, now: datetime) -> str | None:
        return None

    def gives_up_entry(self, trade: LocalTrade, order: Order, now: datetime) -> bool:
        return False

    def gives_up_exit(self, order: Order, now: datetime) -> bool:
        return False

    def followed(self, *asked: Any) -> float | None:
        return float(asked[2])


class CostsOnly(ForeignLayer):
    """Every attribute of theirs as it was; every callback through the layer's own way."""

    __module__ = "ballast.strategy.costs_only"  # see `strategy/__init__.py`

    def __init__(self, config: dict[str, Any]) -> None:
        theirs = {name: getattr(type(self), name) for name in _KEPT}
        super().__init__(config)
        if config.get("runmode") in TRADE_MODES:
            raise OperationalException(
                f"{type(self).__name__} is without the risk layer's decisions: expected a backtest"
            )
        for name, value in theirs.items():
            setattr(self, name, dict(value) if isinstance(value, dict) else value)
        self._ballast.own_custom_stop = self.use_custom_stoploss
        self._ballast.decisions = NoDecisions(self._ballast)

    @property
    def protections(self) -> list[dict[str, Any]]:
        """Theirs alone."""
        return self._ballast_their_protections()

    @protections.setter
    def protections(self, listed: list[dict[str, Any]]) -> None:
        self._ballast.set_by_theirs["protections"] = listed

    def _hold_attributes(self) -> None:
        pass

    def _refuse_unsafe(self) -> None:
        pass

    def _keep_higher(self, trade: LocalTrade, stop: float, ratio: float | None) -> None:
        pass
