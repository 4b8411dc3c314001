"""The bot's database as commands see it, read without starting a bot."""

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from ballast.config.database_url import NoDatabaseUrl, is_missing, missing, parsed
from ballast.risk.state_store import TABLE, StateStore
from ballast.tooling.errors import CommandError


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
        reason = str(error).splitlines()[0]
        raise CommandError(f"--db-url {shown} cannot be read: {reason}") from None
    if not known:
        raise CommandError(
            f"--db-url {shown} has no table {TABLE}: expected the database of a bot that has run a "
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
    try:
        address = parsed("--db-url", url)
    except NoDatabaseUrl as error:
        raise CommandError(str(error)) from None
    shown = address.render_as_string(hide_password=True)
    # SQLite would make an empty database of a misspelled name.
    if is_missing(address):
        raise CommandError(f"--db-url {missing(shown)}")
    try:
        return create_engine(address, poolclass=NullPool)
    except (SQLAlchemyError, ImportError) as error:
        reason = str(error).splitlines()[0]
        raise CommandError(f"--db-url {shown} cannot be read: {reason}") from None
