"""What the trades just closed say: a cascade stops all, a streak makes pauses longer."""

import math
from collections.abc import Callable

import pytest

from ballast.core.guards.base import Guard
from ballast.core.guards.loss_streak_backoff import LossStreakBackoff
from ballast.core.guards.stop_cascade_halt import StopCascadeHalt
from ballast.core.verdict import Verdict
from tests.unit.ballast.core.made import moment, restarted, seen, trade

A, B = "A/USDT", "B/USDT"


def cascade() -> StopCascadeHalt:
    return StopCascadeHalt(losses=3, loss_r=0.5, window_hours=6.0, pause_hours=12.0)


def streak(pair: int = 3, everything: int = 5) -> LossStreakBackoff:
    return LossStreakBackoff(pair, everything, loss_r=0.25, pause_hours=12.0, longest_hours=96.0)


def run(guard: Guard, *trades: tuple[float, float] | tuple[float, float, str]) -> Guard:
    """Show trades (hours, R, pair), each with the candle it closed on."""
    for hours, *result in trades:
        guard.observe(seen(hours, closed=[trade(hours, *result)]))
    return guard


def market(guard: Guard, hours: float) -> Verdict:
    return guard.market_verdict(seen(hours))


def test_fewer_losses_than_the_limit_are_allowed() -> None:
    assert not market(run(cascade(), (1, -1.0), (2, -1.0)), 2).blocks


def test_losses_at_the_limit_block_all_pairs_from_the_last_of_them() -> None:
    guard = run(cascade(), (1, -1.0, A), (2, -0.8, B), (3, -1.2, A))
    assert market(guard, 3) == Verdict("STOP_CASCADE", 3, 3, 0.0, moment(15))
    assert guard.verdict(seen(3), "X/USDT").blocks


def test_losses_within_one_candle_count_each() -> None:
    guard = cascade()
    guard.observe(seen(1, closed=[trade(1, -1.0, p) for p in (A, B, "C/USDT", "D/USDT")]))
    assert market(guard, 1).value == 4


@pytest.mark.parametrize(("r", "blocks"), [(-0.49, False), (-0.5, True), (-0.51, True)])
def test_a_loss_counts_from_its_size_on(r: float, blocks: bool) -> None:
    assert market(run(cascade(), (1, -1.0), (2, -1.0), (3, r)), 3).blocks is blocks


@pytest.mark.parametrize(("hours", "blocks"), [(6.999, True), (7.0, False), (7.001, False)])
def test_losses_further_apart_than_the_window_are_no_cascade(hours: float, blocks: bool) -> None:
    assert market(run(cascade(), (1, -1.0), (2, -1.0), (hours, -1.0)), hours).blocks is blocks


@pytest.mark.parametrize(("hours", "blocks"), [(14.999, True), (15.0, False), (15.001, False)])
def test_the_pause_after_a_cascade_ends_exactly_at_its_end(hours: float, blocks: bool) -> None:
    assert market(run(cascade(), (1, -1.0), (2, -1.0), (3, -1.0)), hours).blocks is blocks


def test_wins_between_losses_do_not_stop_a_cascade() -> None:
    assert market(run(cascade(), (1, -1.0), (2, 3.0), (3, -1.0), (4, -1.0)), 4).blocks


def test_a_cascade_that_goes_on_blocks_longer() -> None:
    guard = run(cascade(), (1, -1.0), (2, -1.0), (3, -1.0), (5, -1.0))
    assert market(guard, 5) == Verdict("STOP_CASCADE", 4, 3, 0.0, moment(17))


def test_a_cascade_does_not_notice_midnight_or_a_clock_set_back() -> None:
    guard = run(cascade(), (22, -1.0), (23, -1.0), (25, -1.0))
    assert market(guard, 25).until == moment(37)
    assert market(guard, 3).blocks
    assert market(run(cascade(), (22, -1.0), (23, -1.0), (20, -1.0)), 20).blocks


def test_a_cascade_survives_a_restart_between_its_losses() -> None:
    again = restarted(run(cascade(), (1, -1.0), (2, -1.0)), cascade())
    assert market(run(again, (3, -1.0)), 3).blocks


def test_a_person_can_end_the_pause_after_a_cascade() -> None:
    guard = run(cascade(), (1, -1.0), (2, -1.0), (3, -1.0))
    guard.rearm()
    assert not market(run(guard, (4, -1.0)), 4).blocks


