"""The layer with its decisions taken out: what is left must be the bare strategy.

Out of reach of any configuration: a class is made with it by a test alone.
"""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from freqtrade.persistence import LocalTrade, Order

from ballast.strategy.decisions import Decisions, EntryOrder
from ballast.strategy.foreign import ForeignLayer


class NoDecisions(Decisions):
    """Size, limits, stops and exits of the strategy's own."""

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

    def filled(self, trade: LocalTrade, order: Order, now: datetime) -> None:
        pass

    def stop(self, trade: LocalTrade, now: datetime) -> float:
        return math.nan

    def reason_to_leave(self, trade: LocalTrade, rate: float, now: datetime) -> str | None:
        return None

    def gives_up_entry(self, trade: LocalTrade, order: Order, now: datetime) -> bool:
        return False

    def gives_up_exit(self, order: Order, now: datetime) -> bool:
        return False

    def followed(self, *asked: Any) -> float | None:
        return float(asked[2])


class PassThrough(ForeignLayer):
    """Every attribute of theirs as it was; every callback through the layer's own way."""

    # What stands before the layer is refused, but for what says that it is part of it.
    __module__ = "ballast.strategy.passthrough"

    _KEPT = (
        "order_types",
        "use_custom_stoploss",
        "position_adjustment_enable",
        "process_only_new_candles",
        "ignore_buying_expired_candle_after",
    )

    def __init__(self, config: dict[str, Any]) -> None:
        theirs = {name: getattr(type(self), name) for name in self._KEPT}
        super().__init__(config)
        for name, value in theirs.items():
            setattr(self, name, dict(value) if isinstance(value, dict) else value)
        self._ballast.own_custom_stop = self.use_custom_stoploss
        self._ballast.decisions = NoDecisions(self._ballast)

    @property
    def protections(self) -> list[dict[str, Any]]:
        return list(self._behind().protections)

    @protections.setter
    def protections(self, listed: list[dict[str, Any]]) -> None:
        raise AttributeError(listed)

    def _hold_attributes(self) -> None:
        pass

    def _refuse_unsafe(self) -> None:
        pass

    def _keep_higher(self, trade: LocalTrade, stop: float, ratio: float | None) -> None:
        pass
