"""What is written to the journal, what is read back, and what is forgotten."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Delete,
    Integer,
    Select,
    Table,
    bindparam,
    delete,
    func,
    select,
    text,
)
from sqlalchemy.dialects.sqlite import Insert, insert

from ballast.config.settings import JournalSettings
from ballast.core.account import Account
from ballast.core.decision import Decision
from ballast.core.events import Event
from ballast.journal.file import JournalFile
from ballast.journal.rows import account_row, decision_row, event_row, read_decision
from ballast.journal.tables import ACCOUNTS, DECISIONS, EVENTS, VERSIONS

logger = logging.getLogger(__name__)

_KEY = ("strategy", "timeframe", "pair", "candle")
_ACCOUNT_KEY = ("strategy", "candle")
_AGED = ((DECISIONS, DECISIONS.c.candle), (EVENTS, EVENTS.c.at), (ACCOUNTS, ACCOUNTS.c.candle))


@dataclass(frozen=True)
class Version:
    """
    What decides in a run.

    Parameters
    ----------
    settings : str
        Digest of the settings.
    guards : sequence of str
        Those that are on.
    setups : mapping of str to sequence of str
        Entry rules by setup.
    text : mapping
        The settings themselves.
    """

    settings: str
    strategy: str
    timeframe: str
    ballast: str
    guards: Sequence[str]
    setups: Mapping[str, Sequence[str]]
    text: Mapping[str, Any]

    def row(self) -> dict[str, Any]:
        """As stored, without when it began."""
        names = ("settings", "strategy", "timeframe", "ballast")
        parts = {name: json.dumps(getattr(self, name)) for name in ("guards", "setups", "text")}
        return {**{name: getattr(self, name) for name in names}, **parts}


def _written_over(table: Table, key: Sequence[str]) -> Insert:
    """Inserts rows, over earlier ones of the same key."""
    statement = insert(table)
    names = [column.name for column in table.columns if column.name not in (*key, "id")]
    change = {name: statement.excluded[name] for name in names}
    return statement.on_conflict_do_update(index_elements=key, set_=change)


def _forgets(table: Table, ids: Select[Any]) -> Delete:
    """Deletes the first `at_once` rows of some."""
    chosen = ids.limit(bindparam("at_once", type_=Integer)).scalar_subquery()
    return delete(table).where(table.c.id.in_(chosen))


# Made once: SQLAlchemy takes longer to make a statement than to execute it.
_WRITE_DECISIONS = _written_over(DECISIONS, _KEY)
_WRITE_ACCOUNTS = _written_over(ACCOUNTS, _ACCOUNT_KEY)
_WRITE_EVENTS = insert(EVENTS)
_SIZE = text(
    "SELECT page_count, freelist_count, page_size "
    "FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
)
_FORGET_OLD = [
    _forgets(table, select(table.c.id).where(column < bindparam("oldest")))
    for table, column in _AGED
]
_FORGET_OLDEST = [_forgets(table, select(table.c.id).order_by(column)) for table, column in _AGED]


class Journal:
    """
    A journal that is written.

    Parameters
    ----------
    path : Path
        Made if it is not there; moved aside and begun anew if it is damaged.
    settings : JournalSettings
        Its bounds.
    identity : str or None
        Of the database that it belongs to; None in a backtest, which has none.
    tell : callable
        Told, in a sentence, that it is begun anew in place of one that was there.

    Raises
    ------
    OSError, SQLAlchemyError
        Where the file cannot be made.
    ForeignJournal
        Where it is another database's.
    """

    def __init__(
        self,
        path: Path,
        settings: JournalSettings,
        identity: str | None = None,
        tell: Callable[[str], None] = logger.warning,
    ) -> None:
        self._settings = settings
        # By the text of a version its number, and that of the one that was written last.
        self._versions: dict[str, int] = {}
        self._last: tuple[Version, int] | None = None
        self.file = JournalFile(path, self._forget_versions, identity, tell)

    def write(
        self,
        version: Version,
        decisions: Iterable[Decision],
        events: Sequence[Event],
        accounts: Sequence[Account] = (),
    ) -> None:
        """
        Write rows, over earlier ones of the same candles, events and the account at candles: all
        of them, or none.

        Raises
        ------
        SQLAlchemyError, OSError
            When nothing was written.
        """
        self.file.reopen_if_touched()
        try:
            self._write(version, decisions, events, accounts)
        except Exception:
            # The row of a version may be undone with the others.
            self._forget_versions()
            raise
        finally:
            self.file.written()

    def _write(
        self,
        version: Version,
        decisions: Iterable[Decision],
        events: Sequence[Event],
        accounts: Sequence[Account],
    ) -> None:
        with self.file.engine.begin() as connection:
            number = self._number(connection, version)
            known = {
                "strategy": version.strategy,
                "timeframe": version.timeframe,
                "settings": version.settings,
                "version": number,
            }
            rows = [{**known, **decision_row(decision)} for decision in decisions]
            if rows:
                connection.execute(_WRITE_DECISIONS, rows)
            for account in accounts:
                row = {"strategy": version.strategy, **account_row(account)}
                connection.execute(_WRITE_ACCOUNTS, row)
            if events:
                connection.execute(_WRITE_EVENTS, [event_row(event) for event in events])

    def decision(self, version: Version, pair: str, candle: datetime) -> Decision | None:
        """The row of a pair and candle (opening time, UTC), or None."""
        wanted = _rows_of(version, select(DECISIONS)).where(
            DECISIONS.c.pair == pair, DECISIONS.c.candle == candle.replace(tzinfo=None)
        )
        with self.file.engine.connect() as connection:
            row = connection.execute(wanted).mappings().first()
            return stored_decision(connection, dict(row)) if row is not None else None

    def last_candle(self, version: Version) -> datetime | None:
        """Opening time (UTC) of the newest candle that a strategy has rows of."""
        with self.file.engine.connect() as connection:
            wanted = _rows_of(version, select(func.max(DECISIONS.c.candle)))
            newest = connection.execute(wanted).scalar()
        return newest.replace(tzinfo=UTC) if newest is not None else None

    def begin_anew(self) -> None:
        """Forget everything: a backtest begins."""
        with self.file.engine.begin() as connection:
            for table in (DECISIONS, EVENTS, ACCOUNTS, VERSIONS):
                connection.execute(delete(table))
        self.file.written()
        self._forget_versions()

    def prune(self, now: datetime | None, at_once: int) -> None:
        """
        Forget what is older than `keep_days`, and the oldest while the file is too large.

        Parameters
        ----------
        now : datetime or None
            None keeps rows of any age.
        at_once : int
            Rows of a table that go at most, so that no candle takes longer than the others.
        """
        with self.file.engine.begin() as connection:
            if now is not None:
                oldest = (now - timedelta(days=self._settings.keep_days)).astimezone(UTC)
                for statement in _FORGET_OLD:
                    _forget(connection, statement, at_once, oldest=oldest.replace(tzinfo=None))
            if _size_mb(connection) > self._settings.max_mb:
                for statement in _FORGET_OLDEST:
                    _forget(connection, statement, at_once)
        with self.file.engine.connect() as connection:
            # It frees a page at each step, and only a script is stepped to its end.
            driver: Any = connection.connection.driver_connection
            driver.executescript(f"PRAGMA incremental_vacuum({at_once})")
        self.file.written()

    def _forget_versions(self) -> None:
        self._versions.clear()
        self._last = None

    def _number(self, connection: Connection, version: Version) -> int:
        if self._last is None or self._last[0] is not version:
            self._last = version, self._number_of(connection, version)
        return self._last[1]

    def _number_of(self, connection: Connection, version: Version) -> int:
        row = version.row()
        key = json.dumps(row)
        if key not in self._versions:
            same = (VERSIONS.c[name] == value for name, value in row.items())
            found = connection.execute(select(VERSIONS.c.id).where(*same)).scalar()
            if found is None:
                since = datetime.now(UTC).replace(tzinfo=None)
                made = insert(VERSIONS).values(since=since, **row).returning(VERSIONS.c.id)
                found = connection.execute(made).scalar_one()
            self._versions[key] = found
        return self._versions[key]


def stored_decision(connection: Connection, row: Mapping[str, Any]) -> Decision:
    """The decision that a row holds, with the setups of its version."""
    wanted = select(VERSIONS.c.setups).where(VERSIONS.c.id == row["version"])
    setups = json.loads(connection.execute(wanted).scalar() or "{}")
    return read_decision(row, {name: tuple(rules) for name, rules in setups.items()})


def _rows_of(version: Version, wanted: Select[Any]) -> Select[Any]:
    return wanted.where(
        DECISIONS.c.strategy == version.strategy, DECISIONS.c.timeframe == version.timeframe
    )


def _size_mb(connection: Connection) -> float:
    """What the rows take, megabytes; pages that are free do not count."""
    pages, free, size = connection.execute(_SIZE).one()
    return float((pages - free) * size / 1_000_000)


def _forget(connection: Connection, statement: Delete, at_once: int, **values: Any) -> None:
    connection.execute(statement, {"at_once": at_once, **values})
