"""What happened, in one sentence: the same in log, Telegram, `review` and a trade's life."""

import math
from collections.abc import Callable
from datetime import UTC, datetime

from ballast.core.events import Event, EventKind
from ballast.core.measures import against, duration, measure, number, share
from ballast.core.reasons import Reason


def sentence(event: Event) -> str:
    """An event in one line: 'BTC/USDT: refused NO_SIZE 3 USDT (needed 10 USDT), LIQUIDITY'."""
    return f"{event.pair or 'all pairs'}: {what(event)}"


def what(event: Event) -> str:
    """The same without the pair."""
    special = _SPECIAL.get(event.kind)
    text = special(event) if special is not None else ""
    return text or f"{event.kind} {with_numbers(event)}"


def with_numbers(event: Event) -> str:
    """Code, value, limit and end of an event, and what they do not say."""
    return f"{event.code} {details(event)}".rstrip()


def details(event: Event) -> str:
    """The same without the code."""
    parts = (numbers(event), str(event.facts.get("detail") or ""))
    # Some say the same twice, or their code.
    return ", ".join(dict.fromkeys(part for part in parts if part and part != event.code))


def numbers(event: Event) -> str:
    """What an event saw against what is allowed, beginning and end (see `measures.against`)."""
    facts = event.facts
    until, began = facts.get("until"), facts.get("began")
    return against(
        event.code,
        event.value,
        event.limit,
        event.pair or f"/{facts.get('currency') or ''}",
        math.nan if began is None else float(began),
        _moment(until) if until else None,
        unit=str(facts.get("unit") or ""),
    )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _stop(event: Event) -> str:
    to = measure(Reason.STOP, event.value, event.pair)
    if not math.isfinite(event.limit):
        return f"first stop {to}"
    return f"stop raised from {number(event.limit)} to {to} by {event.code}"


def _order(event: Event) -> str:
    facts = event.facts
    if "filled" not in facts:
        return ""
    took = facts.get("seconds")
    after = f", {duration(took)} after it was placed" if took else ""
    base = event.pair.partition("/")[0]
    side = "stop" if facts["side"] == "stoploss" else facts["side"]
    filled = f"{side} of {number(facts['filled'])} {base} at {_price(event)}{after}"
    if event.code != Reason.PART_SOLD:
        return f"{event.code}, {filled}"
    tag = str(facts.get("tag") or facts["side"]).partition(" asked=")[0]
    return f"{event.code} by {tag}, {filled}{_because(event)}"


def _price(event: Event) -> str:
    """Of a fill, and the price asked where it was another."""
    price = measure(event.code, event.value, event.pair)
    same = not math.isfinite(event.limit) or number(event.value) == number(event.limit)
    return price if same else f"{price} ({number(event.limit)} asked)"


def _exit(event: Event) -> str:
    return f"left by {event.code} with {event.value:+.2f} %{_because(event)}"


def _because(event: Event) -> str:
    because = event.facts.get("because")
    return f": {because}" if because else ""


def _sized(event: Event) -> str:
    stop, size = event.facts.get("stop"), event.facts.get("multiplier", 1)
    parts = [f"sized {measure(event.code, event.value, event.pair)}, bound by {event.code}"]
    parts += [f"stop {number(stop)}"] if stop is not None else []
    parts += (
        [f"cut to {share(size)} by {event.facts.get('guard', 'the guards')}"] if size < 1 else []
    )
    return ", ".join(parts)


def _latency(event: Event) -> str:
    what_took = {"ANALYSIS": "the candle's analysis", "ENTRY": "its entry, to the resting stop,"}
    told = what_took.get(event.code, event.code)
    return f"{told} took {duration(event.value)}"


def _guard(event: Event) -> str:
    if event.facts.get("state") == "lifted":
        return f"{event.facts.get('guard')} no longer blocks"
    return f"{event.facts.get('guard')} blocks, {with_numbers(event)}"


def _incident(event: Event) -> str:
    where = event.facts.get("where")
    return f"{event.code} in {where}: {event.facts.get('text')}" if where else ""


_SPECIAL: dict[EventKind, Callable[[Event], str]] = {
    EventKind.SIZED: _sized,
    EventKind.STOP: _stop,
    EventKind.ORDER: _order,
    EventKind.EXIT: _exit,
    EventKind.LATENCY: _latency,
    EventKind.GUARD: _guard,
    EventKind.INCIDENT: _incident,
}
