"""EdgeDecay: sound trades are rarely taken for decayed ones, and what it took stays taken."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.config import settings
from ballast.core.guards.edge_decay import HALVED, EdgeDecay, threshold
from ballast.core.snapshot import Snapshot
from tests.unit.ballast.core.made import moment, restarted, trade

MEAN, SD, TRADES = 0.3, 2.0, 500
RUNS = (200.0, 600.0, 2000.0)
# The mean that is compared with: one standard error lower than it was found.
REFERENCE = MEAN - SD / TRADES**0.5


def guard() -> EdgeDecay:
    return EdgeDecay(MEAN, SD, TRADES, *RUNS)


def shown(one: EdgeDecay, *results: float) -> EdgeDecay:
    one.observe(Snapshot(moment(0), 1000.0, tuple(trade(0, r) for r in results)))
    return one


def multiplier(one: EdgeDecay) -> float:
    return one.market_verdict(Snapshot(moment(0), 1000.0)).multiplier


def run_lengths(draw: np.ndarray, height: float) -> np.ndarray:
    """Trades until the sum reaches the height, for each row of results in R."""
    allowance = REFERENCE / SD / 2
    score = np.zeros(len(draw))
    length = np.full(len(draw), draw.shape[1])
    for number, results in enumerate(draw.T, start=1):
        score = np.maximum(0, score + (REFERENCE - results) / SD - allowance)
        length = np.where((score >= height) & (length == draw.shape[1]), number, length)
    return length


@pytest.mark.parametrize("claimed", RUNS)
def test_sound_trades_are_alarming_as_rarely_as_is_said(claimed: float) -> None:
    """Normal results, for which the threshold is reckoned."""
    draw = np.random.default_rng(1).normal(REFERENCE, SD, (600, int(8 * claimed)))
    found = run_lengths(draw, threshold(REFERENCE / SD / 2, claimed)).mean()
    assert found == pytest.approx(claimed, rel=0.15)


def test_many_small_losses_and_few_large_gains_alarm_no_more_often() -> None:
    """The shape that trend following has: what is lost at once is bounded."""
    generator = np.random.default_rng(2)
    won = generator.random((400, 4000)) < 0.3
    draw = np.where(won, generator.exponential(3.3, won.shape), -0.7)
    draw = (draw - draw.mean()) / draw.std() * SD + REFERENCE
    assert run_lengths(draw, threshold(REFERENCE / SD / 2, 600)).mean() > 0.9 * 600


def test_an_edge_that_is_gone_is_halved_within_a_year() -> None:
    """200 trades a year; what the operations guide says of it."""
    draw = np.random.default_rng(3).normal(0, SD, (600, 3000))
    found = run_lengths(draw, threshold(REFERENCE / SD / 2, 600)).mean()
    assert found == pytest.approx(170, rel=0.15)


def test_it_warns_then_halves_then_blocks_at_its_thresholds() -> None:
    one = guard()
    seen = []
    while one.memory.step < 3:
        shown(one, -1.0)
        reached = [h for h in one.thresholds if one.memory.score >= h]
        assert one.memory.step == len(reached)
        seen.append(multiplier(one))
    assert seen == sorted(seen, reverse=True)
    assert set(seen) == {1.0, HALVED, 0.0}
    assert one.market_verdict(Snapshot(moment(0), 1000.0)).blocks


@given(st.lists(st.floats(-3, 10), max_size=80), st.lists(st.floats(0, 10), max_size=40))
def test_luck_afterwards_gives_nothing_back(before: list[float], after: list[float]) -> None:
    one = shown(guard(), *before)
    taken = multiplier(one)
    assert multiplier(shown(one, *after)) <= taken


@given(st.lists(st.floats(-3, 10), max_size=60), st.integers(0, 60), st.floats(0, 3))
def test_worse_results_never_allow_more(results: list[float], at: int, worse: float) -> None:
    poorer = [r - worse if number == at else r for number, r in enumerate(results)]
    assert multiplier(shown(guard(), *poorer)) <= multiplier(shown(guard(), *results))


def test_restart_changes_nothing_and_a_person_re_arms() -> None:
    one = shown(guard(), *[-1.0] * 40)
    assert one.memory.step > 0
    resumed = guard()
    restarted(one, resumed)
    assert resumed.memory == one.memory
    one.rearm()
    assert (one.memory.step, one.alarm_ratio) == (0, 0)


def test_result_that_is_no_number_is_left_out() -> None:
    assert shown(guard(), float("nan")).memory == guard().memory


def test_baseline_no_better_than_luck_is_refused_and_none_switches_it_off() -> None:
    assert not settings.load({}).guards.is_on("EdgeDecay")
    figures = {"mean_r": 0.3, "sd_r": 2.0, "trades": 500}
    assert settings.load({"guards": {"EdgeDecay": figures}}).guards.is_on("EdgeDecay")
    with pytest.raises(settings.SettingsError, match="above its standard error"):
        settings.load({"guards": {"EdgeDecay": {**figures, "trades": 44}}})
