"""In no stretch of weeks does the account lose more than the limit: a crash comes in waves."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.config.guards import GuardSettings
from ballast.core.guards.rolling_drawdown_limit import RollingDrawdownLimit, RollingMemory
from ballast.core.verdict import Verdict
from tests.unit.ballast.core.made import moment, seen

DAY = 24


def limit() -> RollingDrawdownLimit:
    return RollingDrawdownLimit(limit_pct=4, window_days=10, least_pct=0.25)


def run(guard: RollingDrawdownLimit, *equities: float, hour: int = 0, step: int = 1) -> Verdict:
    for equity in equities:
        guard.observe(seen(hour, equity=equity))
        hour += step
    return guard.market_verdict(seen(hour - step, equity=equities[-1]))


@pytest.mark.parametrize(("equity", "blocks"), [(100, False), (96.25, False), (96.24, True)])
def test_nothing_is_entered_where_next_to_nothing_is_left(equity: float, blocks: bool) -> None:
    assert run(limit(), 100, equity).blocks is blocks


def test_waves_that_each_pass_the_limits_of_a_day_and_a_week_are_one_fall() -> None:
    guard = limit()
    waves = [run(guard, equity, hour=2 * DAY * n) for n, equity in enumerate((100, 98.6, 97.2, 96))]
    assert [wave.blocks for wave in waves] == [False, False, False, True]
    assert waves[-1].value == pytest.approx(4.0)


def test_the_block_ends_once_the_high_has_left_the_window_whatever_the_account_does() -> None:
    guard = limit()
    assert run(guard, 100, 96).until == moment(10 * DAY)
    assert run(guard, 96, hour=10 * DAY - 1).blocks
    assert not run(guard, 96, hour=10 * DAY).blocks
    assert guard.floor == pytest.approx(0.96 * 96)


def test_a_high_counts_to_the_end_of_its_own_day() -> None:
    """The day's last high is in the window as long as the day is."""
    guard = limit()
    run(guard, 99, 100, hour=DAY - 2)
    assert run(guard, 96, hour=DAY).until == moment(10 * DAY)
    assert run(guard, 96, hour=10 * DAY - 1).blocks
    assert not run(guard, 96, hour=10 * DAY).blocks


def test_a_clock_that_is_set_back_forgets_no_high() -> None:
    guard = limit()
    run(guard, 100, hour=5 * DAY)
    assert run(guard, 96, hour=4 * DAY).blocks


def test_an_account_that_is_not_known_blocks_its_candle_and_is_no_high() -> None:
    guard = limit()
    for unknown in (math.nan, math.inf, 0.0, -1.0):
        assert run(guard, 100, unknown).blocks
        assert not run(guard, 100, hour=3).blocks


@given(st.floats(1, 1e9), st.floats(0.01, 1))
def test_what_is_open_may_lose_what_is_left_and_no_more(high: float, share: float) -> None:
    guard = limit()
    run(guard, high, high * share)
    assert guard.floor == pytest.approx(0.96 * high)


def test_a_deposit_or_withdrawal_is_no_drawdown() -> None:
    guard = limit()
    run(guard, 100, 97)
    guard.flowed(0.5)
    assert not run(guard, 48.5, hour=3).blocks
    assert guard.memory.drawdown_pct == pytest.approx(3.0)


def test_memory_survives_a_restart() -> None:
    guard = limit()
    run(guard, 100, 96)
    restarted = limit()
    restarted.memory = RollingMemory.model_validate_json(guard.memory.model_dump_json())
    assert run(restarted, 96, hour=5).blocks


def test_it_is_on_by_default() -> None:
    guard = GuardSettings().build(60)["RollingDrawdownLimit"]
    guard.observe(seen(0, equity=100.0))
    guard.observe(seen(27 * DAY, equity=96.0))
    verdict = guard.market_verdict(seen(27 * DAY, equity=96.0))
    assert (verdict.code, verdict.value, verdict.limit) == ("ROLLING_DRAWDOWN", 4.0, 3.25)
