"""The life of one trade: why it was entered, what moved its stop, why it was left, what it cost."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ballast.commands.tables import table
from ballast.core.decision import Outcome
from ballast.core.events import Event, EventKind
from ballast.core.measures import duration, number
from ballast.core.reasons import Reason
from ballast.core.sentences import what
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
    for line in (_state(rows), _latency(events), _costs(events)):
        if line:
            console.print(line, markup=False)


def _story(events: Sequence[Event]) -> Table:
    story = table("at (UTC)", "what")
    for event in events:
        story.add_row(f"{event.at:%m-%d %H:%M:%S}", escape(what(event)))
    return story


def _state(rows: Sequence[Row]) -> str:
    last = rows[-1].decision if rows else None
    return f"{last.candle:%Y-%m-%d %H:%M}: {headline(last)}" if last is not None else ""


def _latency(events: Sequence[Event]) -> str:
    """Time from the end of the signal's candle to the stop that rests."""
    told = [event.value for event in events if event.code == Reason.ENTRY]
    return f"from the candle's close to the resting stop: {duration(told[-1])}" if told else ""


def _costs(events: Sequence[Event]) -> str:
    """What fills were worse than asked, and what fees took of the result."""
    fills = [e for e in events if e.kind is EventKind.ORDER and "filled" in e.facts]
    if not fills:
        return ""
    worse = sum(
        (1 if fill.facts["side"] == "buy" else -1)
        * (fill.value - fill.limit)
        * float(fill.facts["filled"])
        for fill in fills
    )
    turnover = sum(float(fill.facts["cost"] or 0) for fill in fills)
    bps = 10_000 * worse / turnover if turnover else 0.0
    text = f"costs: fills {number(worse)} worse than asked ({bps:.1f} basis points of the turnover)"
    ends = [e for e in events if e.kind is EventKind.EXIT and e.facts.get("open_rate")]
    if ends:
        gross = 100 * (float(ends[-1].facts["rate"]) / float(ends[-1].facts["open_rate"]) - 1)
        text += f", fees {gross - ends[-1].value:.2f} %"
    return text
