"""Which file is the journal of a database; one from before journals had an identity is adopted."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from ballast.config.settings import JournalSettings
from ballast.core.quoting import quoted
from ballast.journal.file import read_only, take_over
from ballast.journal.identity import ForeignJournal, is_empty, last_trade, owner
from ballast.journal.place import journal_path

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """Where a run keeps its journal, and the identity of its database (none in a backtest)."""

    path: Path
    identity: str | None = None


# Whether a database has a trade of this number and pair.
Knows = Callable[[int, str], bool]


def own_journal(
    config: Mapping[str, Any], settings: JournalSettings, identity: str, knows: Knows | None
) -> tuple[Path, str]:
    """
    The journal of a bot that starts, and what is to be told of it (mostly nothing).

    A journal without an identity is adopted where the last trade that it tells of is in the
    database: it stays where it is where a path is set, else it gets the database's name.

    Parameters
    ----------
    identity : str
        Of the bot's database.
    knows : callable or None
        None for a database that is new: no journal is from before it.

    Raises
    ------
    ForeignJournal
        Where the path that is set holds another database's journal.
    """
    path = journal_path(config, settings.path, identity)
    is_set = settings.path is not None
    before = path if is_set else journal_path(config, settings.path, None)
    if not before.is_file() or (not is_set and path.exists()):
        return path, ""
    try:
        found, fits = _looked_into(before, knows)
        adopted = fits if found is None else found == identity and not is_set
        if adopted:
            take_over(before, path, identity)
            return path, f"the journal {before.name} is adopted as this database's: {path.name}"
    except (SQLAlchemyError, OSError) as error:
        # Whoever opens it to write finds out what is wrong, and refuses entries.
        logger.warning("the journal %s cannot be looked into: %s", before, error)
        return path, ""
    if is_set and found != identity:
        whose = f"database {found}" if found else "a database that is not known"
        raise ForeignJournal(
            f"ballast.journal.path is {quoted(settings.path)}: that is the journal of {whose}, and "
            f"this is database {identity}; name another file, or move that one away"
        )
    return path, ""


def _looked_into(path: Path, knows: Knows | None) -> tuple[str | None, bool]:
    """Whose a journal is, if it says so, and whether it may be this database's if it does not."""
    engine = read_only(path)
    try:
        if is_empty(engine):
            return owner(engine), True
        last = last_trade(engine)
        return owner(engine), knows is not None and (last is None or knows(*last))
    finally:
        engine.dispose()
