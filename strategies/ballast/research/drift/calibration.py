"""The cost model against fills that were recorded: by kind of order and by pair."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ballast.research.drift.fills import FillPair

_FEWEST = 5
_INTERVAL = (5.0, 95.0)
_RESAMPLES = 2000
# An interval that leaves a model room to be wrong by its own size, or this, tells nothing.
_TOLERANCE_BPS = 5.0


@dataclass(frozen=True)
class Calibrated:
    """
    One group of fills, in basis points.

    Parameters
    ----------
    fills : int
    recorded, modelled : float
        Means of what fills were worse by than the price decided on.
    low, high : float
        Of recorded less modelled, 90 % interval; NaN where there are fewer than five fills.
    """

    name: str
    fills: int
    recorded: float
    modelled: float
    low: float
    high: float

    @property
    def says(self) -> str:
        """What follows for the model."""
        if math.isnan(self.low):
            return "too few fills"
        if self.low > 0:
            return "the model is too kind"
        if self.high < 0:
            return "the model is too hard"
        half, told = (self.high - self.low) / 2, max(self.modelled, _TOLERANCE_BPS)
        if half > told:
            needed = math.ceil(self.fills * (half / told) ** 2)
            return f"cannot tell: about {needed} fills would"
        return "the model agrees"


def calibrated(fills: Sequence[FillPair]) -> list[Calibrated]:
    """All fills, those of each kind, and entries and exits of each pair."""
    groups = {"all": list(fills)}
    for fill in fills:
        groups.setdefault(f"{fill.kind}, all pairs", []).append(fill)
    for fill in fills:
        if fill.kind != "stop":
            groups.setdefault(fill.pair, []).append(fill)
    return [_group(name, group) for name, group in groups.items() if group]


def _group(name: str, fills: Sequence[FillPair]) -> Calibrated:
    recorded = np.array([fill.slippage for fill in fills])
    modelled = np.array([fill.modelled for fill in fills])
    low, high = _interval(recorded - modelled)
    return Calibrated(name, len(fills), float(recorded.mean()), float(modelled.mean()), low, high)


def _interval(differences: np.ndarray) -> tuple[float, float]:
    """90 % interval of the mean, by resampling."""
    if len(differences) < _FEWEST:
        return math.nan, math.nan
    drawn = np.random.default_rng(1).choice(differences, (_RESAMPLES, len(differences)))
    low, high = np.percentile(drawn.mean(axis=1), _INTERVAL)
    return float(low), float(high)
