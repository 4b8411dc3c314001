"""How much worse than wanted orders have filled, by what the journal tells of them."""

from collections.abc import Iterator, Sequence

from ballast.core.events import Event, EventKind

# Side of an order that rests as a stop, as Freqtrade has it.
_STOP = "stoploss"


def fills(events: Sequence[Event]) -> Iterator[tuple[Event, float]]:
    """
    Orders that have filled, each with the price that was wanted (quote currency).

    A stop is wanted at its level, which the end of its trade tells; its order's limit lies below.
    """
    ended = (e for e in events if e.kind is EventKind.EXIT and e.facts.get("stop"))
    levels = {event.trade_id: float(event.facts["stop"]) for event in ended}
    for event in events:
        if event.kind is EventKind.ORDER and "filled" in event.facts:
            stop = levels.get(event.trade_id) if event.facts["side"] == _STOP else None
            yield event, event.limit if stop is None else stop


def worse(fill: Event, wanted: float) -> float:
    """How much worse a fill was than wanted, quote currency for a unit; better is below 0."""
    return (1 if fill.facts["side"] == "buy" else -1) * (fill.value - wanted)
