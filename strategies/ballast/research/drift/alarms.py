"""Whether slippage has risen or results have fallen against what the replay leads to expect."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ballast.core.sequential import Answer, calibrated_threshold, cusum, first_alarm, sprt

# Shifts worth finding, in standard deviations: of slippage seen in a dozen fills, of results in
# some hundred trades (a smaller one takes years to tell from chance).
SLIPPAGE_SHIFT, RESULT_SHIFT = 1.0, 0.5
FALSE_ALARMS, OBSERVATIONS = 0.05, 250
_FEWEST = 5
# Standard deviation from which the reference itself is drawn from.
_MOVES = 0.99
# Fills of a model are more alike than any book's: below this no difference of fills is told apart.
_LEAST_SLIPPAGE_BPS = 2.0


@dataclass(frozen=True)
class Alarm:
    """
    One series watched.

    Parameters
    ----------
    name, unit : str
    observed : int
        Numbers watched.
    mean, expected : float
        Of them, and of the reference; NaN where there is none.
    threshold : float
        Of the CUSUM, so that it alarms falsely in 5 % of runs of 250.
    highest : float
        Of the CUSUM.
    at : int or None
        Observation of the alarm, from 0.
    sequential : Answer
        What the probability ratio test says.
    """

    name: str
    unit: str
    observed: int
    mean: float
    expected: float
    threshold: float = math.nan
    highest: float = math.nan
    at: int | None = None
    sequential: Answer = Answer.UNDECIDED

    @property
    def judged(self) -> bool:
        """Whether there was enough to judge by."""
        return math.isfinite(self.threshold)


def slippage_alarm(seen: Sequence[float], modelled: Sequence[float]) -> Alarm:
    """Slippage of fills against what the model charges the same ones (bps, worse is above 0)."""
    return _watch("slippage", "bps", seen, modelled, SLIPPAGE_SHIFT, 1, _LEAST_SLIPPAGE_BPS)


def result_alarm(seen: Sequence[float], reference: Sequence[float]) -> Alarm:
    """Results of closed trades against those of the replay (percent of what was bought)."""
    return _watch("result", "%", seen, reference, RESULT_SHIFT, -1, 0.0)


def _watch(
    name: str,
    unit: str,
    seen: Sequence[float],
    reference: Sequence[float],
    shift: float,
    worse: int,
    least: float,
) -> Alarm:
    """`worse` is the sign of what is worse; `least` the smallest standard deviation."""
    mean = float(np.mean(seen)) if len(seen) else math.nan
    expected = float(np.mean(reference)) if len(reference) else math.nan
    spread = max(float(np.std(reference)), least) if len(reference) else 0.0
    if len(reference) < _FEWEST or not len(seen) or spread == 0:
        return Alarm(name, unit, len(seen), mean, expected)
    centred = (np.asarray(reference, dtype=float) - expected) * worse / spread
    numbers = (np.asarray(seen, dtype=float) - expected) * worse / spread
    # A reference that hardly moves would alarm at anything: it has the chance of normal numbers.
    noise = np.random.default_rng(1).normal(0.0, 1.0, 1000) if centred.std() < _MOVES else centred
    slack = shift / 2
    threshold = calibrated_threshold(noise, slack, OBSERVATIONS, FALSE_ALARMS)
    return Alarm(
        name,
        unit,
        len(seen),
        mean,
        expected,
        threshold,
        float(cusum(numbers, slack).max()),
        first_alarm(numbers, slack, threshold),
        sprt(numbers, shift).answer,
    )
