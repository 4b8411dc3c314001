"""Choosing on the past is worth something only where the past says something."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from ballast.research.report.walk_forward import walk_forward


def trials(table: np.ndarray) -> list[pd.Series]:
    dates = pd.date_range("2021-01-01", periods=len(table), freq="1D", tz="UTC")
    return [pd.Series(column, index=dates) for column in table.T]


def noise(days: int, count: int, seed: int) -> np.ndarray:
    return 0.01 * np.random.default_rng(seed).standard_normal((days, count))


def test_a_trial_that_is_always_best_is_always_chosen() -> None:
    table = noise(900, 5, 1)
    table[:, 3] += 0.005
    found = walk_forward(trials(table))
    assert found is not None
    assert [fold.chosen for fold in found.folds] == [3] * 6
    assert found.efficiency == pytest.approx(1.0, abs=0.35)
    assert found.chosen_return > found.base_return


def test_noise_has_no_efficiency() -> None:
    found = [walk_forward(trials(noise(900, 20, seed))) for seed in range(20)]
    assert abs(np.mean([each.efficiency for each in found if each])) < 0.2


def test_test_days_follow_one_another_and_never_enter_the_choice() -> None:
    table = noise(900, 2, 2)
    # What is best on the days before is worst on the days tested, and the other way round.
    for fold in range(9):
        table[fold * 100 : fold * 100 + 100, fold % 2] += 0.01
    found = walk_forward(trials(table))
    assert found is not None
    starts = [fold.start for fold in found.folds]
    assert starts[0] == pd.Timestamp("2021-01-01", tz="UTC") + pd.Timedelta(days=300)
    assert all((later - earlier).days == 100 for earlier, later in pairwise(starts))
    # Two of the three folds before favour the trial that this fold punishes.
    assert [fold.chosen for fold in found.folds] == [0, 1, 0, 1, 0, 1]
    assert all(fold.out_of_sample < fold.in_sample for fold in found.folds)


def test_days_in_between_belong_to_neither_side() -> None:
    table = noise(900, 2, 3)
    plain = walk_forward(trials(table), gap_days=10)
    # The ten days before each test may be anything.
    for fold in range(3, 9):
        table[fold * 100 - 10 : fold * 100, 1] += 5.0
    moved = walk_forward(trials(table), gap_days=10)
    assert plain is not None
    assert moved is not None
    assert plain.folds[0].in_sample == moved.folds[0].in_sample
    assert plain.folds[0].chosen == moved.folds[0].chosen


@pytest.mark.parametrize(("days", "count"), [(900, 1), (250, 5)])
def test_too_few_trials_or_days_give_no_answer(days: int, count: int) -> None:
    assert walk_forward(trials(noise(days, count, 4))) is None


def test_an_account_that_loses_in_sample_has_no_efficiency() -> None:
    found = walk_forward(trials(noise(900, 2, 5) - 0.02))
    assert found is not None
    assert math.isnan(found.efficiency)


def test_returns_of_the_folds_are_those_of_their_days() -> None:
    table = noise(900, 3, 6)
    found = walk_forward(trials(table))
    assert found is not None
    assert found.base_return == pytest.approx(np.prod(1 + table[300:, 0]) - 1)
