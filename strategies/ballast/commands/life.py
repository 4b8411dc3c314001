"""The life of one trade: why it was entered, what moved its stop, why it was left, what it cost."""

import math
from collections.abc import Iterable, Sequence
from datetime import timedelta

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ballast.commands.fills import fills, worse
from ballast.commands.tables import table
from ballast.core.decision import Outcome
from ballast.core.events import Event, EventKind
from ballast.core.measures import duration, number
from ballast.core.reasons import Reason
from ballast.core.sentences import what
from ballast.core.windows import minutes
from ballast.core.wording import explained, headline
from ballast.journal.reader import Reader, Row
from ballast.tooling.errors import CommandError


def show(console: Console, reader: Reader, trade_id: int) -> None:
    """
    Print a trade's life.

    Raises
    ------
    CommandError
        If the journal knows no such trade.
    """
    rows, events = reader.life(trade_id)
    if not rows and not events:
        raise CommandError(f"--trade {trade_id}: the journal knows no such trade")
    pair = rows[0].decision.pair if rows else events[-1].pair
    console.print(f"trade {trade_id}  {pair}  {reader.strategy}", style="bold", markup=False)
    entry = next((row for row in rows if row.decision.outcome is Outcome.ENTERED), None)
    if entry is not None:
        console.print(f"entered on {explained(entry.decision)}", markup=False)
    console.print(_story(events))
    for line in (_state(rows, events), _latency(events), _costs(events)):
        if line:
            console.print(line, markup=False)


def _story(events: Sequence[Event]) -> Table:
    story = table("at (UTC)", "what")
    for event in events:
        story.add_row(f"{event.at:%m-%d %H:%M:%S}", escape(what(event)))
    return story


def _state(rows: Sequence[Row], events: Sequence[Event]) -> str:
    """By the last candle; of a trade that has ended its last event tells when and why."""
    if not rows or any(event.kind is EventKind.EXIT for event in events):
        return ""
    ended = rows[-1].decision.candle + timedelta(minutes=minutes(rows[-1].timeframe))
    told = headline(rows[-1].decision)
    return f"by the candle that ended {ended:%Y-%m-%d %H:%M} UTC: {told}"


def _latency(events: Sequence[Event]) -> str:
    """Time from the end of the signal's candle to the stop that rests."""
    told = [event.value for event in events if event.code == Reason.ENTRY]
    return f"from the candle's close to the resting stop: {duration(told[-1])}" if told else ""


def _costs(events: Sequence[Event]) -> str:
    """What fills were worse than asked, and what fees took of the result."""
    filled = list(fills(events))
    if not filled:
        return ""
    ends = [event for event in events if event.kind is EventKind.EXIT]
    lost = sum(worse(fill, wanted) * float(fill.facts["filled"]) for fill, wanted in filled)
    turnover = sum(float(fill.facts["cost"] or 0) for fill, _ in filled)
    bps = 10_000 * abs(lost) / turnover if turnover else 0.0
    how = "better" if lost < 0 else "worse"
    quote = filled[0][0].pair.partition("/")[2].partition(":")[0]
    text = f"costs: fills {number(abs(lost))} {quote} {how} than wanted"
    text += f" ({bps:.1f} basis points of the turnover)"
    bought = _average(fill for fill, _ in filled if _is_buy(fill))
    sold = _average(fill for fill, _ in filled if not _is_buy(fill))
    if ends and bought > 0 and math.isfinite(sold):
        text += f", fees {100 * (sold / bought - 1) - ends[-1].value:.2f} %"
    return text


def _is_buy(fill: Event) -> bool:
    return str(fill.facts["side"]) == "buy"


def _average(fills: Iterable[Event]) -> float:
    """Price of several fills, of which each may be a part (quote currency); NaN of none."""
    parts = [(float(fill.facts["filled"]), fill.value) for fill in fills]
    units = sum(amount for amount, _ in parts)
    return sum(amount * price for amount, price in parts) / units if units else math.nan