@pytest.mark.parametrize("make", [cascade, streak])
def test_no_trades_closed_are_no_loss(make: Callable[[], Guard]) -> None:
    guard = make()
    guard.observe(seen(1))
    assert not guard.verdict(seen(1), A).blocks


@pytest.mark.parametrize("make", [cascade, streak])
def test_a_result_that_is_not_known_neither_counts_nor_resets(make: Callable[[], Guard]) -> None:
    guard = make()
    run(guard, (1, -1.0), (2, -1.0), (2.5, math.nan))
    assert not guard.verdict(seen(2.5), A).blocks
    run(guard, (3, -1.0))
    assert guard.verdict(seen(3), A).blocks


def test_a_streak_of_a_pair_blocks_it_alone_from_its_limit_on() -> None:
    guard = run(streak(), (1, -1.0), (2, -1.0))
    assert not guard.verdict(seen(2), A).blocks
    run(guard, (3, -1.0))
    assert guard.verdict(seen(3), A) == Verdict("LOSS_STREAK", 3, 3, 0.0, moment(15))
    assert not guard.verdict(seen(3), B).blocks


def test_a_streak_of_all_trades_blocks_all_pairs() -> None:
    guard = run(streak(), *((hours, -1.0, f"P{hours}/USDT") for hours in range(1, 6)))
    verdict = guard.verdict(seen(5), "X/USDT")
    assert (verdict.value, verdict.limit, verdict.until) == (5, 5, moment(17))


@pytest.mark.parametrize(
    ("losses", "pause"), [(3, 12), (4, 24), (5, 48), (6, 96), (7, 96), (60, 96)]
)
def test_each_further_loss_doubles_the_pause_up_to_the_longest(losses: int, pause: float) -> None:
    guard = run(streak(everything=100), *((float(h), -1.0) for h in range(losses)))
    assert guard.verdict(seen(losses - 1), A).until == moment(losses - 1 + pause)


@pytest.mark.parametrize(("r", "losses"), [(-0.24, 2), (-0.25, 3), (-0.26, 3), (0.0, 2)])
def test_a_small_loss_neither_continues_nor_ends_a_streak(r: float, losses: int) -> None:
    guard = run(streak(), (1, -1.0), (2, -1.0), (3, r))
    assert guard.memory.pairs[A].losses == guard.memory.all.losses == losses


def test_any_win_ends_a_streak_and_its_pause() -> None:
    guard = run(streak(), (1, -1.0), (2, -1.0), (3, -1.0), (4, 0.001))
    assert not guard.verdict(seen(4), A).blocks
    run(guard, (5, -1.0), (6, -1.0))
    assert not guard.verdict(seen(6), A).blocks


def test_a_win_of_another_pair_ends_only_the_streak_of_all() -> None:
    guard = run(streak(), (1, -1.0, A), (2, -1.0, A), (3, 1.0, B), (4, -1.0, A))
    assert guard.verdict(seen(4), A).blocks
    assert guard.memory.all.losses == 1


@pytest.mark.parametrize(("hours", "blocks"), [(14.999, True), (15.0, False), (15.001, False)])
def test_a_pause_ends_exactly_at_its_end(hours: float, blocks: bool) -> None:
    guard = run(streak(), (1, -1.0), (2, -1.0), (3, -1.0))
    assert guard.verdict(seen(hours), A).blocks is blocks
    assert (A in guard.pair_verdicts(seen(hours))) is blocks


def test_a_streak_survives_a_restart_midnight_and_a_clock_set_back() -> None:
    again = restarted(run(streak(), (22, -1.0), (23, -1.0)), streak())
    run(again, (24, -1.0))
    assert again.verdict(seen(24), A).until == moment(36)
    assert again.verdict(seen(2), A).blocks


def test_a_person_can_end_the_pauses_of_streaks() -> None:
    guard = run(streak(), (1, -1.0), (2, -1.0), (3, -1.0))
    guard.rearm()
    assert not guard.verdict(seen(3), A).blocks


def test_a_further_loss_never_shortens_a_pause_even_if_the_clock_was_set_back() -> None:
    guard = run(streak(pair=1), (100, -1.0))
    run(guard, (50, -1.0))
    assert guard.verdict(seen(100), A).blocks
