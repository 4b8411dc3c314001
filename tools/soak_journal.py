"""What the bot of a soak run had planned, by its journal, against what rested on the exchange.

Only prices and moments are read: which stops were planned, and what each entry was decided to lose.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from ballast.core.events import EventKind
from ballast.journal.reader import Reader
from sandbox.orders import Order, Side
from sandbox.units import UNIT
from tools.soak_truth import Position, ended, rested_until


@dataclass(frozen=True)
class Written:
    """A number in the journal, and since when it is valid [Unix ms]."""

    at_ms: int
    value: float


@dataclass(frozen=True)
class Plans:
    """By symbol, in order: stops as planned (price), and decided losses of entries [USDT]."""

    stops: Mapping[str, Sequence[Written]]
    losses: Mapping[str, Sequence[Written]]


def read_plans(folder: Path) -> Plans:
    """
    What the journals in a folder say.

    Raises
    ------
    FileNotFoundError
        Where there is none.
    """
    stops: dict[str, list[Written]] = defaultdict(list)
    losses: dict[str, list[Written]] = defaultdict(list)
    journals = sorted(folder.glob("ballast_journal*.sqlite"))
    if not journals:
        raise FileNotFoundError(f"no journal in {folder}")
    for path in journals:
        with closing(Reader(path)) as journal:
            events = journal.events(datetime.fromtimestamp(0, UTC))
        for event in events:
            at_ms, symbol = round(event.at.timestamp() * 1000), event.pair.replace("/", "")
            if event.kind is EventKind.STOP:
                stops[symbol].append(Written(at_ms, event.value))
            elif event.kind is EventKind.SIZED:
                losses[symbol].append(Written(at_ms, event.value * event.facts["loss_ratio"]))
    # A fill that is noticed again is written down for the time it was.
    for written in (*stops.values(), *losses.values()):
        written.sort(key=lambda one: one.at_ms)
    return Plans(stops, losses)


def over_decided(found: Iterable[Position], plans: Plans) -> list[float]:
    """Losses of closed positions in multiples of what was decided when each was sized last."""
    losses = []
    for position in found:
        decided = _at(plans.losses.get(position.symbol, ()), position.opened_ms)
        if position.closed_ms is not None and decided is not None:
            losses.append(position.loss / decided.value)
    return losses


def differing_s(
    position: Position,
    orders: Iterable[Order],
    plans: Plans,
    tick: float,
    away: Iterable[tuple[int, int]],
    end_ms: int,
) -> float:
    """
    The longest time at a stretch in which the stop of a position was not as planned [s].

    A position that is being left, by an order that sells at once, needs none.

    Parameters
    ----------
    orders : of the position's pair.
    tick : of its price; plan and stop are the same within it.
    away : (start, end) [Unix ms] in which no bot was alive, or nothing was answered: not counted.
    """
    begin_ms, until_ms = position.opened_ms, position.closed_ms or end_ms
    sells = [order for order in orders if order.side is Side.SELL]
    resting = [order for order in sells if order.request.type.is_conditional]
    planned = [p for p in plans.stops.get(position.symbol, ()) if begin_ms <= p.at_ms < until_ms]
    gone = list(away)
    moments = {begin_ms, until_ms, *(p.at_ms for p in planned)}
    for order in sells:
        moments |= {order.time_ms, rested_until(order, until_ms), ended(order, until_ms)}
    for start, end in gone:
        moments |= {start, end}
    ordered = sorted(moment for moment in moments if begin_ms <= moment <= until_ms)
    longest = since = 0
    for start, end in pairwise(ordered):
        if any(a <= start < b for a, b in gone):
            continue
        leaving = any(
            _begins_to_sell(order, until_ms) <= start < ended(order, until_ms) for order in sells
        )
        stops = [o for o in resting if o.time_ms <= start < rested_until(o, until_ms)]
        plan = _at(planned, start)
        same = (
            plan is not None
            and len(stops) == 1
            and abs(stops[0].request.stop_price / UNIT - plan.value) <= tick * 1.001
        )
        since = 0 if same or leaving else since + end - start
        longest = max(longest, since)
    return longest / 1000


def _at(written: Sequence[Written], moment_ms: int) -> Written | None:
    """What was valid at a moment."""
    number = bisect_right(written, moment_ms, key=lambda one: one.at_ms)
    return written[number - 1] if number else None


def _begins_to_sell(order: Order, end_ms: int) -> int:
    return rested_until(order, end_ms) if order.request.type.is_conditional else order.time_ms
