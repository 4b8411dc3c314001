"""The bot's configuration and database as commands see them, read without starting a bot."""

from pathlib import Path
from typing import Any

from freqtrade.configuration.environment_vars import environment_vars_to_dict
from freqtrade.configuration.load_config import load_from_files
from freqtrade.constants import DEFAULT_DB_DRYRUN_URL, DEFAULT_DB_PROD_URL
from freqtrade.exceptions import FreqtradeException
from freqtrade.misc import deep_merge_dicts
from sqlalchemy import Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from ballast.core.wording import one_line
from ballast.risk.state_store import TABLE, StateStore
from ballast.tooling.errors import CommandError


def read_config(paths: list[str]) -> dict[str, Any]:
    """
    Freqtrade's configuration from files, later ones over earlier ones, its environment over both.

    Raises
    ------
    CommandError
        If one cannot be read.
    """
    for path in paths:
        if not Path(path).is_file():
            raise CommandError(f"--config {path} is not a file: expected Freqtrade's config.json")
    try:
        return deep_merge_dicts(environment_vars_to_dict(), load_from_files(paths))
    except (FreqtradeException, OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--config {' '.join(paths)}: {one_line(error)}") from None


def database_url(given: str | None, config: dict[str, Any]) -> str:
    """The database asked for, else the configuration's, else the one Freqtrade would choose."""
    named = config.get("db_url")
    if config.get("dry_run", True):
        # As Freqtrade, whose paper trading never takes the usual database of real money.
        named = named if named not in (None, DEFAULT_DB_PROD_URL) else DEFAULT_DB_DRYRUN_URL
    return given or named or DEFAULT_DB_PROD_URL


def open_store(url: str) -> tuple[StateStore, Engine]:
    """
    Open the guards' table of a bot's database.

    Raises
    ------
    CommandError
        If there is no such database, or no guards were ever kept in it.
    """
    engine = open_database(url)
    shown = engine.url.render_as_string()
    try:
        known = StateStore.exists(engine)
    except SQLAlchemyError as error:
        raise CommandError(f"--db {shown} cannot be read: {str(error).splitlines()[0]}") from None
    if not known:
        raise CommandError(
            f"--db {shown} has no table {TABLE}: expected the database of a bot that has run a "
            "strategy of this pack"
        )
    return StateStore(engine), engine


def open_database(url: str) -> Engine:
    """
    A bot's database; nothing is made where there is none.

    Raises
    ------
    CommandError
        If the URL is none, or there is no such database.
    """
    shown = "(unreadable)"
    try:
        address = make_url(url)
        shown = address.render_as_string(hide_password=True)
        # SQLite would make an empty database of a misspelled name.
        if address.get_backend_name() == "sqlite" and not Path(address.database or "").is_file():
            raise CommandError(
                f"--db {shown}: there is no such database; expected the URL of a bot that has run, "
                "such as sqlite:///user_data/tradesv3.dryrun.sqlite"
            )
        return create_engine(address, poolclass=NullPool)
    except (ArgumentError, NoSuchModuleError):
        raise CommandError(
            f"--db {url} is no database URL: expected one such as "
            "sqlite:///user_data/tradesv3.dryrun.sqlite"
        ) from None
    except (SQLAlchemyError, ImportError) as error:
        reason = str(error).splitlines()[0]
        raise CommandError(f"--db {shown} cannot be read: {reason}") from None
