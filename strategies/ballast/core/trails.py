"""Ways in which a stop follows the price, beside the chandelier."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

# Wilder's: the acceleration grows to this.
MOST_ACCELERATION = 0.2


class Extremes(NamedTuple):
    """
    What some trails need of a candle beside its close, quote currency; NaN where it is not known.

    Parameters
    ----------
    high : float
    low : float
        The lower one of this candle's low and of the one before.
    swing_low : float
        A swing low that is known since this candle (see `swing_low`).
    """

    high: float = math.nan
    low: float = math.nan
    swing_low: float = math.nan


UNKNOWN = Extremes()


@dataclass
class ParabolicSar:
    """
    Wilder's parabolic SAR of a long position (New Concepts in Technical Trading Systems, 1978).

    Each candle it moves by a share (the acceleration) of the way to the highest high, and no higher
    than the lows of the last two candles; each new high raises the acceleration by a step.

    Parameters
    ----------
    level : float
        Where it is; it begins at the first stop (quote currency).
    highest : float
        Highest high since the entry; it begins at the entry.
    acceleration : float
        It begins at the step.
    """

    level: float
    highest: float
    acceleration: float

    def advance(self, high: float, low: float, step: float) -> float:
        """Move by one completed candle (see `Extremes`); a missing figure moves nothing."""
        if not (math.isfinite(high) and math.isfinite(low)):
            return self.level
        if high > self.highest:
            self.highest = high
            self.acceleration = min(self.acceleration + step, MOST_ACCELERATION)
        wanted = self.level + self.acceleration * (self.highest - self.level)
        self.level = max(self.level, min(wanted, low))
        return self.level


def swing_low(lows: np.ndarray, position: int, candles: int) -> float:
    """
    A low that so many candles before it and after it do not undercut, once the last has completed.

    Parameters
    ----------
    lows : ndarray
        Of all candles.
    position : int
        Of the last completed candle.
    candles : int
        On each side, at least one.

    Returns
    -------
    float
        That low; NaN where no swing low becomes known with this candle, or too few lie before it.
    """
    first = position - 2 * candles
    if first < 0:
        return math.nan
    middle = float(lows[position - candles])
    return middle if middle <= lows[first : position + 1].min() else math.nan
