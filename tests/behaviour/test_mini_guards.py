"""Each guard blocks an entry that happens without it, through Freqtrade's own backtester.

The same story is told twice, with the guard and with its name in `ballast.guards.off`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from freqtrade.persistence.models import PairLock

from ballast.config.guards import GuardSettings
from tests.behaviour.guard_stories import CASES, LATER, STOPPED_OUT, THIRD, Case
from tests.behaviour.mini import LEADER, PAIR, Story, at, play, quiet, signal
from tests.engine import BacktestOutcome

# What a lock says: 'DAILY_LOSS began at 3.1 % (limit 3 %), until 2024-01-02 00:00 UTC'.
UNIT = r"(?:x| %| % of pairs| trades?)"
REASON = re.compile(
    rf"^([A-Z_]+) began at ([\d.]+{UNIT}|[A-Z_]+)(?: \(limit ([\d.]+){UNIT}\))?"
    r", until (?:(\d{4}-\d\d-\d\d \d\d:\d\d) UTC|its cause is over)$"
)


def tell(case: Case, name: str, off: bool) -> BacktestOutcome:
    guards = {name: dict(case.settings), "off": [*case.also_off, *([name] if off else [])]}
    return play(case.stories, ballast={"guards": guards})


def bought(outcome: BacktestOutcome, pair: str, row: int) -> bool:
    trades = outcome.trades
    return bool(((trades["pair"] == pair) & (trades["open_date"] == at(row))).any())


def locks(outcome: BacktestOutcome, code: str) -> list[PairLock]:
    return [lock for lock in outcome.locks if (lock.reason or "").startswith(f"{code} ")]


def begun(lock: PairLock) -> datetime:
    return lock.lock_time.replace(tzinfo=UTC)


def test_every_guard_has_a_story() -> None:
    assert set(CASES) == set(GuardSettings().build(60.0))


@pytest.mark.parametrize("name", CASES)
def test_the_entry_happens_without_the_guard(name: str) -> None:
    case = CASES[name]
    outcome = tell(case, name, off=True)
    assert bought(outcome, *case.entry)
    assert not locks(outcome, case.code)


@pytest.mark.parametrize("name", CASES)
def test_the_guard_refuses_it_and_locks_with_code_value_limit_and_end(name: str) -> None:
    case = CASES[name]
    outcome = tell(case, name, off=False)
    assert not bought(outcome, *case.entry)
    entered = at(case.entry[1])
    found = locks(outcome, case.code)
    assert found
    assert {lock.pair for lock in found} >= {case.locked}
    held = [lock for lock in found if begun(lock) <= entered < lock.lock_end_time_utc]
    assert held, "no lock covers the entry that was refused"
    match = REASON.match(held[0].reason or "")
    assert match, held[0].reason
    code, value, limit, until = match.groups()
    assert code == case.code
    assert limit is None or float(value.split()[0].rstrip("x")) >= float(limit)
    if case.until is not None:
        assert until == f"{at(case.until):%Y-%m-%d %H:%M}"
        # Freqtrade rounds ends of locks up to the next candle border.
        border = at(case.until)
        assert border <= held[0].lock_end_time_utc <= border + timedelta(hours=1)


@pytest.mark.parametrize("name", [name for name in CASES if CASES[name].until])
def test_entries_are_free_again_when_the_lock_has_ended(name: str) -> None:
    """The same pair signals again after the end, and is bought."""
    case = CASES[name]
    assert case.until is not None
    pair, row = case.entry
    story = case.stories[pair][: row - 1]
    story = [*story, *quiet(case.until - len(story) + 3), signal(), *quiet(4, 101)]
    ended = Case({**case.stories, pair: story}, (pair, len(story) - 4), *_rest(case))
    outcome = tell(ended, name, off=False)
    assert bought(outcome, *ended.entry)


def test_a_backtest_tells_at_its_end_when_the_last_limit_ended_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """In Freqtrade's tables a run goes on to its end in which nothing could be bought any more."""
    case = CASES["DrawdownLimit"]
    tell(case, "DrawdownLimit", off=False)
    latched = f"{at(5):%Y-%m-%d %H:%M}"
    (told,) = [text for text in caplog.messages if "nobody re-arms" in text]
    assert told.startswith(f"Mini: DrawdownLimit ended all entries on {latched}")
    caplog.clear()
    tell(case, "DrawdownLimit", off=True)
    assert not [text for text in caplog.messages if "nobody re-arms" in text]


def _rest(case: Case) -> tuple[Any, ...]:
    return case.code, case.locked, case.until, case.settings, case.also_off


def test_a_step_of_the_ladder_makes_the_next_stake_smaller() -> None:
    stories: dict[str, Story] = {PAIR: STOPPED_OUT, THIRD: LATER}
    ladder = {"steps": [[0.2, 0.5]]}
    full = play(stories, ballast={"guards": {"off": ["DrawdownLadder"]}})
    half = play(stories, ballast={"guards": {"DrawdownLadder": ladder}})
    stakes = [o.trades.set_index("pair").loc[THIRD, "stake_amount"] for o in (full, half)]
    assert stakes[1] == pytest.approx(0.5 * stakes[0], rel=1e-3)


def test_flatten_closes_what_is_open_at_the_next_open() -> None:
    leader: Story = [*quiet(6), (99.9, 100, 92.5, 93), *quiet(6, 93)]
    pair: Story = [*quiet(2), signal(), *quiet(10, 101)]
    stories = {LEADER: leader, PAIR: pair}
    halted = play(stories)
    flattened = play(stories, ballast={"guards": {"MarketShockHalt": {"policy": "flatten"}}})
    assert list(halted.trades["exit_reason"]) == ["force_exit"]
    (trade,) = flattened.trades.itertuples()
    assert trade.exit_reason == "flatten: MarketShockHalt"
    assert trade.close_date == at(7)


def test_no_guard_holds_up_a_stop() -> None:
    """Everything is locked on the candle on which the stop is reached; it fills all the same."""
    leader: Story = [*quiet(4), (99.9, 100, 92.5, 93), *quiet(8, 93)]
    pair: Story = [*quiet(2), signal(), *quiet(4, 101), (101, 101.2, 95, 95.5), *quiet(3, 95.5)]
    outcome = play({LEADER: leader, PAIR: pair})
    assert locks(outcome, "MARKET_SHOCK")
    (trade,) = outcome.trades.itertuples()
    assert trade.exit_reason == "stop_loss"
    assert trade.close_date == at(7)


def test_guards_speak_at_every_candle_not_only_after_an_exit() -> None:
    """Freqtrade asks protections when a trade closes: here none is ever opened."""
    shock: Story = [*quiet(2), (100, 103, 97, 100), *quiet(5)]
    outcome = play({PAIR: shock})
    assert outcome.trades.empty
    (lock,) = locks(outcome, "VOLATILITY")
    assert begun(lock) == at(3)
