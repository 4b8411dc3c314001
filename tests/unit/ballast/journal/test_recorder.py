"""When the recorder writes the account: at a candle, and again where something fills within it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from ballast.core.account import Account, State
from ballast.core.events import Event, EventKind
from ballast.core.reasons import Reason
from ballast.journal.recorder import Recorder

HOUR = timedelta(hours=1)
JUDGED = datetime(2024, 1, 1, 10, tzinfo=UTC)


class Told:
    """A recorder whose guards have judged one candle, and the ends that the account is taken at."""

    def __init__(self) -> None:
        self.taken: list[datetime] = []
        sources: Any = SimpleNamespace(
            pairs=list, positions=lambda _: {}, account=self.account, is_last=lambda _: False
        )
        guards: Any = SimpleNamespace(snapshot=SimpleNamespace(now=JUDGED), said=lambda _: {})
        redactor: Any = SimpleNamespace(clean=lambda facts: facts)
        version: Any = SimpleNamespace
        self.recorder = Recorder(
            None, version, guards, sources, HOUR, True, redactor, lambda error: None
        )
        self.recorder.on_candle(JUDGED + timedelta(seconds=3))

    def account(self, end: datetime) -> Account:
        self.taken.append(end)
        return Account(end - HOUR, State.ACTIVE, 1_000.0, 1.0)

    def filled(self, at: datetime) -> None:
        self.recorder.hear(Event(at, EventKind.ORDER, Reason.EXIT_FILLED, "BTC/USDT", 1))
        self.recorder.catch_up(at, 0.0)


def test_a_fill_writes_the_account_of_the_candle_again_until_the_next_one_ends() -> None:
    told = Told()
    told.filled(JUDGED + timedelta(minutes=59))
    told.recorder.catch_up(JUDGED + timedelta(minutes=59, seconds=5), 0.0)
    assert told.taken == [JUDGED, JUDGED]


def test_a_fill_after_a_candle_that_was_not_judged_is_no_part_of_an_older_one() -> None:
    told = Told()
    told.filled(JUDGED + 3 * HOUR + timedelta(minutes=5))
    assert told.taken == [JUDGED]
