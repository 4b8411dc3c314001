"""The journal, read: a row, the life of a trade, the account, everything since a moment.

With the standard library's SQLite alone: a question is answered before pandas or Freqtrade is
imported, and a reader keeps the writer from nothing.
"""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ballast.core.account import Account
from ballast.core.decision import Decision
from ballast.core.events import Event, EventKind
from ballast.journal.rows import moment_of, read_account, read_decision, read_event

_PATIENCE_S = 5.0
# As SQLAlchemy has stored it: what sorts as text sorts as time.
_STORED = "%Y-%m-%d %H:%M:%S.%f"


@dataclass(frozen=True)
class Row:
    """A decision, and what it was decided with: strategy, settings (digest), guards that are on."""

    decision: Decision
    strategy: str
    timeframe: str
    settings: str
    guards: Sequence[str]


@dataclass(frozen=True)
class Coverage:
    """What a journal holds of a pair: its first and last candle (opening times, UTC)."""

    first: datetime
    last: datetime
    timeframe: str


def stop_moves(path: Path, trades: Sequence[int]) -> dict[int, list[Event]]:
    """
    Every move of the stops of trades, in order, by the trade's number; the first stop included.

    Raises
    ------
    sqlite3.Error
        If the journal cannot be read.
    """
    moves: dict[int, list[Event]] = {number: [] for number in trades}
    marks = ",".join("?" * len(trades))
    wanted = f"SELECT * FROM events WHERE kind = ? AND trade_id IN ({marks}) ORDER BY id"  # noqa: S608
    with closing(_connected(path)) as connection:
        for row in connection.execute(wanted, (EventKind.STOP.value, *trades)):
            moves[row["trade_id"]].append(read_event(row))
    return moves


