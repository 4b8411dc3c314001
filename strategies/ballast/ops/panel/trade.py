"""A trade's life, drawn on its candles."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ballast.core.events import Event, EventKind
from ballast.core.reasons import Reason
from ballast.core.sentences import what
from ballast.core.windows import minutes
from ballast.core.wording import explained
from ballast.journal.reader import Reader, Row
from ballast.tooling.pages import charts
from ballast.tooling.pages.charts import MUTED, PALETTE, Chart
from ballast.tooling.pages.page import Page, Section, Tab
from ballast.tooling.pages.tables import facts
from ballast.tooling.pages.texts import paragraph

_AROUND = 24
_SHOWN = "%Y-%m-%d %H:%M"

# By opening time (UTC): open, high, low, close.
Bars = Mapping[datetime, tuple[float, float, float, float]]


def life(reader: Reader, trade_id: int, bars: Bars) -> Page | None:
    """
    The page of a trade; None where the journal knows no such trade.

    Parameters
    ----------
    bars : mapping
        Candles of its pair as the bot gives them; the journal's closes stand in for those that are
        missing.
    """
    rows, events = reader.life(trade_id)
    if not rows and not events:
        return None
    pair = rows[0].decision.pair if rows else events[-1].pair
    why = explained(rows[0].decision) if rows else "The journal does not tell why it was entered."
    told = [(f"{event.at:%m-%d %H:%M:%S} UTC", what(event), "") for event in events]
    sections = [
        Section("", "", [paragraph(why), _chart(rows, events, bars)]),
        Section("Step by step", "", [facts(told)]),
    ]
    title = f"Trade {trade_id}, {pair}"
    return Page(title, reader.strategy or "", [Tab("trade", title, sections)])


def _chart(rows: Sequence[Row], events: Sequence[Event], bars: Bars) -> Chart:
    begun, ended = _period(rows, events)
    candle = timedelta(minutes=minutes(rows[0].timeframe)) if rows else timedelta(hours=1)
    around = _AROUND * candle
    shown = {at: bar for at, bar in bars.items() if begun - around <= at <= ended + around}
    data: list[dict[str, Any]] = [_candles(shown) if shown else _closes(rows)]
    moves = [event for event in events if event.kind is EventKind.STOP]
    if moves:
        data.append(_steps(moves, ended))
    data += [
        charts.fill(f"{e.at:{_SHOWN}}", e.value, entered=e.code == Reason.ENTRY_FILLED)
        for e in events
        if _is_fill(e)
    ]
    label = (
        "Candles (UTC), the stop as it moved, and the fills."
        if shown
        else "Closes (UTC) as the journal has them, the stop as it moved, and the fills."
    )
    layout = {"xaxis": {"type": "date", "rangeslider": {"visible": False}}}
    return Chart(label, data, layout, 420)


def _period(rows: Sequence[Row], events: Sequence[Event]) -> tuple[datetime, datetime]:
    moments = [row.decision.candle for row in rows] + [event.at for event in events]
    return min(moments), max(moments)


def _candles(bars: Bars) -> dict[str, Any]:
    times = sorted(bars)
    names = ("open", "high", "low", "close")
    prices = {name: [bars[at][place] for at in times] for place, name in enumerate(names)}
    return charts.candlesticks([f"{at:{_SHOWN}}" for at in times], prices)


def _closes(rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "close",
        "x": [f"{row.decision.candle:{_SHOWN}}" for row in rows],
        "y": [row.decision.close for row in rows],
        "line": {"color": MUTED, "width": 1.6},
    }


def _steps(moves: Sequence[Event], ended: datetime) -> dict[str, Any]:
    """A stop is never loosened: the highest of plan and strategy holds."""
    times, levels = [], list[float]()
    for move in moves:
        if not levels or move.value > levels[-1]:
            times.append(move.at)
            levels.append(move.value)
    return {
        "type": "scatter",
        "mode": "lines",
        "name": "stop",
        "x": [f"{at:{_SHOWN}}" for at in (*times, ended)],
        "y": [*levels, levels[-1]],
        "line": {"color": PALETTE[1], "width": 2, "shape": "hv"},
    }


def _is_fill(event: Event) -> bool:
    return event.code in (Reason.ENTRY_FILLED, Reason.EXIT_FILLED, Reason.PART_SOLD)
