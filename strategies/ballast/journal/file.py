"""The journal's file: where it lies, how it is opened, and what happens when it is damaged."""

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.pool import NullPool, StaticPool

from ballast.journal.identity import claim, owner, write
from ballast.journal.tables import create_tables

logger = logging.getLogger(__name__)

# Longer than this nobody's hold on the file is waited for; entries are refused meanwhile.
_PATIENCE_S = 0.25
_PRAGMAS = (
    "auto_vacuum=INCREMENTAL",
    "journal_mode=WAL",
    "synchronous=NORMAL",
    "journal_size_limit=4000000",
)
# What SQLite keeps beside a file while it is open.
_BESIDE = ("-wal", "-shm")


class JournalFile:
    """
    An open journal, for one writer.

    Parameters
    ----------
    path : Path
        Made if it is not there; moved aside and begun anew if it is damaged.
    on_open : callable
        Called whenever the file has been opened.
    identity : str or None
        Of the database that the journal belongs to; None in a backtest, which has none.
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
        on_open: Callable[[], None],
        identity: str | None = None,
        tell: Callable[[str], None] = logger.warning,
    ) -> None:
        self.path = path
        self._identity = identity
        self._tell = tell
        self._on_open = on_open
        self.engine = self._open()

    def reopen_if_touched(self) -> None:
        """
        Open the file again where somebody else has deleted, replaced or written it: what is written
        to it would be lost, and nothing would fail. One that is damaged by now is replaced.
        """
        try:
            seen = _state(self.path)
        except FileNotFoundError:
            seen = None
        if seen == self._seen:
            return
        gone = seen is None or seen[0] != self._seen[0]
        happened = "taken away: begun anew" if gone else "overwritten: gone on with if it is sound"
        self._tell(f"while the bot ran, the journal {self.path.name} was {happened}")
        self.engine.dispose()
        self.engine = self._open()

    def written(self) -> None:
        """Take note of how the file is, now that it was written here."""
        self._seen = _state(self.path)

    def _open(self) -> Engine:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        engine = _engine(self.path)
        if not _is_sound(engine):
            self._move_aside()
            engine = _engine(self.path)
        try:
            create_tables(engine)
            if self._identity is not None:
                claim(engine, self._identity)
        except Exception:
            engine.dispose()
            raise
        self.written()
        self._on_open()
        return engine

    def _move_aside(self) -> None:
        kept = self.path.with_name(f"{self.path.name}.damaged-{datetime.now(UTC):%Y%m%d%H%M%S}")
        self.path.replace(kept)
        for end in _BESIDE:
            with suppress(FileNotFoundError):
                _beside(self.path, end).unlink()
        self._tell(f"the journal was damaged: kept as {kept.name}, begun anew")


def read_only(path: Path) -> Engine:
    """A journal to be read, whoever writes it meanwhile."""
    address = f"sqlite:///file:{quote(str(path))}?mode=ro&uri=true"
    return create_engine(address, poolclass=NullPool)


def take_over(path: Path, to: Path, identity: str) -> None:
    """
    Write an identity into a journal that has none, and give it another name.

    Raises
    ------
    OSError, SQLAlchemyError
        Where that cannot be done; tried again, it goes on from where it was.
    """
    engine = _engine(path)
    try:
        create_tables(engine)
        if owner(engine) is None:
            with engine.begin() as connection:
                write(connection, identity)
    finally:
        engine.dispose()
    if to == path:
        return
    # There while somebody else reads it.
    for end in _BESIDE:
        with suppress(FileNotFoundError):
            _beside(path, end).replace(_beside(to, end))
    path.replace(to)


def _state(path: Path) -> tuple[int, int, int]:
    """Which file it is, its size (bytes) and when it was written last (ns)."""
    found = os.stat(path)
    return found.st_ino, found.st_size, found.st_mtime_ns


def _beside(path: Path, end: str) -> Path:
    return path.with_name(path.name + end)


def _engine(path: Path) -> Engine:
    # One connection, used by the loop and by whoever gives the bot an order, one after the other.
    arguments = {"timeout": _PATIENCE_S, "check_same_thread": False}
    engine = create_engine(f"sqlite:///{path}", connect_args=arguments, poolclass=StaticPool)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    return engine


def _is_sound(engine: Engine) -> bool:
    """
    Whether a file is an undamaged database; one that is not is let go.

    Raises
    ------
    OperationalError
        Where that cannot be told: no access, a full disk, somebody else's hold.
    """
    try:
        with engine.connect() as connection:
            found = connection.execute(text("PRAGMA quick_check(1)")).scalar()
    except OperationalError:
        engine.dispose()
        raise
    except DatabaseError:
        found = "no database"
    if found != "ok":
        engine.dispose()
    return bool(found == "ok")
