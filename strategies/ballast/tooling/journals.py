"""The journal of a bot as commands find it: by the identity of the bot's database."""

from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from ballast.config import settings
from ballast.journal.file import journal_path
from ballast.risk import identity
from ballast.risk.state_store import StateStore
from ballast.tooling.database import database_url, open_database
from ballast.tooling.errors import CommandError


def bot_journal(database: str | None, config: dict[str, Any]) -> Path:
    """
    Where the journal of a bot lies, whether it is there or not.

    Parameters
    ----------
    database : str or None
        URL of the bot's database; None for that of the configuration.

    Raises
    ------
    CommandError
        If the settings are wrong, or the database that is named cannot be read.
    """
    section = journal_settings(config)
    own = identity_of(database, config)
    # A database that is named may be of the other mode than the configuration is now.
    modes = (config.get("dry_run", True), not config.get("dry_run", True))
    places = [
        journal_path({**config, "dry_run": dry_run}, section, own, backtest=False)
        for dry_run in (modes if own else modes[:1])
    ]
    return next((path for path in places if path.is_file()), places[0])


def journal_settings(config: dict[str, Any]) -> settings.JournalSettings:
    """
    Settings of the journal.

    Raises
    ------
    CommandError
        If the section of settings is wrong.
    """
    try:
        return settings.load(config.get(settings.SECTION)).journal
    except settings.SettingsError as error:
        raise CommandError(str(error)) from None


def identity_of(database: str | None, config: dict[str, Any]) -> str | None:
    """
    Identity of a bot's database; None where it has none, or the configuration's is not there.

    Raises
    ------
    CommandError
        If a database that is named cannot be read.
    """
    try:
        engine = open_database(database_url(database, config))
    except CommandError:
        if database is not None:
            raise
        return None
    try:
        return identity.known(StateStore(engine)) if StateStore.exists(engine) else None
    except SQLAlchemyError as error:
        shown, reason = engine.url.render_as_string(), str(error).splitlines()[0]
        raise CommandError(f"--db {shown} cannot be read: {reason}") from None
    finally:
        engine.dispose()
