"""A backtest judges a candle where there is something to judge, and nothing comes of the others."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from unittest.mock import patch

import pandas as pd
import pytest
from freqtrade.strategy import IStrategy

from ballast.core.guard_set import GuardSet
from ballast.risk.candle_news import CandleNews
from ballast.risk.locks import Locks
from ballast.runtime.exits import ExitChecks
from ballast.strategy import quiet
from tests.behaviour.guard_stories import CASES
from tests.behaviour.mini import LEADER, Mini, Story, play
from tests.behaviour.test_parity import STORIES
from tests.engine import BacktestOutcome

LOCK = ("pair", "reason", "lock_time", "lock_end_time", "active")
Settings = Mapping[str, Any]


def told(outcome: BacktestOutcome) -> tuple[pd.DataFrame, list[tuple[Any, ...]]]:
    assert not outcome.strategy.incidents.counts
    return outcome.trades, [tuple(getattr(lock, n) for n in LOCK) for lock in outcome.locks]


def asked(stories: Mapping[str, Story], ballast: Settings) -> tuple[BacktestOutcome, int]:
    """What comes of the stories, and how often a guard was shown a candle."""
    shown = 0
    show = GuardSet._show

    def counted(self: GuardSet, guards: Mapping[str, Any], *rest: Any, **named: Any) -> Any:
        nonlocal shown
        shown += len(guards)
        return show(self, guards, *rest, **named)

    with patch.object(GuardSet, "_show", counted):
        outcome = play(stories, Mini, ballast=ballast)
    return outcome, shown


@pytest.mark.parametrize("name", [None, *CASES])
def test_what_is_not_judged_would_have_changed_nothing(name: str | None) -> None:
    stories, ballast = STORIES, {}
    if name is not None:
        case = CASES[name]
        stories = {LEADER: [], **case.stories}
        ballast = {"guards": {name: dict(case.settings), "off": list(case.also_off)}}
    outcome, shown = asked(stories, ballast)
    with patch.object(CandleNews, "at", lambda *_, **__: None):
        every, all_candles = asked(stories, ballast)
    (trades, locks), (expected, expected_locks) = told(outcome), told(every)
    pd.testing.assert_frame_equal(trades, expected)
    assert locks == expected_locks
    assert 0 < shown < all_candles / 3


def test_nothing_is_entered_at_a_candle_that_could_not_be_judged_to_the_end() -> None:
    begun = set(play(STORIES, Mini).trades["open_date"])
    tidy = Locks.tidy

    def fails(locks: Locks, now: datetime, *, is_last: bool) -> None:
        if now in begun:
            raise RuntimeError("out of memory")
        tidy(locks, now, is_last=is_last)

    with patch.object(Locks, "tidy", fails):
        outcome = play(STORIES, Mini)
    assert begun
    assert begun.isdisjoint(outcome.trades["open_date"])


def test_exits_that_freqtrade_is_not_asked_for_would_not_have_been() -> None:
    def exits_of() -> tuple[BacktestOutcome, int]:
        find = IStrategy.should_exit
        with patch.object(IStrategy, "should_exit", autospec=True, side_effect=find) as asks:
            outcome = play(STORIES, Mini)
        return outcome, asks.call_count

    outcome, found = exits_of()
    with (
        patch.object(quiet, "passes", lambda *_: False),
        patch.object(ExitChecks, "staying", lambda *_: None),
    ):
        every, all_candles = exits_of()
    (trades, locks), (expected, expected_locks) = told(outcome), told(every)
    pd.testing.assert_frame_equal(trades, expected)
    assert locks == expected_locks
    assert len(trades)
    assert 0 < found < all_candles / 2
