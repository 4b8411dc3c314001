"""Tests that watch numbers: their thresholds hold what they promise, and shifts are found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.core.sequential import (
    Answer,
    average_run_length,
    calibrated_threshold,
    cusum,
    first_alarm,
    sprt,
)

numbers = st.lists(st.floats(-5, 5), min_size=1, max_size=50).map(np.array)


@given(numbers, st.floats(0, 2))
def test_cusum_is_the_recursion_of_its_definition(values: np.ndarray, slack: float) -> None:
    expected, last = [], 0.0
    for value in values:
        last = max(0.0, last + value - slack)
        expected.append(last)
    assert cusum(values, slack) == pytest.approx(np.array(expected), abs=1e-9)


@given(numbers, st.floats(0, 3))
def test_a_higher_number_never_delays_the_alarm(values: np.ndarray, more: float) -> None:
    before, after = (first_alarm(each, 0.5, 2.0) for each in (values, values + more))
    assert before is None or (after is not None and after <= before)


@pytest.mark.parametrize(("threshold", "length"), [(3.0, 118), (4.0, 336), (5.0, 931)])
def test_run_lengths_are_those_of_the_tables(threshold: float, length: float) -> None:
    """One-sided, slack 0.5, no shift: 117.6, 335.4, 930.9 (Montgomery's text, twice two-sided)."""
    assert average_run_length(threshold, 0.5) == pytest.approx(length, rel=0.02)


def test_run_length_is_what_a_simulation_counts() -> None:
    draws = np.random.default_rng(5).normal(size=(2000, 1500))
    alarms = [first_alarm(path, 0.5, 3.0) for path in draws]
    counted = np.mean([1500 if alarm is None else alarm + 1 for alarm in alarms])
    assert average_run_length(3.0, 0.5) == pytest.approx(counted, rel=0.06)


@pytest.mark.parametrize("skewed", [False, True])
def test_a_calibrated_threshold_alarms_falsely_as_often_as_it_is_allowed_to(skewed: bool) -> None:
    """Of numbers that are not normal, too."""
    random = np.random.default_rng(7)
    reference = random.exponential(size=4000) - 1 if skewed else random.normal(size=4000)
    threshold = calibrated_threshold(reference, 0.5, observations=250, false_alarms=0.05)
    fresh = random.exponential(size=(2000, 250)) - 1 if skewed else random.normal(size=(2000, 250))
    alarms = (cusum(fresh, 0.5).max(axis=1) > threshold).mean()
    assert alarms == pytest.approx(0.05, abs=0.03)


@pytest.mark.parametrize(("mean", "wrong"), [(0.0, Answer.SHIFTED), (0.5, Answer.AS_EXPECTED)])
def test_the_ratio_test_errs_no_more_often_than_it_is_allowed_to(
    mean: float, wrong: Answer
) -> None:
    draws = np.random.default_rng(11).normal(mean, 1, size=(1000, 400))
    answers = [sprt(path, 0.5, 0.05, 0.05).answer for path in draws]
    assert answers.count(wrong) / len(answers) <= 0.05
    assert answers.count(Answer.UNDECIDED) / len(answers) < 0.02


def test_nothing_seen_is_nothing_decided() -> None:
    assert sprt(np.array([]), 0.5).answer is Answer.UNDECIDED
    assert first_alarm(np.array([]), 0.5, 1.0) is None
