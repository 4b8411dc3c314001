"""The file of a bot's database: whether it can be written, and whether it is still there."""

import os
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from freqtrade.enums import TRADE_MODES
from freqtrade.exceptions import OperationalException

from ballast.config.database_url import NoDatabaseUrl, parsed, sqlite_file
from ballast.core.reasons import Reason
from ballast.core.verdict import ALLOW, Verdict
from ballast.risk.warning import warn

# Longer than this nobody who writes is waited for: that it is written is seen then.
_PATIENCE_S = 1.0


def refuse_unwritable(config: Mapping[str, Any]) -> None:
    """
    Refuse a bot whose SQLite database cannot be made or written: Freqtrade's start would end in a
    traceback.

    Raises
    ------
    OperationalException
        Naming the file and what is needed, or that `db_url` is none.
    """
    if config.get("runmode") not in TRADE_MODES or "db_url" not in config:
        return
    try:
        path = sqlite_file(parsed("db_url", str(config["db_url"])))
    except NoDatabaseUrl as error:
        raise OperationalException(str(error)) from None
    if path is None:
        return
    try:
        with closing(sqlite3.connect(path, timeout=_PATIENCE_S)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            # Written, and yet nothing has changed.
            connection.execute(f"PRAGMA user_version = {int(version)}")
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            return
        raise OperationalException(
            f"the database {path} cannot be written ({error}): make room on its disk, make its "
            "folder and give it to the bot's user (chown), or name another file in db_url"
        ) from None


class DatabaseWatch:
    """
    Sees that the file that a bot's database was opened from is still the one at its place.

    SQLite goes on with a file that was deleted or replaced, and says nothing: what is bought is
    known to the process alone, and forgotten with it. Damage within the file SQLite tells itself.

    Parameters
    ----------
    path : Path or None
        None where the database is no file of its own.
    tell : callable
        Told in a sentence when it goes and when it is back.
    """

    def __init__(self, path: Path | None, tell: Callable[[str], None]) -> None:
        self._path = path
        self._tell = tell
        self._opened = _which(path) if path is not None else None
        self._is_there = True

    def verdict(self) -> Verdict:
        """Whether anything may be entered now."""
        if self._path is None:
            return ALLOW
        is_there = _which(self._path) == self._opened
        if is_there != self._is_there:
            self._is_there = is_there
            self._announce()
        return ALLOW if is_there else Verdict(Reason.DATABASE_LOST, 1.0, 0.0, 0.0)

    def _announce(self) -> None:
        found = (
            "is back: entries are allowed again"
            if self._is_there
            else "was deleted or replaced: no entries, and what happens from now on is known to "
            "this process alone; put that very file back, or end the bot once nothing is held"
        )
        warn(f"the database {self._path} {found}", self._tell)


def _which(path: Path) -> tuple[int, int] | None:
    """Which file lies at a path; None where there is none, or it cannot be looked at."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