class Reader:
    """
    Reads one journal file, which may be written meanwhile.

    Parameters
    ----------
    path : Path
    strategy : str or None
        Only rows of this strategy; None for those of the one that wrote last.

    Raises
    ------
    sqlite3.Error
        If it is no journal; so do all questions where it cannot be read.
    """

    def __init__(self, path: Path, strategy: str | None = None) -> None:
        self._connection = _connected(path)
        self.strategy = strategy or self._one("SELECT strategy FROM decisions ORDER BY candle DESC")

    def strategies(self) -> list[str]:
        """Every strategy that the journal has rows of, the one that wrote last first."""
        rows = self._connection.execute(
            "SELECT strategy FROM decisions GROUP BY strategy ORDER BY MAX(candle) DESC"
        )
        return [row[0] for row in rows]

    def pairs(self) -> dict[str, Coverage]:
        """By pair, what the journal covers; pairs decided about last come first."""
        rows = self._connection.execute(
            "SELECT pair, MIN(candle), MAX(candle), timeframe FROM decisions WHERE strategy = ?"
            " GROUP BY pair ORDER BY MAX(candle) DESC, pair",
            (self.strategy,),
        )
        return {
            pair: Coverage(moment_of(first), moment_of(last), timeframe)
            for pair, first, last, timeframe in rows
        }

    def row(self, pair: str, moment: datetime | None) -> Row | None:
        """The row of the candle that had opened at a moment (UTC); None for the newest."""
        wanted, values = "SELECT * FROM decisions WHERE strategy = ? AND pair = ?", [pair]
        if moment is not None:
            wanted, values = f"{wanted} AND candle <= ?", [pair, _stored(moment)]
        found = self._connection.execute(
            f"{wanted} ORDER BY candle DESC LIMIT 1", (self.strategy, *values)
        ).fetchone()
        return self._row(found) if found is not None else None

    def rows_since(self, since: datetime) -> list[Row]:
        """Rows of candles from a moment on, in order."""
        found = self._connection.execute(
            "SELECT * FROM decisions WHERE strategy = ? AND candle >= ? ORDER BY candle, id",
            (self.strategy, _stored(since)),
        ).fetchall()
        return [self._row(row) for row in found]

    def newest(self) -> list[Row]:
        """The rows of the newest candle, by pair."""
        found = self._connection.execute(
            "SELECT * FROM decisions WHERE strategy = ?1 AND candle ="
            " (SELECT MAX(candle) FROM decisions WHERE strategy = ?1) ORDER BY pair",
            (self.strategy,),
        ).fetchall()
        return [self._row(row) for row in found]

    def life(self, trade_id: int) -> tuple[list[Row], list[Event]]:
        """Rows and events of a trade, in order; its entry's own events from before it had a number
        included."""
        found = self._connection.execute(
            "SELECT * FROM decisions WHERE strategy = ? AND trade_id = ? ORDER BY candle",
            (self.strategy, trade_id),
        ).fetchall()
        rows = [self._row(row) for row in found]
        of_trade = "SELECT * FROM events WHERE trade_id = ? ORDER BY id"
        events = [read_event(row) for row in self._connection.execute(of_trade, (trade_id,))]
        if rows and events:
            events = [*self._before(rows[0].decision, events[0]), *events]
        return rows, events

    def outcomes(self, since: datetime) -> list[tuple[str, str, int]]:
        """Outcome, code and number of the rows of candles from a moment on."""
        rows = self._connection.execute(
            "SELECT outcome, code, COUNT(*) FROM decisions WHERE strategy = ? AND candle >= ?"
            " GROUP BY outcome, code",
            (self.strategy, _stored(since)),
        )
        return [(row[0], row[1], row[2]) for row in rows]

    def events(self, since: datetime) -> list[Event]:
        """Events from a moment on, in order."""
        wanted = "SELECT * FROM events WHERE at >= ? ORDER BY id"
        return [read_event(row) for row in self._connection.execute(wanted, (_stored(since),))]

    def account(self) -> Account | None:
        """The account at the newest candle; None where the journal does not tell."""
        found = self.accounts(None, 1)
        return found[0] if found else None

    def first_account(self) -> Account | None:
        """The account at the oldest candle that is kept; None where the journal does not tell."""
        if not self._has_accounts():
            return None
        wanted = "SELECT * FROM accounts WHERE strategy = ? ORDER BY candle LIMIT 1"
        row = self._connection.execute(wanted, (self.strategy,)).fetchone()
        return read_account(row) if row is not None else None

    def closes(self, candle: datetime) -> dict[str, float]:
        """By pair, the close of a candle (opening time, UTC)."""
        rows = self._connection.execute(
            "SELECT pair, close FROM decisions WHERE strategy = ? AND candle = ?"
            " AND close IS NOT NULL",
            (self.strategy, _stored(candle)),
        )
        return {pair: float(close) for pair, close in rows}

    def accounts(self, since: datetime | None = None, most: int = -1) -> list[Account]:
        """The account at every candle from a moment on, the newest first."""
        if not self._has_accounts():
            return []
        after = _stored(since) if since is not None else ""
        rows = self._connection.execute(
            "SELECT * FROM accounts WHERE strategy = ? AND candle >= ?"
            " ORDER BY candle DESC LIMIT ?",
            (self.strategy, after, most),
        )
        return [read_account(row) for row in rows]

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    def _has_accounts(self) -> bool:
        return self._one("SELECT 1 FROM sqlite_master WHERE name = 'accounts'") is not None

    def _one(self, wanted: str) -> Any:
        row = self._connection.execute(f"{wanted} LIMIT 1").fetchone()
        return row[0] if row is not None else None

    def _row(self, found: sqlite3.Row) -> Row:
        version = self._connection.execute(
            "SELECT guards, setups FROM versions WHERE id = ?", (found["version"],)
        ).fetchone()
        guards, setups = (json.loads(text) for text in (version or ("[]", "{}")))
        decision = read_decision(found, {name: tuple(rules) for name, rules in setups.items()})
        return Row(decision, found["strategy"], found["timeframe"], found["settings"], guards)

    def _before(self, entry: Decision, first: Event) -> list[Event]:
        """What was said of the entry's pair between its signal and the trade's first own event."""
        rows = self._connection.execute(
            "SELECT * FROM events WHERE pair = ? AND trade_id IS NULL"
            " AND kind IN ('sized', 'gate', 'order', 'latency') AND at > ? AND at <= ? ORDER BY id",
            (entry.pair, _stored(entry.candle), _stored(first.at)),
        )
        return [read_event(row) for row in rows]


def _connected(path: Path) -> sqlite3.Connection:
    address = f"file:{quote(str(path))}?mode=ro"
    connection = sqlite3.connect(address, uri=True, timeout=_PATIENCE_S)
    connection.row_factory = sqlite3.Row
    return connection


def _stored(moment: datetime) -> str:
    return moment.replace(tzinfo=None).strftime(_STORED)
