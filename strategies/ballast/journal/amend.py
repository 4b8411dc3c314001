"""What an event changes in the row of the candle that it follows from."""

import math
from collections.abc import Callable
from dataclasses import replace

from ballast.core.decision import Decision, Outcome
from ballast.core.events import Event, EventKind
from ballast.core.reasons import Reason


def amended(row: Decision, event: Event) -> Decision:
    """The row after an event; the same one where the event changes nothing in it."""
    change = _CHANGES.get(event.kind)
    return change(row, event) if change is not None else row


def _refused(row: Decision, event: Event) -> Decision:
    if row.outcome in (Outcome.ENTERED, Outcome.HOLDING, Outcome.LEFT):
        return row
    detail = event.facts.get("detail")
    sizing = {**row.sizing, "detail": detail} if detail else row.sizing
    return replace(
        row,
        outcome=Outcome.REFUSED,
        code=event.code,
        value=event.value,
        limit=event.limit,
        sizing=sizing,
    )


def _sized(row: Decision, event: Event) -> Decision:
    sizing = {name: fact for name, fact in event.facts.items() if name != "stop"}
    return replace(row, sizing=sizing, stop=float(event.facts["stop"]))


def _passed(row: Decision, event: Event) -> Decision:
    check = {"value": event.value, "limit": event.limit, **event.facts}
    return replace(row, gate={**row.gate, event.code: check})


def _ordered(row: Decision, event: Event) -> Decision:
    outcome = _ORDERS.get(event.code)
    # What is held stays held when it is added to.
    if outcome is None or row.outcome is Outcome.HOLDING:
        return row
    sizing = row.sizing
    if "binding" not in sizing:
        return replace(
            row, outcome=outcome, code=event.code, value=event.value, trade_id=event.trade_id
        )
    # What decided is how much: the cap that bound.
    cap = sizing["caps"].get(sizing["binding"], math.nan)
    numbers = {"value": sizing["stake"], "limit": cap}
    return replace(row, outcome=outcome, code=sizing["binding"], trade_id=event.trade_id, **numbers)


def _left(row: Decision, event: Event) -> Decision:
    if row.outcome is not Outcome.HOLDING or row.trade_id != event.trade_id:
        return row
    return replace(row, outcome=Outcome.LEFT, code=event.code, value=event.value, limit=event.limit)


_ORDERS: dict[str, Outcome] = {
    Reason.ENTRY_CONFIRMED: Outcome.ORDERED,
    Reason.ENTRY_FILLED: Outcome.ENTERED,
}
_CHANGES: dict[EventKind, Callable[[Decision, Event], Decision]] = {
    EventKind.REFUSED: _refused,
    EventKind.SIZED: _sized,
    EventKind.GATE: _passed,
    EventKind.ORDER: _ordered,
    EventKind.EXIT: _left,
}
