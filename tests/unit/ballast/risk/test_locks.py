"""Locks of a backtest: put aside while they have expired, and all there in its result."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from freqtrade.persistence import PairLocks, disable_database_use, enable_database_use

from ballast.core.guard_set import Change
from ballast.core.verdict import Verdict
from ballast.risk.locks import Locks

HOUR = timedelta(hours=1)
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
PAIRS = [f"P{number}/USDT" for number in range(80)]


@pytest.fixture(autouse=True)
def _backtest() -> Iterator[None]:
    disable_database_use("1h")
    PairLocks.reset_locks()
    yield
    PairLocks.reset_locks()
    enable_database_use()


def test_a_backtest_gives_its_locks_in_the_order_in_which_they_were_made() -> None:
    locks = Locks()
    for number, pair in enumerate(PAIRS):
        # Two at a time. Every third lasts to the end: what is made after it expires before it.
        now = BEGIN + number // 2 * HOUR
        until = now + (1_000 if number % 3 == 0 else 2) * HOUR
        locks.add(Change("VolatilityCooldown", pair, Verdict("VOLATILITY", 2, 1, 0, until)), now)
        locks.tidy(now, is_last=pair == PAIRS[-1])
    assert [lock.pair for lock in PairLocks.get_all_locks()] == PAIRS


def test_a_signal_of_a_backtest_is_not_looked_up_among_locks_that_have_expired() -> None:
    locks = Locks()
    for number, pair in enumerate(PAIRS):
        now = BEGIN + number * HOUR
        block = Verdict("VOLATILITY", 2, 1, 0, now + 2 * HOUR)
        locks.add(Change("VolatilityCooldown", pair, block), now)
        locks.tidy(now, is_last=False)
        assert len(PairLocks.get_all_locks()) <= 3


def test_a_lock_whose_end_is_not_known_says_so() -> None:
    """Freqtrade shows an end of each: of a block that ends with its cause it is a day away."""
    locks = Locks()
    outage = Verdict("DATA_OUTAGE", 12, 10, 0, unit="requests")
    locks.add(Change("DataOutageHalt", "*", outage), BEGIN)
    locks.add(
        Change("LossStreakBackoff", "*", Verdict("LOSS_STREAK", 3, 3, 0, BEGIN + HOUR)), BEGIN
    )
    unknown, known = (lock.reason for lock in PairLocks.get_all_locks())
    assert unknown == "DATA_OUTAGE 12 requests (limit 10 requests), until its cause is over"
    assert known.endswith("until 2024-01-01 01:00 UTC")
