"""Enough lost for today, or for this week: latched, and kept through restarts and borders."""

import math
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.core.guards.loss_limits import DailyLossLimit, LossLimit, WeeklyLossLimit
from ballast.core.verdict import Verdict
from tests.unit.ballast.core.made import START, moment, restarted, seen

DAY, WEEK = 24, 168


def daily() -> DailyLossLimit:
    return DailyLossLimit(reducing_pct=1.5, halted_pct=3.0, halt_hours=24.0)


def weekly(halt_hours: float = 72.0) -> WeeklyLossLimit:
    return WeeklyLossLimit(reducing_pct=3.5, halted_pct=5.0, halt_hours=halt_hours)


def run(guard: LossLimit, *path: tuple[float, float]) -> Verdict:
    """Verdict after equities (percent of the first) at hours after the start."""
    for hours, equity in path:
        guard.observe(seen(hours, equity=equity))
    return guard.market_verdict(seen(path[-1][0]))


def test_an_account_that_gains_is_allowed() -> None:
    assert not run(daily(), (0, 100), (1, 101), (23, 150)).blocks


@pytest.mark.parametrize(("equity", "blocks"), [(98.51, False), (98.5, True), (98.49, True)])
def test_a_days_loss_blocks_from_its_limit_on_until_midnight(equity: float, blocks: bool) -> None:
    verdict = run(daily(), (0, 100), (5, equity))
    assert verdict.blocks is blocks
    if blocks:
        assert verdict.code == "DAILY_LOSS"
        assert verdict.value == pytest.approx(100 - equity)
        assert verdict.limit == 1.5
        assert verdict.until == moment(DAY)


@pytest.mark.parametrize(("equity", "until"), [(97.01, DAY), (97.0, 29), (96.99, 29)])
def test_a_larger_loss_blocks_beyond_midnight(equity: float, until: float) -> None:
    verdict = run(daily(), (0, 100), (5, equity))
    assert verdict.until == moment(until)
    assert verdict.limit == (3.0 if until != DAY else 1.5)


@pytest.mark.parametrize(
    ("equity", "until"), [(96.51, None), (96.5, WEEK), (96.49, WEEK), (95.01, WEEK)]
)
def test_a_weeks_loss_blocks_until_monday(equity: float, until: float | None) -> None:
    verdict = run(weekly(), (0, 100), (50, equity))
    assert verdict.code == ("WEEKLY_LOSS" if until else "OK")
    assert verdict.until == (moment(until) if until else None)


@pytest.mark.parametrize("equity", [95.0, 90.0])
def test_a_larger_weeks_loss_blocks_beyond_monday(equity: float) -> None:
    assert run(weekly(), (0, 100), (150, equity)).until == moment(150 + 72)


def test_a_larger_loss_never_blocks_for_a_shorter_time() -> None:
    smaller = run(weekly(), (0, 100), (5, 96.0))
    larger = run(weekly(), (0, 100), (5, 94.0))
    assert smaller.until is not None
    assert larger.until is not None
    assert larger.until >= smaller.until


def test_a_recovery_does_not_lift_a_block() -> None:
    assert run(daily(), (0, 100), (5, 98), (6, 105)).blocks


def test_a_block_is_not_pushed_on_while_the_loss_lasts() -> None:
    assert run(daily(), (0, 100), (5, 96), (6, 96), (20, 95)).until == moment(29)


def test_a_loss_that_grows_past_the_larger_limit_blocks_longer() -> None:
    assert run(daily(), (0, 100), (5, 98), (6, 96)).until == moment(30)


@pytest.mark.parametrize(("hours", "blocks"), [(23.99, True), (24.0, False), (24.01, False)])
def test_a_day_ends_exactly_at_midnight(hours: float, blocks: bool) -> None:
    guard = daily()
    run(guard, (0, 100), (5, 98))
    assert guard.market_verdict(seen(hours)).blocks is blocks


def test_a_new_day_is_measured_from_its_own_start() -> None:
    guard = daily()
    assert not run(guard, (0, 100), (23, 99), (24, 98), (30, 97)).blocks
    assert run(guard, (31, 96.5)).blocks


def test_a_new_week_is_measured_from_its_own_start() -> None:
    guard = weekly()
    assert not run(guard, (0, 100), (160, 97), (WEEK, 95), (WEEK + 5, 92)).blocks
    assert run(guard, (WEEK + 6, 91.6)).blocks


