"""The journal of a bot as commands find it: by the identity of the bot's database.

Found without what trades: a question to the journal is answered before Freqtrade is imported.
"""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ballast.config.database_url import missing
from ballast.journal.place import journal_path
from ballast.tooling.config_files import database_url
from ballast.tooling.errors import CommandError

_SQLITE = "sqlite:///"
_IDENTITY = "SELECT memory FROM ballast_guards WHERE name = 'Identity'"


def bot_journal(database: str | None, config: Mapping[str, Any]) -> Path:
    """
    Where the journal of a bot lies, whether it is there or not.

    Parameters
    ----------
    database : str or None
        URL of the bot's database; None for that of the configuration.

    Raises
    ------
    CommandError
        If a database that is named cannot be read.
    """
    own = identity_of(database, config)
    # A database that is named may be of the other mode than the configuration is now.
    modes = (config.get("dry_run", True), not config.get("dry_run", True))
    places = [
        journal_path({**config, "dry_run": dry_run}, path_set(config), own, backtest=False)
        for dry_run in (modes if own else modes[:1])
    ]
    return next((path for path in places if path.is_file()), places[0])


def backtest_journal(config: Mapping[str, Any]) -> Path:
    """Where the journal of the last backtest lies, whether it is there or not."""
    return journal_path(config, None, None, backtest=True)


def path_set(config: Mapping[str, Any]) -> str | None:
    """The setting `journal.path`."""
    section = config.get("ballast")
    journal = section.get("journal") if isinstance(section, Mapping) else None
    path = journal.get("path") if isinstance(journal, Mapping) else None
    return str(path) if path is not None else None


def identity_of(database: str | None, config: Mapping[str, Any]) -> str | None:
    """
    Identity of a bot's database; None where it has none, or the configuration's is not there.

    Raises
    ------
    CommandError
        If a database that is named cannot be read.
    """
    url = database_url(database, config)
    try:
        if url.startswith(_SQLITE):
            return _of_file(Path(url.removeprefix(_SQLITE)))
        return _of_server(url)
    except CommandError as error:
        if database is not None:
            raise CommandError(f"--db-url {error}") from None
        return None


def _of_file(path: Path) -> str | None:
    # SQLite would make an empty database of a misspelled name.
    if not path.is_file():
        raise CommandError(missing(f"{_SQLITE}{path}"))
    address = f"file:{quote(str(path))}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=5)) as connection:
            row = connection.execute(_IDENTITY).fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return None
        raise CommandError(f"{_SQLITE}{path} cannot be read: {error}") from None
    except sqlite3.Error as error:
        raise CommandError(f"{_SQLITE}{path} cannot be read: {error}") from None
    return _identity(row[0]) if row is not None else None


def _of_server(url: str) -> str | None:
    """Of a database of another kind, which needs SQLAlchemy."""
    from sqlalchemy import inspect, text
    from sqlalchemy.exc import SQLAlchemyError

    from ballast.tooling.database import open_database

    engine = open_database(url)
    try:
        if not inspect(engine).has_table("ballast_guards"):
            return None
        with engine.connect() as connection:
            row = connection.execute(text(_IDENTITY)).first()
    except SQLAlchemyError as error:
        shown, reason = engine.url.render_as_string(), str(error).splitlines()[0]
        raise CommandError(f"{shown} cannot be read: {reason}") from None
    finally:
        engine.dispose()
    return _identity(row[0]) if row is not None else None


def _identity(memory: str) -> str | None:
    try:
        found = json.loads(memory)["identity"]
    except (ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) else None
