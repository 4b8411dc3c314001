"""What is read of the bot's database again and again, once for as long as nothing is written to it.

A decision, the journal and the account's figures ask for the same open trades many times within a
candle. What has been read is kept with the database session that read it (each thread has its own,
and trades belong to theirs), until any session of this process flushes, commits or rolls back. What
another process writes shows when a loop begins, which reads anew.
"""

import itertools
from collections.abc import Callable
from typing import Any, TypeVar

from freqtrade.persistence import Trade
from sqlalchemy import event
from sqlalchemy.orm import Session

Read = TypeVar("Read")

_KEY = "ballast_read_once"
_counter = itertools.count()
_writes = next(_counter)


def read_anew(*_: Any) -> None:
    """Forget what has been read."""
    global _writes
    _writes = next(_counter)


for _moment in ("after_flush", "after_commit", "after_rollback", "after_soft_rollback"):
    event.listen(Session, _moment, read_anew)


def read_once(read: Callable[[], Read]) -> Read:
    """
    What a function reads of the database, not to be changed by whoever asks.

    Parameters
    ----------
    read : callable
        It is known again by itself: one that is made anew at each call is asked at each.
    """
    # Noted before it is read: what is written meanwhile is read the next time.
    writes, kept = _writes, Trade.session().info.setdefault(_KEY, {})
    known = kept.get(read)
    if known is None or known[0] != writes:
        kept[read] = known = (writes, read())
    found: Read = known[1]
    return found
