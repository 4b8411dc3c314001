"""Formulas of doubt, against the values that their authors published and against brute force."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.research.report.overfitting import (
    Moments,
    backtest_overfitting,
    deflated_sharpe,
    expected_maximum,
    minimum_track_record,
    moments,
    probabilistic_sharpe,
)

# Bailey and Lopez de Prado (2014): a yearly Sharpe ratio of 2.5 over five years of days, the best
# of trials whose yearly Sharpe ratios have a variance of 1/2; a year has 250 days.
FOUND = Moments(2.5 / math.sqrt(250), skew=-3.0, kurtosis=10.0, n=1250)
VARIANCE = 0.5 / 250


def test_expected_maximum_is_the_published_one() -> None:
    assert expected_maximum(VARIANCE, 100) == pytest.approx(0.1132, abs=5e-5)


@pytest.mark.parametrize(
    ("found", "trials", "published"),
    [
        (FOUND, 100, 0.9004),
        (FOUND, 46, 0.9505),
        (Moments(FOUND.sharpe, skew=0.0, kurtosis=3.0, n=1250), 88, 0.9505),
    ],
)
def test_deflated_sharpe_is_the_published_one(
    found: Moments, trials: int, published: float
) -> None:
    assert deflated_sharpe(found, VARIANCE, trials) == pytest.approx(published, abs=5e-5)


# Bailey and Lopez de Prado (2012): two years of months with a monthly Sharpe ratio of 0.458.
@pytest.mark.parametrize(
    ("skew", "kurtosis", "published"), [(0.0, 3.0, 0.982), (-2.448, 10.164, 0.913)]
)
def test_probabilistic_sharpe_is_the_published_one(
    skew: float, kurtosis: float, published: float
) -> None:
    found = Moments(0.458, skew, kurtosis, n=24)
    assert probabilistic_sharpe(found) == pytest.approx(published, abs=5e-4)


# The same paper: years until a yearly Sharpe ratio of 2 is known to be above 1.
@pytest.mark.parametrize(
    ("periods_a_year", "skew", "kurtosis", "published_years"),
    [(250, 0.0, 3.0, 2.73), (52, 0.0, 3.0, 2.83), (12, 0.0, 3.0, 3.24), (12, -0.72, 5.78, 4.99)],
)
def test_minimum_track_record_is_the_published_one(
    periods_a_year: int, skew: float, kurtosis: float, published_years: float
) -> None:
    root = math.sqrt(periods_a_year)
    needed = minimum_track_record(Moments(2 / root, skew, kurtosis, n=100), benchmark=1 / root)
    assert needed / periods_a_year == pytest.approx(published_years, abs=0.005)


def test_a_track_record_of_just_that_length_has_just_that_probability() -> None:
    needed = minimum_track_record(FOUND)
    same = Moments(FOUND.sharpe, FOUND.skew, FOUND.kurtosis, n=round(needed))
    assert probabilistic_sharpe(same) == pytest.approx(0.95, abs=0.005)


def test_no_length_is_enough_below_the_benchmark() -> None:
    assert minimum_track_record(Moments(0.05, 0.0, 3.0, 100), benchmark=0.1) == math.inf


@given(st.integers(2, 10_000), st.integers(2, 10_000))
def test_more_trials_never_make_a_result_more_credible(one: int, other: int) -> None:
    few, many = sorted((one, other))
    assert deflated_sharpe(FOUND, VARIANCE, many) <= deflated_sharpe(FOUND, VARIANCE, few)


def test_one_trial_deflates_nothing() -> None:
    assert deflated_sharpe(FOUND, VARIANCE, 1) == probabilistic_sharpe(FOUND)


def test_moments_are_those_of_the_definition() -> None:
    x = np.array([0.01, -0.02, 0.03, 0.005, -0.01])
    found = moments(x)
    spread = x.std(ddof=0)
    assert found.sharpe == pytest.approx(x.mean() / x.std(ddof=1))
    assert found.skew == pytest.approx(((x - x.mean()) ** 3).mean() / spread**3)
    assert found.kurtosis == pytest.approx(((x - x.mean()) ** 4).mean() / spread**4)


def test_normal_returns_have_a_kurtosis_of_three() -> None:
    found = moments(np.random.default_rng(1).standard_normal(200_000))
    assert found.kurtosis == pytest.approx(3.0, abs=0.05)
    assert found.skew == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize("returns", [[], [0.01, 0.02], [0.0] * 50])
def test_returns_that_do_not_vary_have_no_sharpe_ratio(returns: list[float]) -> None:
    found = moments(np.array(returns))
    assert math.isnan(found.sharpe)
    assert math.isnan(probabilistic_sharpe(found))
    assert math.isnan(minimum_track_record(found))


def test_among_configurations_without_skill_the_best_is_as_often_above_as_below_the_median() -> (
    None
):
    chance = np.random.default_rng(4)
    found = [backtest_overfitting(chance.standard_normal((240, 30)), 10) for _ in range(60)]
    assert np.mean([each.probability for each in found if each]) == pytest.approx(0.5, abs=0.06)


def test_a_configuration_that_is_truly_better_is_not_overfitted() -> None:
    returns = np.random.default_rng(5).standard_normal((1_000, 30))
    returns[:, 7] += 0.3
    found = backtest_overfitting(returns)
    assert found is not None
    assert found.probability < 0.01
    assert found.loss < 0.01
    assert (found.splits, found.configurations) == (math.comb(16, 8), 30)


def test_one_that_shines_in_a_single_stretch_only_is_overfitted() -> None:
    returns = np.random.default_rng(6).standard_normal((800, 16))
    # Each configuration has its own lucky sixteenth, and pays for it everywhere else.
    for block in range(16):
        returns[:, block] -= 0.1
        returns[block * 50 : block * 50 + 50, block] += 2.0
    found = backtest_overfitting(returns)
    assert found is not None
    assert found.probability > 0.9


def test_splits_are_those_of_a_plain_loop() -> None:
    returns = np.random.default_rng(7).standard_normal((26, 5))
    blocks = np.split(returns[:24], 4)
    below, losses = [], []
    for chosen in itertools.combinations(range(4), 2):
        seen = np.concatenate([blocks[i] for i in chosen])
        unseen = np.concatenate([blocks[i] for i in range(4) if i not in chosen])
        best = int(np.argmax(seen.mean(axis=0) / seen.std(axis=0, ddof=1)))
        sharpes = unseen.mean(axis=0) / unseen.std(axis=0, ddof=1)
        omega = ((sharpes < sharpes[best]).sum() + 1) / 6
        below.append(math.log(omega / (1 - omega)) <= 0)
        losses.append(sharpes[best] < 0)
    found = backtest_overfitting(returns, blocks=4)
    assert found is not None
    assert found.splits == 6
    assert found.probability == pytest.approx(np.mean(below))
    assert found.loss == pytest.approx(np.mean(losses))


def test_the_order_of_the_configurations_does_not_matter() -> None:
    returns = np.random.default_rng(8).standard_normal((160, 9))
    assert backtest_overfitting(returns, 8) == backtest_overfitting(returns[:, ::-1], 8)


def test_nothing_can_be_ranked_with_one_configuration_or_too_few_days() -> None:
    assert backtest_overfitting(np.zeros((100, 1))) is None
    assert backtest_overfitting(np.zeros((20, 5))) is None


def test_an_odd_number_of_blocks_is_refused() -> None:
    with pytest.raises(ValueError, match="blocks is 15: expected an even number from 2"):
        backtest_overfitting(np.zeros((100, 2)), 15)
