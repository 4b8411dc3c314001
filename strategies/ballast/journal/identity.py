"""Whose a journal is: it carries the identity of the bot's database (see `ballast.risk.identity`).

Trade numbers begin at one in every database. Rows of a paper run, a rehearsal and a real-money bot
in one file would be told as the life of one trade.
"""

from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, inspect, select

from ballast.journal.tables import DECISIONS, EVENTS, IDENTITY


class ForeignJournal(Exception):
    """A journal belongs to another database, or to one that cannot be told; the text says which."""


def owner(engine: Engine) -> str | None:
    """The identity that a journal carries; None where it carries none."""
    if not inspect(engine).has_table(IDENTITY.name):
        return None
    with engine.connect() as connection:
        return connection.execute(select(IDENTITY.c.identity)).scalar()


def claim(engine: Engine, identity: str) -> None:
    """
    Write an identity into a journal that is empty; one that carries it stays as it is.

    Raises
    ------
    ForeignJournal
        Where the journal is another database's, or holds rows of nobody knows which.
    """
    with engine.begin() as connection:
        found = connection.execute(select(IDENTITY.c.identity)).scalar()
        if found == identity:
            return
        if found is not None or not _is_empty(connection):
            whose = found or "a bot that is not known"
            raise ForeignJournal(f"it is the journal of {whose}, this is {identity}")
        write(connection, identity)


def write(connection: Connection, identity: str) -> None:
    """Write an identity into a journal that carries none."""
    since = datetime.now(UTC).replace(tzinfo=None)
    connection.execute(IDENTITY.insert().values(identity=identity, since=since))


def last_trade(engine: Engine) -> tuple[int, str] | None:
    """Number and pair of the trade that a journal tells of last; None where it tells of none."""
    wanted = select(EVENTS.c.trade_id, EVENTS.c.pair).where(EVENTS.c.trade_id.is_not(None))
    with engine.connect() as connection:
        row = connection.execute(wanted.order_by(EVENTS.c.id.desc()).limit(1)).first()
    return (row[0], row[1]) if row is not None else None


def is_empty(engine: Engine) -> bool:
    """Whether a file holds no rows of a journal."""
    if not inspect(engine).has_table(EVENTS.name):
        return True
    with engine.connect() as connection:
        return _is_empty(connection)


def _is_empty(connection: Connection) -> bool:
    tables = (DECISIONS, EVENTS)
    return not any(connection.execute(select(table.c.id).limit(1)).first() for table in tables)
