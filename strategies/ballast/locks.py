"""Blocks as Freqtrade locks: what `/locks`, the API and FreqUI show."""

from datetime import datetime

from freqtrade.persistence import PairLocks
from freqtrade.persistence.models import PairLock

_TIDY_EVERY = 50


class Locks:
    """
    Publishes locks.

    In a backtest Freqtrade searches every lock ever made at each signal. Those that have expired
    are therefore put aside while it runs, and put back for its result at the last candle.
    """

    def __init__(self) -> None:
        self._expired: list[PairLock] = []

    def add(self, pair: str, until: datetime, reason: str, now: datetime) -> None:
        """Lock a pair ('*' for all) from `now` to `until`, rounded up to the next candle."""
        PairLocks.lock_pair(pair, until, reason, now=now, side="*")

    def tidy(self, now: datetime, *, is_last: bool) -> None:
        """Put expired locks of a backtest aside, or back if this is the last candle."""
        if PairLocks.use_db:
            return
        if is_last:
            PairLocks.locks[:0] = self._expired
            self._expired = []
        elif len(PairLocks.locks) > _TIDY_EVERY:
            self._expired += [lock for lock in PairLocks.locks if lock.lock_end_time_utc <= now]
            PairLocks.locks = [lock for lock in PairLocks.locks if lock.lock_end_time_utc > now]
