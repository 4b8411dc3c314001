"""A sharp fall of the leader, or of most pairs, stops entries for a while."""

import math

import pytest

from ballast.core.guards.market_shock_halt import MarketShockHalt
from ballast.core.snapshot import Snapshot
from ballast.core.trust import DataQuality
from ballast.core.verdict import Verdict
from tests.unit.ballast.core.made import moment, restarted, seen


def halt(policy: str = "halt") -> MarketShockHalt:
    return MarketShockHalt(6.0, 5.0, 80.0, 12.0, policy)  # type: ignore[arg-type]


def fallen(count: int, fall: float = 0.05) -> dict[str, dict[str, float]]:
    """Ten pairs, so many of which have fallen."""
    return {f"P{i}/USDT": {"fall": fall if i < count else 0.0} for i in range(10)}


def after(snapshot: Snapshot) -> Verdict:
    guard = halt()
    guard.observe(snapshot)
    return guard.market_verdict(snapshot)


def test_a_calm_market_is_allowed() -> None:
    assert not after(seen()).blocks


@pytest.mark.parametrize(("fall", "blocks"), [(0.0599, False), (0.06, True), (0.0601, True)])
def test_a_fall_of_the_leader_blocks_from_its_limit_on(fall: float, blocks: bool) -> None:
    verdict = after(seen(fall=fall))
    assert verdict.blocks is blocks
    if blocks:
        assert verdict == Verdict("MARKET_SHOCK", 100 * fall, 6.0, 0.0, moment(12))


@pytest.mark.parametrize(("count", "blocks"), [(7, False), (8, True), (10, True)])
def test_a_fall_of_most_pairs_blocks_from_its_share_on(count: int, blocks: bool) -> None:
    verdict = after(seen(pairs=fallen(count)))
    assert verdict.blocks is blocks
    if blocks:
        assert (verdict.value, verdict.limit) == (10 * count, 80.0)


@pytest.mark.parametrize(("fall", "blocks"), [(0.0499, False), (0.05, True), (0.0501, True)])
def test_a_pair_has_fallen_from_its_limit_on(fall: float, blocks: bool) -> None:
    assert after(seen(pairs=fallen(10, fall))).blocks is blocks


def test_the_pause_is_counted_from_the_last_candle_of_the_fall() -> None:
    guard = halt()
    for hours, fall in ((0, 0.07), (1, 0.08), (2, 0.01)):
        guard.observe(seen(hours, fall=fall))
    assert guard.market_verdict(seen(2)).until == moment(13)


@pytest.mark.parametrize(("hours", "blocks"), [(11.999, True), (12.0, False), (12.001, False)])
def test_the_pause_ends_exactly_at_its_end(hours: float, blocks: bool) -> None:
    guard = halt()
    guard.observe(seen(0, fall=0.07))
    assert guard.market_verdict(seen(hours)).blocks is blocks


def test_the_pause_goes_on_across_midnight_and_with_a_clock_set_back() -> None:
    guard = halt()
    guard.observe(seen(20, fall=0.07))
    for hours in (23, 24, 25, 3):
        guard.observe(seen(hours))
        assert guard.market_verdict(seen(hours)).blocks


def test_an_unknown_fall_neither_begins_nor_ends_a_pause() -> None:
    guard = halt()
    guard.observe(Snapshot(moment(1), 1000.0, leader_trust=DataQuality.OK, leader_fall=math.nan))
    guard.observe(seen(2))
    assert not guard.market_verdict(seen(2)).blocks
    guard.observe(seen(3, fall=0.07))
    guard.observe(Snapshot(moment(4), 1000.0, leader_trust=DataQuality.OK, leader_fall=math.nan))
    guard.observe(seen(5))
    assert guard.market_verdict(seen(5)).until == moment(15)


def test_a_fall_that_is_not_known_blocks_its_candle() -> None:
    assert after(Snapshot(moment(), 1000.0, leader_trust=DataQuality.OK)).blocks


def test_only_the_policy_flatten_closes_what_is_open_and_only_during_the_pause() -> None:
    for policy, closes in (("halt", False), ("flatten", True)):
        guard = halt(policy)
        assert not guard.flattens
        guard.observe(seen(0, fall=0.07))
        assert guard.flattens is closes
        guard.observe(seen(11.9))
        assert guard.flattens is closes
        guard.observe(seen(12))
        assert not guard.flattens


def test_a_restart_keeps_the_pause_and_goes_on_flattening() -> None:
    guard = halt("flatten")
    guard.observe(seen(0, fall=0.07))
    again = restarted(guard, halt("flatten"))
    assert again.market_verdict(seen(1)) == guard.market_verdict(seen(1))
    again.observe(seen(1))
    assert again.flattens


def test_a_person_can_end_the_pause() -> None:
    guard = halt("flatten")
    guard.observe(seen(0, fall=0.07))
    guard.rearm()
    assert not guard.market_verdict(seen(0)).blocks
    assert not guard.flattens