def test_a_week_does_not_begin_anew_at_midnight() -> None:
    assert run(weekly(), (0, 100), (24, 98), (48, 97), (72, 96)).blocks


@pytest.mark.parametrize(("limit", "period", "low"), [(daily, DAY, 98), (weekly, WEEK, 96)])
def test_the_same_loss_in_each_of_two_periods_blocks_in_both(
    limit: Callable[[], LossLimit], period: int, low: float
) -> None:
    guard = limit()
    run(guard, (0, 100), (5, low))
    assert run(guard, (period, 100), (period + 5, low)).blocks


def test_a_halt_that_ends_during_a_day_does_not_hide_the_loss_of_that_day() -> None:
    guard = daily()
    run(guard, (0, 100), (5, 97))
    # Blocked until 05:00 of the second day, which loses more than the limit as well.
    assert run(guard, (24, 97), (27, 93), (30, 92)).blocks


@pytest.mark.parametrize("pause", [1, 5, 23])
def test_a_clock_set_back_does_not_begin_an_old_day_again(pause: int) -> None:
    guard = daily()
    run(guard, (24, 100), (30, 98))
    assert run(guard, (24 - pause, 98), (31, 98.2)).blocks
    assert guard.market_verdict(seen(47)).blocks


@pytest.mark.parametrize(
    ("limit", "period", "low"), [(daily, DAY, 98), (daily, DAY, 96), (weekly, WEEK, 96)]
)
def test_a_clock_set_back_over_a_border_gives_one_answer_with_and_without_a_restart(
    limit: Callable[[], LossLimit], period: int, low: float
) -> None:
    """A period that was begun is not begun again: its block lasts until its own end."""
    steady = limit()
    run(steady, (0, 100), (period, 100))
    again = restarted(steady, limit())
    one, other = (run(guard, (period - 2, low)) for guard in (steady, again))
    assert one == other
    assert one.until == moment(2 * period)


def test_a_clock_set_back_within_the_day_keeps_the_loss_of_the_day() -> None:
    assert run(daily(), (0, 100), (10, 99), (2, 98.4)).blocks


@pytest.mark.parametrize("missing", [math.nan, math.inf])
def test_unknown_equity_lifts_no_block(missing: float) -> None:
    guard = daily()
    run(guard, (0, 100), (5, 98))
    assert run(guard, (6, missing)).blocks
    assert run(guard, (7, 99)).blocks


def test_unknown_equity_blocks_its_candle() -> None:
    assert run(daily(), (0, 100), (1, math.nan)).blocks


@pytest.mark.parametrize("missing", [math.nan, 0.0])
def test_a_day_that_begins_with_unknown_equity_is_measured_from_the_first_known(
    missing: float,
) -> None:
    assert run(daily(), (0, missing), (1, 100), (5, 90)).blocks


def test_no_candles_seen_is_no_loss() -> None:
    assert not daily().market_verdict(seen(5)).blocks


def test_a_person_can_end_a_block_and_the_loss_is_measured_from_there() -> None:
    guard = daily()
    run(guard, (0, 100), (5, 96))
    guard.rearm()
    assert not run(guard, (6, 96)).blocks
    assert run(guard, (7, 94)).blocks


@settings(max_examples=200)
@given(st.floats(0, 20), st.integers(1, 23), st.floats(0, 20))
def test_a_larger_loss_on_a_first_day_never_blocks_less(
    loss: float, hours: int, more: float
) -> None:
    one = run(daily(), (0, 100), (hours, 100 - loss))
    other = run(daily(), (0, 100), (hours, 100 - loss - more))
    assert other.multiplier <= one.multiplier
    assert (other.until or START) >= (one.until or START)


def test_a_limit_needs_a_period() -> None:
    with pytest.raises(NotImplementedError):
        LossLimit(1.0, 2.0, 3.0).observe(seen())


def test_a_period_begins_at_midnight_utc_whatever_the_zone_of_the_clock() -> None:
    guard = daily()
    run(guard, (0, 100), (5, 98))
    assert guard.market_verdict(seen(5)).until == START + timedelta(days=1)


@pytest.mark.parametrize(("limit", "floor"), [(daily, 97.0), (weekly, 95.0)])
def test_what_is_open_may_lose_what_is_left_of_the_limit_that_halts(
    limit: Callable[[], LossLimit], floor: float
) -> None:
    """From the account at the beginning of the period, whatever it rose to since."""
    guard = limit()
    run(guard, (0, 100), (1, 104), (2, 98.6))
    assert guard.floor == pytest.approx(floor)
