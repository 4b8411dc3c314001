"""Whether the database of a bot can be written: else Freqtrade's start ends in a traceback."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from typing import Any

from freqtrade.enums import TRADE_MODES
from freqtrade.exceptions import OperationalException

from ballast.config.database_url import NoDatabaseUrl, parsed, sqlite_file

# Longer than this nobody who writes is waited for: that it is written is seen then.
_PATIENCE_S = 1.0


def refuse_unwritable(config: Mapping[str, Any]) -> None:
    """
    Refuse a bot whose SQLite database cannot be made or written.

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
