"""Blocks as Freqtrade locks: what `/locks`, the API and FreqUI show."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from freqtrade.persistence import PairLocks
from freqtrade.persistence.models import PairLock

from ballast.core.guard_set import NEVER, UNTIL_LIFTED, Change

# Freqtrade rounds the end of a lock up to a candle border, and a border up to the one after it.
_BEFORE_BORDER = timedelta(milliseconds=1)

# Name of a guard, and a pair or '*'.
Key = tuple[str, str]


class Announced(NamedTuple):
    """What the lock of a block says: when it ends (just before a candle border), and why."""

    until: datetime
    reason: str


class Locks:
    """
    Publishes blocks as locks, once each.

    In a backtest Freqtrade searches every lock ever made at each signal. Those that have expired
    are therefore put aside while it runs, and put back for its result at the last candle.
    """

    def __init__(self) -> None:
        self._announced: dict[Key, Announced] = {}
        # Of a backtest: locks made, as far as looked at, in order; how many of them are left in
        # Freqtrade's list, where they stand first; when the next one expires.
        self._made: list[PairLock] = []
        self._kept = 0
        self._next_end = NEVER

    def forget(self) -> None:
        """Begin anew, as if nothing had ever been locked."""
        self._announced, self._made, self._kept, self._next_end = {}, [], 0, NEVER

    def add(self, change: Change, now: datetime) -> None:
        """Lock a pair ('*' for all) from `now` until the candle on which the verdict ends."""
        verdict = change.verdict
        until = (verdict.until or now + UNTIL_LIFTED) - _BEFORE_BORDER
        # Of these the end that Freqtrade shows is only the latest.
        reason = f"{verdict}" if verdict.until else f"{verdict}, until its cause is over"
        block = Announced(until, reason)
        _lock(change.pair, block, now)
        self._announced[(change.guard, change.pair)] = block
        self._next_end = min(self._next_end, block.until)

    def lift(self, keys: Iterable[Key], now: datetime) -> None:
        """End locks whose block has ended before its time (a win, a person's word)."""
        for key in keys:
            block = self._announced.pop(key, None)
            if block is not None:
                _release(key[1], block.reason, now)

    def renew(self, now: datetime) -> None:
        """
        Publish again what still holds and has been removed, by `/unlock` or by a strategy.

        That re-arms nothing: entries stay refused, and what is shown must be what holds.
        """
        held = {key: block for key, block in self._announced.items() if block.until > now}
        if not held:
            return
        shown = {(lock.pair, lock.reason) for lock in PairLocks.get_pair_locks(None, now)}
        for (guard, pair), block in held.items():
            if (pair, block.reason) in shown:
                continue
            hint = f"(guards rearm {guard})"
            reason = block.reason if hint in block.reason else f"{block.reason} {hint}"
            block = Announced(block.until, reason)
            _lock(pair, block, now)
            self._announced[(guard, pair)] = block

    def announced(self, guard: str, pair: str, now: datetime) -> Announced | None:
        """What was last locked for a guard and a pair ('*' for all), if it still holds."""
        block = self._announced.get((guard, pair))
        return block if block is not None and block.until > now else None

    def recall(self, guards: Mapping[str, str], now: datetime) -> dict[Key, datetime]:
        """
        Take up the locks that an earlier run left in the database.

        Parameters
        ----------
        guards : mapping of str to str
            Names of guards by the code that the reasons of their locks begin with.

        Returns
        -------
        dict of Key to datetime
            Ends of the locks found.
        """
        for lock in PairLocks.get_pair_locks(None, now):
            guard = guards.get((lock.reason or "").partition(" ")[0])
            block = Announced(lock.lock_end_time_utc - _BEFORE_BORDER, lock.reason or "")
            if guard is not None:
                known = self._announced.setdefault((guard, lock.pair), block)
                if block.until > known.until:
                    self._announced[(guard, lock.pair)] = block
        return {key: block.until + _BEFORE_BORDER for key, block in self._announced.items()}

    def tidy(self, now: datetime, *, is_last: bool) -> None:
        """Put expired locks of a backtest aside, or back if this is the last candle."""
        if PairLocks.use_db:
            return
        if is_last:
            PairLocks.locks = self._made + PairLocks.locks[self._kept :]
            self._made, self._kept = [], 0
        elif self._next_end <= now:
            self._made += PairLocks.locks[self._kept :]
            ends = [(lock, lock.lock_end_time_utc) for lock in PairLocks.locks]
            PairLocks.locks = [lock for lock, end in ends if end > now]
            self._kept = len(PairLocks.locks)
            self._next_end = min((end for _, end in ends if end > now), default=NEVER)


def _lock(pair: str, block: Announced, now: datetime) -> None:
    _write(lambda: PairLocks.lock_pair(pair, block.until, block.reason, now=now, side="*"))


def _release(pair: str, reason: str, now: datetime) -> None:
    for lock in PairLocks.get_pair_locks(pair, now, side="*"):
        if lock.reason == reason:
            # As Freqtrade's own `/delete_lock` does it.
            lock.active = False
            lock.lock_end_time = now.astimezone(UTC)
    if PairLocks.use_db:
        _write(PairLock.session.commit)


def _write(write: Callable[[], object]) -> None:
    """A database that refuses a write must not leave Freqtrade's session unusable."""
    try:
        write()
    except Exception:
        if PairLocks.use_db:
            PairLock.session.rollback()
        raise
