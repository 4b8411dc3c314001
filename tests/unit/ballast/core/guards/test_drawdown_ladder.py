"""The further below its peak the account is, the smaller the next trade, down to none."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.core.guards.drawdown_ladder import DrawdownLadder, DrawdownLadderSettings
from tests.unit.ballast.core.made import moment, restarted, seen

STEPS = [(2.0, 0.75), (5.0, 0.5), (8.0, 0.25)]


def ladder() -> DrawdownLadder:
    return DrawdownLadder(STEPS, halt_pct=12.0, halt_days=7.0, hysteresis_pct=0.5)


def run(guard: DrawdownLadder, *equities: float, since: float = 0.0) -> float:
    """Size allowed after equities, an hour apart."""
    for hours, equity in enumerate(equities):
        guard.observe(seen(since + hours, equity=equity))
    return guard.market_verdict(seen(since + len(equities) - 1)).multiplier


def test_an_account_at_its_peak_trades_at_full_size() -> None:
    assert run(ladder(), 100, 110, 120) == 1.0


@pytest.mark.parametrize(
    ("equity", "size"),
    [
        (98.01, 1.0),
        (98.0, 0.75),
        (97.99, 0.75),
        (95.01, 0.75),
        (95.0, 0.5),
        (94.99, 0.5),
        (92.01, 0.5),
        (91.99, 0.25),
        (88.01, 0.25),
        (88.0, 0.0),
        (87.99, 0.0),
    ],
)
def test_size_steps_down_exactly_at_each_drawdown(equity: float, size: float) -> None:
    assert run(ladder(), 100, equity) == size


@pytest.mark.parametrize("percent", range(1, 9))
def test_every_step_of_the_defaults_is_reached_exactly_at_its_drawdown(percent: int) -> None:
    guard = DrawdownLadderSettings().build(60)
    assert isinstance(guard, DrawdownLadder)
    run(guard, 100.0, 100.0 - percent)
    assert guard.market_verdict(seen(1)).limit == percent


def test_the_verdict_tells_the_drawdown_and_the_step() -> None:
    guard = ladder()
    run(guard, 100, 94)
    verdict = guard.market_verdict(seen(1))
    assert (verdict.code, verdict.limit, verdict.until) == ("DRAWDOWN", 5.0, None)
    assert verdict.value == pytest.approx(6.0)


@pytest.mark.parametrize(("equity", "size"), [(95.3, 0.5), (95.49, 0.5), (95.51, 0.75)])
def test_a_step_is_left_only_once_the_drawdown_is_smaller_by_the_hysteresis(
    equity: float, size: float
) -> None:
    assert run(ladder(), 100, 94, equity) == size


def test_steps_are_climbed_and_left_several_at_a_time() -> None:
    guard = ladder()
    assert run(guard, 100, 91) == 0.25
    assert run(guard, 99.9, since=2) == 1.0


def test_the_floor_halts_for_its_days_from_the_moment_it_was_reached() -> None:
    guard = ladder()
    run(guard, 100, 88, 80, 90)
    verdict = guard.market_verdict(seen(4))
    assert verdict.blocks
    assert (verdict.limit, verdict.until) == (12.0, moment(1 + 7 * 24))


@pytest.mark.parametrize(("hours", "size"), [(168, 0.0), (169, 0.25), (170, 0.25)])
def test_a_halt_ends_exactly_at_its_end_on_the_last_step(hours: float, size: float) -> None:
    guard = ladder()
    run(guard, 100, 80)
    assert run(guard, 80, since=hours) == size


@pytest.mark.parametrize("equity", [83.0, 76.0, 60.0])
def test_after_a_halt_the_last_step_holds_while_the_account_bleeds_on(equity: float) -> None:
    guard = ladder()
    run(guard, 100, 80)
    run(guard, 80, since=169)
    assert run(guard, equity, since=170) == 0.25


def test_the_account_halts_again_once_it_has_risen_above_the_floor_and_fallen_through() -> None:
    guard = ladder()
    run(guard, 100, 80)
    run(guard, 80, since=169)
    assert run(guard, 89, since=170) == 0.25
    assert run(guard, 87, since=171) == 0.0


def test_a_person_can_end_a_halt_and_the_account_resumes_on_the_last_step() -> None:
    guard = ladder()
    run(guard, 100, 80)
    guard.rearm()
    assert guard.market_verdict(seen(2)).multiplier == 0.25
    assert run(guard, 80, since=2) == 0.25


def test_a_person_can_end_a_smaller_size_too_and_the_drawdown_is_counted_anew() -> None:
    guard = ladder()
    assert run(guard, 100, 94) == 0.5
    guard.rearm()
    assert guard.market_verdict(seen(2)).multiplier == 1.0
    assert run(guard, 94, since=2) == 1.0
    assert run(guard, 94 * 0.94, since=3) == 0.5


def test_a_restart_keeps_the_peak() -> None:
    guard = ladder()
    run(guard, 100, 99)
    assert run(restarted(guard, ladder()), 94, since=2) == 0.5


def test_midnight_and_a_clock_set_back_change_nothing() -> None:
    guard = ladder()
    run(guard, 100, 80, since=22)
    for hours in (24, 48, 1):
        assert run(guard, 80, since=hours) == 0.0


@pytest.mark.parametrize("missing", [math.nan, 0.0, -5.0])
def test_unknown_equity_moves_neither_the_peak_nor_the_step(missing: float) -> None:
    guard = ladder()
    assert run(guard, 100, 94, missing, 94) == 0.5
    assert guard.memory.peak == 100


def test_an_infinite_equity_is_no_peak() -> None:
    guard = ladder()
    run(guard, 100, math.inf)
    assert math.isfinite(guard.memory.peak)


@pytest.mark.parametrize("equity", [math.nan, 0.0, -5.0])
def test_an_account_that_is_worth_nothing_or_unknown_is_blocked(equity: float) -> None:
    assert run(ladder(), 100, equity) == 0.0


def test_nothing_seen_is_no_drawdown() -> None:
    assert ladder().market_verdict(seen()).multiplier == 1.0


def test_a_ladder_without_steps_only_halts() -> None:
    guard = DrawdownLadder([], 12.0, 7.0, 0.5)
    assert run(guard, 100, 90) == 1.0
    assert run(guard, 88, since=2) == 0.0
    assert run(guard, 88, since=200) == 1.0


@settings(max_examples=500)
@given(st.lists(st.floats(50, 150), min_size=1, max_size=20), st.floats(0, 40))
def test_a_lower_last_equity_never_gives_a_larger_size(path: list[float], less: float) -> None:
    *before, last = path
    assert run(ladder(), *before, last - less) <= run(ladder(), *before, last)


@settings(max_examples=200)
@given(st.lists(st.floats(50, 150), min_size=1, max_size=20), st.integers(-20, 20))
def test_the_unit_of_money_does_not_matter(path: list[float], power: int) -> None:
    assert run(ladder(), *path) == run(ladder(), *(equity * 2.0**power for equity in path))
