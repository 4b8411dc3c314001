"""The journal, read: a row, the life of a trade, everything since a moment."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, func, select

from ballast.core.decision import Decision
from ballast.core.events import Event, EventKind
from ballast.journal.file import read_only
from ballast.journal.store import stored_decision
from ballast.journal.tables import DECISIONS, EVENTS, VERSIONS, read_event


@dataclass(frozen=True)
class Row:
    """A decision, and what it was decided with: strategy, settings (digest), guards that are on."""

    decision: Decision
    strategy: str
    timeframe: str
    settings: str
    guards: Sequence[str]


def stop_moves(path: Path, trades: Sequence[int]) -> dict[int, list[Event]]:
    """
    Every move of the stops of trades, in order, by the trade's number; the first stop included.

    Raises
    ------
    SQLAlchemyError
        If the journal cannot be read.
    """
    wanted = select(EVENTS).where(
        EVENTS.c.kind == EventKind.STOP.value, EVENTS.c.trade_id.in_(trades)
    )
    moves: dict[int, list[Event]] = {number: [] for number in trades}
    engine = read_only(path)
    with engine.connect() as connection:
        for row in connection.execute(wanted.order_by(EVENTS.c.id)).mappings():
            moves[row["trade_id"]].append(read_event(dict(row)))
    return moves


class Reader:
    """
    Reads one journal file, which may be written meanwhile.

    Parameters
    ----------
    path : Path
    strategy : str or None
        Only rows of this strategy; None for those of the one that wrote last.
    """

    def __init__(self, path: Path, strategy: str | None = None) -> None:
        self._engine = read_only(path)
        last = self._last_strategy()
        self.strategy = strategy or last

    def row(self, pair: str, moment: datetime | None) -> Row | None:
        """The row of the candle that had ended at a moment (UTC); None for the newest."""
        wanted = self._of_strategy(select(DECISIONS)).where(DECISIONS.c.pair == pair)
        wanted = wanted.order_by(DECISIONS.c.candle.desc()).limit(1)
        if moment is not None:
            wanted = wanted.where(DECISIONS.c.candle <= moment.replace(tzinfo=None))
        with self._engine.connect() as connection:
            found = connection.execute(wanted).mappings().first()
            return _row(connection, dict(found)) if found is not None else None

    def life(self, trade_id: int) -> tuple[list[Row], list[Event]]:
        """Rows and events of a trade, in order; its entry's own events from before it had a number
        included."""
        wanted = self._of_strategy(select(DECISIONS)).where(DECISIONS.c.trade_id == trade_id)
        with self._engine.connect() as connection:
            found = connection.execute(wanted.order_by(DECISIONS.c.candle)).mappings().all()
            rows = [_row(connection, dict(row)) for row in found]
            of_trade = select(EVENTS).where(EVENTS.c.trade_id == trade_id).order_by(EVENTS.c.id)
            events = [read_event(dict(row)) for row in connection.execute(of_trade).mappings()]
            if rows and events:
                events = [*_before(connection, rows[0].decision, events[0]), *events]
        return rows, events

    def outcomes(self, since: datetime) -> list[tuple[str, str, int]]:
        """Outcome, code and number of the rows of candles from a moment on."""
        columns = (DECISIONS.c.outcome, DECISIONS.c.code)
        wanted = self._of_strategy(select(*columns, func.count()))
        wanted = wanted.where(DECISIONS.c.candle >= since.replace(tzinfo=None)).group_by(*columns)
        with self._engine.connect() as connection:
            return [(row[0], row[1], row[2]) for row in connection.execute(wanted)]

    def events(self, since: datetime) -> list[Event]:
        """Events from a moment on, in order."""
        wanted = select(EVENTS).where(EVENTS.c.at >= since.replace(tzinfo=None))
        with self._engine.connect() as connection:
            found = connection.execute(wanted.order_by(EVENTS.c.id)).mappings()
            return [read_event(dict(row)) for row in found]

    def close(self) -> None:
        """Let the file go."""
        self._engine.dispose()

    def _last_strategy(self) -> str | None:
        newest = select(DECISIONS.c.strategy).order_by(DECISIONS.c.candle.desc()).limit(1)
        with self._engine.connect() as connection:
            return connection.execute(newest).scalar()

    def _of_strategy(self, wanted: Select[Any]) -> Select[Any]:
        return wanted.where(DECISIONS.c.strategy == self.strategy)


def _row(connection: Connection, found: Mapping[str, Any]) -> Row:
    wanted = select(VERSIONS.c.guards).where(VERSIONS.c.id == found["version"])
    guards = json.loads(connection.execute(wanted).scalar() or "[]")
    decision = stored_decision(connection, found)
    return Row(decision, found["strategy"], found["timeframe"], found["settings"], guards)


def _before(connection: Connection, entry: Decision, first: Event) -> list[Event]:
    """What was said of the entry's pair between its signal and the trade's first own event."""
    wanted = (
        select(EVENTS)
        .where(EVENTS.c.pair == entry.pair, EVENTS.c.trade_id.is_(None))
        .where(EVENTS.c.kind.in_(("sized", "gate", "order", "latency")))
        .where(EVENTS.c.at > entry.candle.replace(tzinfo=None))
        .where(EVENTS.c.at <= first.at.replace(tzinfo=None))
        .order_by(EVENTS.c.id)
    )
    return [read_event(dict(row)) for row in connection.execute(wanted).mappings()]
