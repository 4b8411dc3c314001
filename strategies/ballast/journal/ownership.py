"""Which file is the journal of a database; one from before journals had an identity is adopted."""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import inspect
from sqlalchemy.exc import SQLAlchemyError

from ballast.config.settings import JournalSettings
from ballast.core.quoting import quoted
from ballast.journal.file import read_only, take_over
from ballast.journal.identity import ForeignJournal, is_empty, last_trade, owner
from ballast.journal.place import journal_path
from ballast.journal.tables import EVENTS, IDENTITY

logger = logging.getLogger(__name__)

# How a file of SQLite begins.
_SQLITE = b"SQLite format 3\0"
# How a text begins, and what is packed or kept in columns: a disk's fault leaves no letters there.
_TEXT = re.compile(rb"[\t\n\r -~]{4}|[\t\n\r -~]+\Z")


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
        Where the path that is set holds another database's journal, or is that of something else.
    """
    path = journal_path(config, settings.path, identity)
    is_set = settings.path is not None
    if is_set and (other := _no_journal(path)):
        raise ForeignJournal(
            f"ballast.journal.path is {quoted(settings.path)}: that is {other} and no journal; "
            "name a file of its own, which need not be there yet"
        )
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


def _no_journal(path: Path) -> str:
    """
    What is at a path, where that surely never was a journal; empty where it may be one.

    A journal that is damaged is moved aside and begun anew: never a file that somebody named by
    mistake, and a database of trades gets no tables of ours.
    """
    if path.is_dir():
        return "a folder"
    try:
        with path.open("rb") as file:
            head = file.read(len(_SQLITE))
    except OSError:
        return ""
    if head != _SQLITE:
        is_other = _TEXT.match(head) and not head.startswith(_SQLITE[:6])
        return "another kind of file" if is_other else ""
    engine = read_only(path)
    try:
        tables = set(inspect(engine).get_table_names())
    except SQLAlchemyError:
        return ""
    finally:
        engine.dispose()
    return "another database" if tables and not tables & {EVENTS.name, IDENTITY.name} else ""


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
