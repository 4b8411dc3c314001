"""The address of a bot's database: what is one, its file, and what is said of one that is none.

SQLAlchemy is imported where it is needed: a bot's health is asked for without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ballast.core.quoting import shortened

if TYPE_CHECKING:
    from sqlalchemy import URL

_EXAMPLE = "sqlite:///user_data/tradesv3.dryrun.sqlite"


class NoDatabaseUrl(ValueError):
    """
    An address is none of a database.

    Parameters
    ----------
    setting : str
        What it was given by, such as 'db_url'.
    url : str
        Repeated only where no password can be in it.
    """

    def __init__(self, setting: str, url: str) -> None:
        shown = "" if "@" in url else f"{shortened(url)!r} "
        self.what = f"{setting} {shown}is no database URL"
        self.todo = f"expected one such as {_EXAMPLE}"
        super().__init__(f"{self.what}: {self.todo}")


def parsed(setting: str, url: str) -> URL:
    """
    An address, in parts.

    Raises
    ------
    NoDatabaseUrl
        If it is none, or of a kind that is not known.
    """
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    try:
        address = make_url(url)
        address.get_dialect()
    except (ArgumentError, NoSuchModuleError):
        raise NoDatabaseUrl(setting, url) from None
    return address


def sqlite_file(address: URL) -> Path | None:
    """
    File of an SQLite database whose address is a plain path; None for one in memory, or of a
    server.
    """
    if address.get_backend_name() != "sqlite" or "uri" in address.query:
        return None
    return Path(address.database) if address.database not in (None, "", ":memory:") else None


def is_missing(address: URL) -> bool:
    """Whether there is no file of an SQLite database; a server tells when it is asked."""
    return address.get_backend_name() == "sqlite" and not Path(address.database or "").is_file()


def missing(shown: str) -> str:
    """What is said of a database that is not there."""
    return (
        f"{shown}: there is no such database; expected the URL of a bot that has run, such as "
        f"{_EXAMPLE}"
    )
