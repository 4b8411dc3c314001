"""The account loses no more from its peak than the limit: what is open counts at its stops."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.config.guards import GuardSettings
from ballast.core.guard_set import GuardSet
from ballast.core.guards.drawdown_limit import DrawdownLimit
from ballast.core.guards.stop_cascade_halt import StopCascadeHalt
from ballast.core.verdict import Verdict
from tests.unit.ballast.core.made import moment, seen


def limit() -> DrawdownLimit:
    return DrawdownLimit(limit_pct=15, near_pct=2, least_pct=0.25)


def run(guard: DrawdownLimit, *equities: float, since: int = 0) -> Verdict:
    for hours, equity in enumerate(equities, since):
        guard.observe(seen(hours, equity=equity))
    return guard.market_verdict(seen(since + len(equities) - 1, equity=equities[-1]))


@pytest.mark.parametrize(
    ("equity", "multiplier"), [(100, 1.0), (87, 1.0), (86.9, 0.95), (86, 0.5), (85.3, 0.15)]
)
def test_sizes_shrink_by_what_is_left_near_the_limit(equity: float, multiplier: float) -> None:
    assert run(limit(), 100, equity).multiplier == pytest.approx(multiplier)


@pytest.mark.parametrize(("equity", "blocks"), [(85.25, False), (85.24, True), (70, True)])
def test_it_is_latched_where_next_to_nothing_is_left(equity: float, blocks: bool) -> None:
    assert run(limit(), 100, equity).blocks is blocks


def test_a_latch_holds_whatever_the_account_does_until_a_person_says_otherwise() -> None:
    guard = limit()
    run(guard, 100, 85)
    assert run(guard, 100, 200, since=2).blocks
    guard.rearm()
    assert run(guard, 200, since=5).multiplier == 1.0


def test_re_armed_it_begins_from_the_account_as_it_is() -> None:
    guard = limit()
    run(guard, 100, 85)
    guard.rearm()
    assert run(guard, 85, 85 * 0.87, since=3).multiplier == 1.0
    assert run(guard, 85 * 0.85, since=5).blocks


def test_an_account_that_is_not_known_blocks_its_candle_and_moves_no_peak() -> None:
    guard = limit()
    for unknown in (math.nan, math.inf, 0.0, -1.0):
        assert run(guard, 100, unknown).blocks
        assert run(guard, 100, since=3).multiplier == 1.0


@given(st.floats(1, 1e9), st.floats(0.01, 1))
def test_what_is_open_may_lose_what_is_left_and_no_more(peak: float, share: float) -> None:
    """Where every stop is hit the account stands at the limit."""
    guard = limit()
    run(guard, peak, peak * share)
    assert guard.floor == pytest.approx(0.85 * peak)


def test_the_strictest_limit_of_heat_counts_and_none_is_none() -> None:
    loose = DrawdownLimit(limit_pct=30, near_pct=2, least_pct=0.25)
    cascade = StopCascadeHalt(losses=4, loss_r=0.5, window_hours=6, pause_hours=12)
    guards = GuardSet({"loose": loose, "strict": limit(), "cascade": cascade})
    guards.observe(seen(0, equity=100.0))
    assert guards.heat_left(100.0) == pytest.approx(15.0)
    assert GuardSet({"cascade": cascade}).heat_left(100.0) is None


def test_a_deposit_or_withdrawal_is_no_drawdown() -> None:
    guard = limit()
    run(guard, 100, 95)
    guard.flowed(0.5)
    assert run(guard, 47.5, since=3).multiplier == 1.0
    assert guard.memory.drawdown_pct == pytest.approx(5.0)


def test_it_is_on_by_default() -> None:
    guard = GuardSettings().build(60)["DrawdownLimit"]
    guard.observe(seen(0, equity=100.0))
    guard.observe(seen(1, equity=85.0))
    verdict = guard.market_verdict(seen(1, equity=85.0))
    assert (verdict.code, verdict.value, verdict.limit) == ("DRAWDOWN_LIMIT", 15.0, 14.75)
    assert verdict.until is not None
    assert verdict.until > moment(24 * 365)
