"""The panel's timeline: guards and orders of a week."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from markupsafe import Markup

from ballast.core.events import Event, EventKind
from ballast.core.measures import measure, number
from ballast.core.reasons import Reason
from ballast.core.sentences import what
from ballast.core.verdict import ALL_PAIRS
from ballast.tooling.pages import charts
from ballast.tooling.pages.charts import Chart
from ballast.tooling.pages.page import Section
from ballast.tooling.pages.tables import facts
from ballast.tooling.pages.texts import paragraph

WEEK = timedelta(days=7)
_MOST_EVENTS = 200
# What a timeline tells of; refusals and latencies would drown it.
_TOLD = {
    EventKind.GUARD,
    EventKind.ORDER,
    EventKind.STOP,
    EventKind.EXIT,
    EventKind.WATCH,
    EventKind.INCIDENT,
    EventKind.FLOW,
}


def sections(events: Sequence[Event], now: datetime) -> list[Section]:
    """Guards that blocked, as spans, and what happened, the newest first."""
    blocks: list[Markup | Chart] = []
    spans = guard_spans(events, now)
    if spans:
        data = [
            charts.spans(name, name, [(a, b) for a, b, _ in found], charts.PALETTE[0], told)
            for name, found in spans.items()
            for told in [[pair for _, _, pair in found]]
        ]
        layout = {
            "showlegend": False,
            "xaxis": {"type": "date", "range": [f"{now - WEEK:%F %R}", f"{now:%F %R}"]},
            "yaxis": {"type": "category", "range": [-0.6, len(spans) - 0.4]},
        }
        label = "When each guard blocked at least one pair, in the last seven days."
        blocks.append(Chart(label, data, layout, 80 + 30 * len(spans)))
    told = [event for event in events if event.kind in _TOLD][::-1]
    rows = [
        (f"{last.at:%m-%d %H:%M:%S} UTC", last.pair.replace(ALL_PAIRS, "all pairs"), text)
        for last, text in climbs(told)[:_MOST_EVENTS]
    ]
    blocks.append(facts(rows) if rows else paragraph("Nothing.", "quiet"))
    return [Section("Guards and orders of a week", "", blocks)]


def climbs(told: Sequence[Event]) -> list[tuple[Event, str]]:
    """
    Events, the newest first, and what each says; a stop that climbs step by step is said once.

    Parameters
    ----------
    told : sequence of Event
        The newest first.
    """
    found: list[tuple[Event, list[Event]]] = []
    climbing: dict[int, list[Event]] = {}
    for event in told:
        steps = climbing.get(event.trade_id) if event.trade_id is not None else None
        raised = event.kind is EventKind.STOP and math.isfinite(event.limit)
        if raised and steps is not None:
            steps.append(event)
            continue
        steps = [event]
        found.append((event, steps))
        if event.trade_id is not None:
            climbing.pop(event.trade_id, None)
            if raised:
                climbing[event.trade_id] = steps
    return [(last, _climbed(steps)) for last, steps in found]


def _climbed(steps: Sequence[Event]) -> str:
    last, first = steps[0], steps[-1]
    if len(steps) == 1:
        return what(last)
    by = ", ".join(dict.fromkeys(step.code for step in steps))
    to = measure(Reason.STOP, last.value, last.pair)
    since = f"in {len(steps)} steps since {first.at:%m-%d %H:%M}"
    return f"stop raised from {number(first.limit)} to {to} by {by}, {since}"


def guard_spans(
    events: Sequence[Event], now: datetime
) -> Mapping[str, list[tuple[datetime, datetime, str]]]:
    """By guard, from when to when it blocked which pair; what has not ended goes on until now."""
    found: dict[str, list[tuple[datetime, datetime, str]]] = {}
    open_since: dict[tuple[str, str], tuple[datetime, datetime]] = {}
    for event in events:
        if event.kind is not EventKind.GUARD:
            continue
        name, key = str(event.facts.get("guard")), (str(event.facts.get("guard")), event.pair)
        if event.facts.get("state") == "begins":
            until = str(event.facts.get("until") or "")
            end = min(datetime.fromisoformat(until), now) if until else now
            begun, last = open_since.pop(key, (event.at, event.at))
            # One that goes on after its announced end is one block.
            begun = begun if last >= event.at else _closed(found, key, begun, last, event.at)
            open_since[key] = (begun, end)
        elif key in open_since:
            begun, end = open_since.pop(key)
            found.setdefault(name, []).append((begun, min(event.at, end), _scope(event.pair)))
    for (name, pair), (begun, end) in open_since.items():
        found.setdefault(name, []).append((begun, end, _scope(pair)))
    return found


def _closed(
    found: dict[str, list[tuple[datetime, datetime, str]]],
    key: tuple[str, str],
    begun: datetime,
    end: datetime,
    anew: datetime,
) -> datetime:
    """Keep a block that has ended; when the next one begins."""
    if begun < end:
        found.setdefault(key[0], []).append((begun, end, _scope(key[1])))
    return anew


def _scope(pair: str) -> str:
    return "all pairs" if pair == ALL_PAIRS else pair
