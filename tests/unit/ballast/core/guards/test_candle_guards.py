"""A pair waits until its volatility has calmed and its candles deserve trust."""

import pytest

from ballast.core.guards.data_outage_halt import DataOutageHalt
from ballast.core.guards.volatility_cooldown import VolatilityCooldown
from ballast.core.snapshot import Snapshot
from ballast.core.trust import DataQuality
from ballast.core.verdict import Verdict
from tests.unit.ballast.core.made import moment, restarted, seen

PAIR = "A/USDT"
COOLDOWN = VolatilityCooldown(60)


def outage() -> DataOutageHalt:
    return DataOutageHalt(api_errors=10, untrusted_share_pct=50.0)


def test_a_calm_pair_is_allowed() -> None:
    assert not COOLDOWN.verdict(seen(), PAIR).blocks


def test_a_pair_that_cools_down_is_blocked_until_its_end_and_others_are_not() -> None:
    picture = seen(2, pairs={PAIR: {"cooldown": 3, "intensity": 1.5}, "B/USDT": {}})
    assert COOLDOWN.verdict(picture, PAIR) == Verdict("VOLATILITY", 1.5, 1.0, 0.0, moment(5))
    assert not COOLDOWN.verdict(picture, "B/USDT").blocks


@pytest.mark.parametrize(("left", "blocks"), [(0, False), (1, True), (2, True)])
def test_a_cooldown_ends_with_its_last_candle(left: int, blocks: bool) -> None:
    picture = seen(pairs={PAIR: {"cooldown": left, "intensity": 0.5}})
    assert COOLDOWN.verdict(picture, PAIR).blocks is blocks


def test_the_end_of_a_cooldown_is_counted_in_the_strategys_candles() -> None:
    picture = seen(pairs={PAIR: {"cooldown": 3}})
    assert VolatilityCooldown(5).verdict(picture, PAIR).until == moment(0.25)


def test_a_cooldown_goes_on_across_midnight_and_with_a_clock_set_back() -> None:
    picture = {PAIR: {"cooldown": 3, "intensity": 0.5}}
    for hours in (23, 24, 3):
        assert COOLDOWN.verdict(seen(hours, pairs=picture), PAIR).until == moment(hours + 3)


def test_trusted_data_is_allowed() -> None:
    assert not outage().verdict(seen(), PAIR).blocks


@pytest.mark.parametrize(("errors", "blocks"), [(0, False), (9, False), (10, True), (11, True)])
def test_failed_requests_block_from_their_limit_on(errors: int, blocks: bool) -> None:
    verdict = outage().market_verdict(seen(api_errors=errors))
    assert verdict.blocks is blocks
    if blocks:
        assert (verdict.value, verdict.limit) == (errors, 10)


def test_each_of_the_three_measures_says_what_it_counts() -> None:
    """All of them are DATA_OUTAGE; a share of 50 read as fifty failed requests."""
    dark = seen(pairs={"A/USDT": {"trust": DataQuality.DISORDER}, "B/USDT": {}})
    absurd = seen(trust=DataQuality.AFTER_ABSURD_BAR)
    said = [str(outage().market_verdict(s)) for s in (seen(api_errors=12), dark, absurd)]
    assert said == [
        "DATA_OUTAGE 12 requests (limit 10 requests)",
        "DATA_OUTAGE 50 % of pairs (limit 50 % of pairs)",
        "DATA_OUTAGE AFTER_ABSURD_BAR",
    ]


@pytest.mark.parametrize("trust", [code for code in DataQuality if code != DataQuality.OK])
def test_a_leader_that_is_not_trusted_blocks_all(trust: DataQuality) -> None:
    verdict = outage().market_verdict(seen(trust=trust))
    assert verdict.blocks
    assert verdict.value == trust


@pytest.mark.parametrize("trust", [code for code in DataQuality if code != DataQuality.OK])
def test_a_pair_that_is_not_trusted_is_blocked_alone(trust: DataQuality) -> None:
    pairs = {PAIR: {"trust": float(trust)}, "B/USDT": {}, "C/USDT": {}}
    picture = seen(pairs=pairs)
    verdict = outage().verdict(picture, PAIR)
    assert verdict.blocks
    assert verdict.value == trust
    assert not outage().verdict(picture, "B/USDT").blocks


@pytest.mark.parametrize(("untrusted", "blocks"), [(0, False), (1, False), (2, True), (4, True)])
def test_all_pairs_are_blocked_once_half_of_them_are_not_trusted(
    untrusted: int, blocks: bool
) -> None:
    trusts = [DataQuality.FILLED_HOLE] * untrusted + [DataQuality.OK] * (4 - untrusted)
    pairs = {f"P{i}/USDT": {"trust": float(t)} for i, t in enumerate(trusts)}
    verdict = outage().market_verdict(seen(pairs=pairs))
    assert verdict.blocks is blocks
    if blocks:
        assert (verdict.value, verdict.limit) == (25 * untrusted, 50)


def test_missing_candles_block_all() -> None:
    verdict = outage().market_verdict(Snapshot(moment(), 1000.0, leader_trust=DataQuality.OK))
    assert verdict.blocks
    assert (verdict.value, verdict.limit) == (100.0, 50.0)
    assert outage().pair_verdicts(Snapshot(moment(), 1000.0)) == {}


def test_no_traded_pairs_are_no_outage() -> None:
    assert not outage().market_verdict(seen(pairs={})).blocks


def test_a_pair_that_is_not_among_those_seen_is_blocked() -> None:
    assert outage().verdict(seen(), "NEW/USDT").blocks


def test_a_cooldown_that_cannot_be_looked_up_blocks() -> None:
    assert COOLDOWN.verdict(Snapshot(moment(), 1000.0, leader_trust=DataQuality.OK), PAIR).blocks


def test_guards_of_the_last_candle_need_no_memory() -> None:
    picture = seen(pairs={PAIR: {"trust": 3.0, "cooldown": 2}})
    for guard, fresh in ((outage(), outage()), (COOLDOWN, VolatilityCooldown(60))):
        guard.observe(picture)
        again = restarted(guard, fresh)
        assert again.verdict(picture, PAIR) == guard.verdict(picture, PAIR)
        guard.rearm()
        assert guard.verdict(picture, PAIR).blocks
