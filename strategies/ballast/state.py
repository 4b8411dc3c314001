"""What the guards remember, kept in a table of the bot's own database.

The database is the one place that is separate for each bot, survives a restart together with the
trades it speaks of, and is written in transactions, so that a crash leaves the last whole state.
JSON in one row for each guard: readable with any SQLite or PostgreSQL tool.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Column, DateTime, Engine, MetaData, String, Table, Text, select

from ballast.core.guards.base import Guard

logger = logging.getLogger(__name__)

_TABLE = Table(
    "ballast_guards",
    MetaData(),
    Column("name", String(64), primary_key=True),
    Column("memory", Text, nullable=False),
    Column("updated", DateTime(timezone=True), nullable=False),
    Column("note", Text, nullable=False, default=""),
)


class GuardStore:
    """
    Memory of the guards in a database.

    Parameters
    ----------
    engine : Engine
        Of the bot's database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._saved: dict[str, str] = {}
        _TABLE.create(engine, checkfirst=True)

    def restore(self, guards: Mapping[str, Guard]) -> set[str]:
        """
        Give every guard the memory that was saved for it.

        Returns
        -------
        set of str
            Names of guards whose memory was not there or unreadable: they start anew.
        """
        rows = self.rows()
        lost = set()
        for name, guard in guards.items():
            if name not in rows:
                lost.add(name)
                continue
            try:
                guard.memory = type(guard.memory).model_validate_json(rows[name]["memory"])
                self._saved[name] = rows[name]["memory"]
            except ValidationError as error:
                logger.error("memory of %s is unreadable and is rebuilt: %s", name, error)
                lost.add(name)
        return lost

    def take_over_edits(self, guards: Mapping[str, Guard]) -> list[str]:
        """
        Adopt memories that somebody else has written since (`python -m ballast guards rearm`).

        Returns
        -------
        list of str
            Names of the guards concerned.
        """
        rows = self.rows()
        edited = [
            name
            for name in guards
            if name in rows and rows[name]["memory"] != self._saved.get(name, rows[name]["memory"])
        ]
        self.restore({name: guards[name] for name in edited})
        return edited

    def save(self, guards: Mapping[str, Guard], now: datetime) -> None:
        """Write the memories that have changed, all of them in one transaction."""
        memories = {name: guard.memory.model_dump_json() for name, guard in guards.items()}
        changed = {n: text for n, text in memories.items() if self._saved.get(n) != text}
        if not changed:
            return
        with self._engine.begin() as connection:
            for name, text in changed.items():
                _put(connection, name, memory=text, updated=now)
        self._saved.update(changed)

    def write(self, name: str, memory: str, note: str) -> None:
        """Write one guard's memory by hand, with the reason."""
        with self._engine.begin() as connection:
            _put(connection, name, memory=memory, updated=datetime.now(UTC), note=note)

    def rows(self) -> dict[str, dict[str, Any]]:
        """All rows by name, each with memory (JSON), updated (UTC) and note."""
        with self._engine.connect() as connection:
            found = connection.execute(select(_TABLE)).mappings()
            return {row["name"]: dict(row) for row in found}


def _put(connection: Any, name: str, **values: Any) -> None:
    updated = connection.execute(_TABLE.update().where(_TABLE.c.name == name).values(**values))
    if not updated.rowcount:
        connection.execute(_TABLE.insert().values(name=name, **{"note": "", **values}))
