"""What the guards remember, kept in a table of the bot's own database.

The database is the one place that is separate for each bot, survives a restart together with the
trades it speaks of, and is written in transactions, so that a crash leaves the last whole state.
JSON in one row for each guard: readable with any SQLite or PostgreSQL tool.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import ValidationError
from sqlalchemy import (
    Column,
    Connection,
    DateTime,
    Engine,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    inspect,
    select,
)

from ballast.core.guards.base import Guard, Memory

logger = logging.getLogger(__name__)

TABLE = "ballast_guards"
_TABLE = Table(
    TABLE,
    MetaData(),
    Column("name", String(64), primary_key=True),
    Column("memory", Text, nullable=False),
    Column("updated", DateTime(timezone=True), nullable=False),
    Column("note", Text, nullable=False, default=""),
)
# Rows beside the guards': which closed trades they have been shown, and the capital of the bot.
SHOWN, LEDGER = "ClosedTrades", "Ledger"

# Made once: writing a row costs SQLAlchemy less than making the statement for it.
_ROW = _TABLE.c.name == bindparam("row")
_NEW: dict[str, Any] = {"memory": bindparam("text"), "updated": bindparam("at")}
_UPDATE = _TABLE.update().where(_ROW).values(_NEW)
_UPDATE_UNEDITED = _UPDATE.where(_TABLE.c.memory == bindparam("expected"))

M = TypeVar("M", bound=Memory)


class StateStore:
    """
    Memory of the guards in a database.

    Parameters
    ----------
    engine : Engine
        Of the bot's database; the table is made if it is not there.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # As they were read or written last: what differs in the table is somebody else's edit.
        self._known: dict[str, str] = {}
        _TABLE.create(engine, checkfirst=True)

    @staticmethod
    def exists(engine: Engine) -> bool:
        """Whether a bot has kept its guards in this database."""
        return inspect(engine).has_table(TABLE)

    def restore(self, guards: Mapping[str, Guard]) -> set[str]:
        """
        Give every guard the memory that was saved for it.

        Returns
        -------
        set of str
            Names of guards whose memory was not there or unreadable: they are as they were.
        """
        rows = self.rows()
        return {
            name
            for name, guard in guards.items()
            if name not in rows or not self._adopt(name, guard, rows[name]["memory"])
        }

    def take_over_edits(self, guards: Mapping[str, Guard]) -> list[str]:
        """
        Adopt memories that somebody else has written since (`python -m ballast guards rearm`).

        Returns
        -------
        list of str
            Names of the guards concerned. One that is unreadable is overwritten at the next save.
        """
        rows = self.rows()
        edited = [
            name
            for name in guards
            if name in rows and rows[name]["memory"] != self._known.get(name, rows[name]["memory"])
        ]
        return [name for name in edited if self._adopt(name, guards[name], rows[name]["memory"])]

    def save(
        self, guards: Mapping[str, Guard], now: datetime, others: Mapping[str, Memory] | None = None
    ) -> None:
        """
        Write the memories that have changed, all of them in one transaction.

        What somebody else has written since it was read stays, to be taken over.

        Parameters
        ----------
        others : mapping of str to Memory
            Of what is no guard, by the name of its row.
        """
        kept = {**{name: guard.memory for name, guard in guards.items()}, **(others or {})}
        memories = {name: memory.model_dump_json() for name, memory in kept.items()}
        changed = {n: text for n, text in memories.items() if self._known.get(n) != text}
        if not changed:
            return
        written = {}
        with self._engine.begin() as connection:
            for name, text in changed.items():
                if _put(connection, name, self._known.get(name), memory=text, updated=now):
                    written[name] = text
        # Only once it is committed.
        self._known.update(written)

    def read(self, name: str, kind: type[M]) -> M | None:
        """The memory in a row that is no guard's; None where it is not there or unreadable."""
        row = self.rows().get(name)
        if row is None:
            return None
        try:
            memory = kind.model_validate_json(row["memory"])
        except ValidationError as error:
            logger.error("the stored %s is unreadable and is replaced: %s", name, error)
            return None
        self._known[name] = row["memory"]
        return memory

    def write(self, name: str, memory: str, note: str) -> None:
        """Write one guard's memory by hand, with the reason."""
        with self._engine.begin() as connection:
            _put(connection, name, None, memory=memory, updated=datetime.now(UTC), note=note)

    def rows(self) -> dict[str, dict[str, Any]]:
        """All rows by name, each with memory (JSON), updated (aware, UTC) and note."""
        with self._engine.connect() as connection:
            found = connection.execute(select(_TABLE)).mappings().all()
        return {row["name"]: {**row, "updated": _aware(row["updated"])} for row in found}

    def _adopt(self, name: str, guard: Guard, memory: str) -> bool:
        try:
            guard.memory = type(guard.memory).model_validate_json(memory)
        except ValidationError as error:
            logger.error("the stored memory of %s is unreadable and is replaced: %s", name, error)
            self._known.pop(name, None)
            return False
        self._known[name] = memory
        return True


def _put(
    connection: Connection,
    name: str,
    expected: str | None,
    memory: str,
    updated: datetime,
    note: str | None = None,
) -> bool:
    """Write a row, unless its memory is no longer what is expected; whether it was written."""
    update = _UPDATE if expected is None else _UPDATE_UNEDITED
    if note is not None:
        update = update.values(note=note)
    given = {"row": name, "text": memory, "at": updated}
    if expected is not None:
        given["expected"] = expected
    if connection.execute(update, given).rowcount:
        return True
    if connection.execute(select(_TABLE.c.name).where(_ROW), {"row": name}).first() is not None:
        return False
    row = {"name": name, "memory": memory, "updated": updated, "note": note or ""}
    connection.execute(_TABLE.insert().values(row))
    return True


def _aware(moment: datetime) -> datetime:
    """In UTC: SQLite forgets the zone, PostgreSQL answers in that of its session."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
