"""Counts from the bot's journal, read row by row as it grows."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from ballast.core.events import EventKind
from ballast.ops.metrics.families import Sample
from ballast.ops.metrics.new_series import NewSeries


class JournalCounts:
    """
    What the journal holds, counted since its beginning.

    A decision that is completed after it has been read (an order that fills) stays counted as it
    was: totals are of decisions, not of their outcomes to the last.
    """

    def __init__(self) -> None:
        self._decisions: Counter[tuple[str, str]] = Counter()
        self._events: Counter[tuple[str, str]] = Counter()
        self._seen = {"decisions": 0, "events": 0}
        self._new = NewSeries()
        self.latencies: dict[str, list[float]] = {}

    def read(self, path: Path, now: datetime, candle_s: float) -> Iterator[Sample]:
        """
        Read what is new, and give all counts; nothing where there is no journal.

        Raises
        ------
        sqlite3.Error
            If it cannot be read.
        """
        if not path.is_file():
            return
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)) as connection:
            newest = connection.execute("SELECT MAX(candle) FROM decisions").fetchone()[0]
            self._read_decisions(connection, newest)
            self._read_events(connection)
        if newest is not None:
            opened = datetime.fromisoformat(newest).replace(tzinfo=UTC)
            yield "journal_lag_seconds", {}, (now - opened).total_seconds() - candle_s
        yield from self._new.told(self._totals(), now)

    def _read_decisions(self, connection: sqlite3.Connection, newest: str | None) -> None:
        # Those of the newest candle may still change; late ones of an older candle wait with them.
        first = connection.execute("SELECT MIN(id) FROM decisions WHERE candle = ?", (newest,))
        end = first.fetchone()[0] or 0
        rows = connection.execute(
            "SELECT outcome, code, COUNT(*) FROM decisions WHERE id > ? AND id < ?"
            " GROUP BY outcome, code",
            (self._seen["decisions"], end),
        )
        for outcome, code, count in rows:
            self._decisions[(outcome, code)] += count
        self._seen["decisions"] = max(end - 1, self._seen["decisions"])

    def _read_events(self, connection: sqlite3.Connection) -> None:
        rows = connection.execute(
            "SELECT id, kind, code, facts FROM events WHERE id > ? ORDER BY id",
            (self._seen["events"],),
        )
        for number, kind, code, facts in rows:
            self._events[(kind, code)] += 1
            self._seen["events"] = number
            if kind == "latency":
                # Seconds since the signal candle closed, by stage.
                for stage, seconds in json.loads(facts).items():
                    self.latencies.setdefault(stage, []).append(float(seconds))

    def _totals(self) -> Iterator[Sample]:
        refusals: Counter[str] = Counter()
        for (outcome, code), count in self._decisions.items():
            yield "decisions", {"outcome": outcome, "code": code}, count
            if outcome == "REFUSED":
                refusals[code] += count
        for code, count in refusals.items():
            yield "refusals", {"code": code}, count
        for (kind, code), count in self._events.items():
            yield "events", {"kind": kind, "code": code}, count
        # Told while there is none, so that the first one is seen as an increase.
        failed = sum(n for (kind, _), n in self._events.items() if kind == EventKind.INCIDENT)
        yield "incidents", {}, failed
