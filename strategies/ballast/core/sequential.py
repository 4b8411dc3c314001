"""Tests that watch numbers one by one: has their mean gone up since the reference?

Both take the numbers in standard deviations from the mean of the reference. What is to be watched
falling is given with its sign turned.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

# Siegmund's correction for jumping over the threshold instead of hitting it.
_OVERSHOOT = 1.166


class Answer(StrEnum):
    """What a sequential test says."""

    AS_EXPECTED = "as expected"
    SHIFTED = "shifted"
    UNDECIDED = "undecided"


def cusum(numbers: np.ndarray, slack: float) -> np.ndarray:
    """
    One-sided cumulative sum (Page 1954): S_t = max(0, S_{t-1} + x_t - slack).

    Parameters
    ----------
    numbers : ndarray, (..., observations)
        In standard deviations from the reference's mean.
    slack : float
        Half the shift that is to be found.
    """
    sums = np.cumsum(np.asarray(numbers, dtype=float) - slack, axis=-1)
    lowest = np.minimum(np.minimum.accumulate(sums, axis=-1), 0.0)
    return np.asarray(sums - lowest)


def average_run_length(threshold: float, slack: float, shift: float = 0.0) -> float:
    """
    Observations until a CUSUM of independent normal numbers alarms, on average.

    Siegmund's approximation (Sequential Analysis, 1985): (exp(-2 d b) + 2 d b - 1) / (2 d^2) with
    d = shift - slack and b = threshold + 1.166; b^2 where d is 0.
    """
    drift, border = shift - slack, threshold + _OVERSHOOT
    if abs(drift) < 1e-9:
        return border**2
    return (math.exp(-2 * drift * border) + 2 * drift * border - 1) / (2 * drift**2)


def calibrated_threshold(
    reference: np.ndarray,
    slack: float,
    observations: int = 250,
    false_alarms: float = 0.05,
    paths: int = 2000,
    seed: int = 1,
) -> float:
    """
    Threshold that a CUSUM of the reference's own numbers passes in `false_alarms` of all runs of
    `observations`, found by drawing such runs from them with replacement.

    Parameters
    ----------
    reference : ndarray
        In standard deviations from its own mean.
    false_alarms : float
        Ratio of runs, 0 to 1.
    """
    drawn = np.random.default_rng(seed).choice(reference, size=(paths, observations))
    highest = cusum(drawn, slack).max(axis=1)
    return float(np.quantile(highest, 1 - false_alarms))


def first_alarm(numbers: np.ndarray, slack: float, threshold: float) -> int | None:
    """Position of the first number at which the CUSUM is above its threshold; None for never."""
    above = np.flatnonzero(cusum(numbers, slack) > threshold)
    return int(above[0]) if len(above) else None


@dataclass(frozen=True)
class Ratio:
    """Log likelihood ratio of a sequential test, after which observation it decided, and how."""

    value: float
    decided_at: int | None
    answer: Answer


def sprt(
    numbers: np.ndarray, shift: float, false_alarm: float = 0.05, missed: float = 0.05
) -> Ratio:
    """
    Wald's sequential probability ratio test of mean `shift` against mean 0, unit variance.

    Ends once the sum of shift * (x - shift / 2) is above ln((1 - missed) / false_alarm) or below
    ln(missed / (1 - false_alarm)).
    """
    path = np.cumsum(shift * (np.asarray(numbers, dtype=float) - shift / 2))
    upper = math.log((1 - missed) / false_alarm)
    lower = math.log(missed / (1 - false_alarm))
    outside = np.flatnonzero((path >= upper) | (path <= lower))
    if not len(outside):
        return Ratio(float(path[-1]) if len(path) else 0.0, None, Answer.UNDECIDED)
    end = int(outside[0])
    answer = Answer.SHIFTED if path[end] >= upper else Answer.AS_EXPECTED
    return Ratio(float(path[end]), end, answer)
