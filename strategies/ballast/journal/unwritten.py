"""What waits to be written to a journal, and what becomes of it where that fails."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from sqlalchemy.exc import DatabaseError, OperationalError

from ballast.core.account import Account
from ballast.core.decision import Decision
from ballast.core.events import Event
from ballast.journal.store import Journal, Version

Found = TypeVar("Found")

# A backtest writes so many rows at a time.
_BATCH = 5_000
_PRUNED_PER_CANDLE = 500
_MOST_WAITING = 10_000


class Unwritten:
    """
    Rows, events and accounts that are written together, or wait on.

    Parameters
    ----------
    open_journal : callable or None
        Opens the journal; None where none is kept, and nothing waits.
    version : callable
        What decides, asked when the rules are known.
    live : bool
        Write at once, rather than in batches.
    trouble : callable
        Told when the journal cannot be written or read.
    """

    def __init__(
        self,
        open_journal: Callable[[], Journal] | None,
        version: Callable[[], Version],
        live: bool,
        trouble: Callable[[Exception], None],
    ) -> None:
        self._open_journal = open_journal
        self._version = version
        self._live = live
        self._trouble = trouble
        self._journal: Journal | None = None
        # Last candle at which old rows have gone.
        self._pruned: datetime | None = None
        self.rows: dict[tuple[str, datetime], Decision] = {}
        self.events: list[Event] = []
        self.accounts: list[Account] = []

    @property
    def is_kept(self) -> bool:
        """Whether there is a journal."""
        return self._open_journal is not None

    def __bool__(self) -> bool:
        return bool(self.rows or self.events or self.accounts)

    @property
    def decided(self) -> int:
        """How many rows and events wait: what an entry must be written with."""
        return len(self.rows) + len(self.events)

    def write(self, now: datetime, candle: datetime | None, *, at_end: bool) -> None:
        """
        Write what waits; what cannot be written waits on.

        Parameters
        ----------
        candle : datetime or None
            End of the one that was judged last: at each, old rows go once.
        at_end : bool
            Whether a backtest is at its end, which leaves nothing waiting.
        """
        if not self.is_kept:
            self._clear()
            return
        if not (self._live or at_end or len(self.rows) >= _BATCH):
            return
        try:
            journal = self._opened()
            if journal is None:
                return
            journal.write(self._version(), self.rows.values(), self.events, self.accounts)
            self._clear()
            self._prune(journal, now, candle)
        except Exception as error:
            self._failed(error)

    def ask(self, question: Callable[[Journal], Found | None]) -> Found | None:
        """What the journal holds; None where it cannot be read."""
        try:
            journal = self._opened()
            return question(journal) if journal is not None else None
        except Exception as error:
            self._failed(error)
            return None

    def begin_anew(self) -> None:
        """Make the journal and forget what it holds; raises where it cannot be made."""
        journal = self._opened()
        if journal is not None:
            journal.begin_anew()

    def _clear(self) -> None:
        self.rows.clear()
        self.events.clear()
        self.accounts.clear()

    def _prune(self, journal: Journal, now: datetime, candle: datetime | None) -> None:
        if not self._live:
            # A backtest's candles are old by nature.
            journal.prune(None, 2 * _BATCH)
        elif self._pruned != candle:
            journal.prune(now, _PRUNED_PER_CANDLE)
            self._pruned = candle

    def _opened(self) -> Journal | None:
        if self._journal is None and self._open_journal is not None:
            self._journal = self._open_journal()
        return self._journal

    def _failed(self, error: Exception) -> None:
        del self.events[:-_MOST_WAITING]
        del self.accounts[:-_MOST_WAITING]
        # Anything but a lock, a full disk or missing access is damage.
        if isinstance(error, DatabaseError) and not isinstance(error, OperationalError):
            self._journal = None
        self._trouble(error)
