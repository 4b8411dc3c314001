"""The recorder: turns what a run decides and what happens in it into rows of the journal.

Entries are refused while the row of their candle is not written; exits never wait for it.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from ballast.core.account import Account
from ballast.core.decision import Decision, Outcome, Position
from ballast.core.events import Event, EventKind
from ballast.core.guard_set import GuardSet
from ballast.core.reasons import Reason
from ballast.core.redaction import Redactor
from ballast.core.refusals import refused
from ballast.core.rulebook import decide
from ballast.core.status import Status
from ballast.core.times import candle_border
from ballast.core.verdict import Verdict
from ballast.core.wording import explained
from ballast.journal.amend import amended
from ballast.journal.sources import Sources
from ballast.journal.store import Journal, Version
from ballast.journal.unwritten import Unwritten

# Candles that a bot did not see while it was down are accounted for as far back as this.
_LONGEST_GAP = 500
_REFUSALS_SHOWN = 20
# What changes positions between two candles.
_FILLS = {Reason.ENTRY_FILLED, Reason.PART_SOLD, Reason.EXIT_FILLED}


class Recorder:
    """
    Keeps the journal of one run.

    Parameters
    ----------
    open_journal : callable or None
        Opens the journal; None where none is kept (decisions can be asked for all the same).
    version : callable
        What decides, asked when the rules are known.
    guard_set : GuardSet
    sources : Sources
    candle : timedelta
        Length of one.
    live : bool
        Write at once, rather than in batches.
    redactor : Redactor
    trouble : callable
        Told when the journal cannot be written.
    """

    def __init__(
        self,
        open_journal: Callable[[], Journal] | None,
        version: Callable[[], Version],
        guard_set: GuardSet,
        sources: Sources,
        candle: timedelta,
        live: bool,
        redactor: Redactor,
        trouble: Callable[[Exception], None],
    ) -> None:
        self._unwritten = Unwritten(open_journal, version, live, trouble)
        self._version = version
        self._guard_set = guard_set
        self._sources = sources
        self._candle = candle
        self._live = live
        self._redactor = redactor
        self._trouble = trouble
        # As of the candle that was judged last, and of what has filled since.
        self.account: Account | None = None
        # Whether something has filled since it was taken.
        self._filled = False
        self._last: datetime | None = None
        self._ended = False
        # What the last candle took, seconds, until it is told.
        self._candle_s: float | None = None
        self._now: dict[str, Decision] = {}
        self._refusals: deque[Event] = deque(maxlen=_REFUSALS_SHOWN)
        self._told: set[tuple[str, str, str, str]] = set()
        # Orders may be given by other threads than the bot's loop.
        self._lock = threading.RLock()

    def on_candle(self, now: datetime) -> None:
        """Write down what is decided by the candle that has just ended; once, after the guards."""
        end = candle_border(now, self._candle)
        seen = self._guard_set.snapshot
        with self._lock:
            if end != self._last and seen is not None and seen.now == end:
                began = time.perf_counter()
                self._take_down(end)
                self._flush(end)
                self._candle_s = time.perf_counter() - began

    def catch_up(self, now: datetime, loop_s: float) -> Event | None:
        """
        Write what could not be written before, and the account again where something has filled.

        Parameters
        ----------
        loop_s : float
            How long the analysis took that ends now, seconds.

        Returns
        -------
        Event or None
            After a new candle: how long its analysis took, and the journal's part of it.
        """
        with self._lock:
            if self._filled and self._last == candle_border(now, self._candle):
                self._take_account(self._last)
            if self._unwritten:
                self._flush(now)
            if self._candle_s is None:
                return None
            facts = {"pairs": len(self._now), "journal_s": self._candle_s}
            self._candle_s = None
            return Event(now, EventKind.LATENCY, Reason.ANALYSIS, value=loop_s, facts=facts)

    def hear(self, event: Event) -> None:
        """Write down an event, and what it changes in the row of its candle."""
        event = replace(event, facts=self._redactor.clean(event.facts))
        with self._lock:
            row = self._row_of(event)
            if row is not None:
                changed = amended(row, event)
                if changed is not row:
                    self._put(changed)
            if event.kind is EventKind.REFUSED:
                self._refusals.append(event)
            # Freqtrade asks again every few seconds, and gets the same answer.
            said = (event.kind.value, event.code, event.pair, str(event.facts.get("where", "")))
            if event.kind not in (EventKind.REFUSED, EventKind.INCIDENT) or said not in self._told:
                self._told.add(said)
                self._unwritten.events.append(event)
            self._filled |= event.code in _FILLS
            if self._live or self._ended:
                self._flush(event.at)

    def require(self, pair: str, now: datetime) -> None:
        """
        Let an entry through only if everything up to now is written.

        Raises
        ------
        EntryRefused
            JOURNAL_SILENT; value: rows and events that wait to be written.
        """
        if not self._unwritten.is_kept:
            return
        with self._lock:
            waiting = self._unwritten.decided
            if (self._live and waiting) or self._last != candle_border(now, self._candle):
                raise refused(Reason.JOURNAL_SILENT, waiting, 0, "the journal cannot be written")

    def begin_anew(self) -> None:
        """Make the journal and forget what it holds; raises where it cannot be made."""
        self._unwritten.begin_anew()

    def explain(self, pair: str, signal: datetime) -> str:
        """One line that says why an entry was made."""
        with self._lock:
            decision = self.decision(pair, signal)
        return explained(decision) if decision is not None else "not known"

    def decision(self, pair: str, signal: datetime) -> Decision | None:
        """What was decided about a pair by a candle (opening time, UTC), as far as it is known."""
        known = self._unwritten.rows.get((pair, signal)) or self.newest(pair, signal)
        if known is not None:
            return known
        return self._unwritten.ask(lambda journal: journal.decision(self._version(), pair, signal))

    def newest(self, pair: str, signal: datetime) -> Decision | None:
        """
        What was decided about a pair by the newest candle; None where `signal` is another.

        From memory: other threads may ask at any time, and wait for nothing. The journal's own
        connection is the bot's.
        """
        known = self._now.get(pair)
        return known if known is not None and known.candle == signal else None

    def status(self, now: datetime) -> Status:
        """Where the run stands at a moment (UTC); from memory, as `newest`."""
        version = self._version()
        return Status(
            version.strategy,
            version.timeframe,
            now,
            self._candle,
            self.account,
            tuple(self._now.copy().values()),
            tuple(self._refusals.copy()),
        )

    def signal_candle(self, moment: datetime) -> datetime:
        """Opening time of the candle that an order of this moment is a consequence of."""
        return candle_border(moment, self._candle) - self._candle

    def _take_down(self, end: datetime) -> None:
        candle = end - self._candle
        positions = self._sources.positions(end)
        pairs = dict.fromkeys([*self._sources.pairs(), *positions])
        # At a start: what is written already may be of this very candle.
        written = self._newest_written() if self._last is None else None
        self._account_for_gap(list(pairs), candle, written)
        again = written is not None and written >= candle
        self._now = {}
        self._told.clear()
        for pair, verdicts in self._guard_set.said(pairs).items():
            decided = self._before_restart(pair, candle) if again else None
            self._put(decided or self._decide(pair, end, verdicts, positions.get(pair)))
        self._take_account(end)
        self._last = end

    def _take_account(self, end: datetime) -> None:
        """What is only shown must not keep anything from being traded."""
        self._filled = False
        try:
            self.account = self._sources.account(end)
        except Exception as error:
            self._trouble(error)
        else:
            self._unwritten.accounts.append(self.account)

    def _before_restart(self, pair: str, candle: datetime) -> Decision | None:
        """What was decided about the candle at which a bot is started again; it stays decided."""
        known = self._unwritten.ask(lambda journal: journal.decision(self._version(), pair, candle))
        return known if known is not None and known.outcome is not Outcome.UNSEEN else None

    def _decide(
        self,
        pair: str,
        end: datetime,
        verdicts: Mapping[str, Verdict],
        held: Position | None,
    ) -> Decision:
        columns = self._sources.columns_of(pair)
        position = columns.newest_at(end) if columns is not None else -1
        book = self._sources.rulebook_of(pair)
        decision = decide(pair, end - self._candle, columns, position, book, verdicts, held)
        if decision.outcome is Outcome.SIGNAL:
            obstacle = self._sources.obstacle(pair, end)
            if obstacle is not None:
                code, value, limit = obstacle
                return replace(decision, code=code, value=value, limit=limit)
        return decision

    def _account_for_gap(
        self, pairs: list[str], candle: datetime, written: datetime | None
    ) -> None:
        """Rows of the candles that nobody decided about: the bot was down, or the guards failed."""
        before = self._last - self._candle if self._last is not None else written
        if before is None:
            return
        missed = min(int((candle - before) / self._candle) - 1, _LONGEST_GAP)
        for back in range(missed, 0, -1):
            end = candle - (back - 1) * self._candle
            for pair in pairs:
                decision = self._decide(pair, end, {}, None)
                unseen = replace(decision, outcome=Outcome.UNSEEN, code=Reason.NO_DECISION)
                self._put(replace(unseen, value=math.nan, limit=math.nan))

    def _newest_written(self) -> datetime | None:
        if not self._live:
            return None
        return self._unwritten.ask(lambda journal: journal.last_candle(self._version()))

    def _put(self, decision: Decision) -> None:
        self._unwritten.rows[decision.pair, decision.candle] = decision
        known = self._now.get(decision.pair)
        # What happens to an older candle's row (a late fill) hides nothing newer.
        if known is None or known.candle <= decision.candle:
            self._now[decision.pair] = decision

    def _row_of(self, event: Event) -> Decision | None:
        """The row that an event is about: that of its signal's candle, else of the last one."""
        if not event.pair or event.pair == "*":
            return None
        signal = event.facts.get("signal")
        moment = datetime.fromisoformat(str(signal)) if signal else self.signal_candle(event.at)
        return self.decision(event.pair, moment)

    def _flush(self, now: datetime) -> None:
        """Write what waits; where it cannot be written, entries are refused."""
        if self._unwritten.is_kept:
            self._ended = self._ended or (not self._live and self._sources.is_last(now))
        self._unwritten.write(now, self._last, at_end=self._ended)
