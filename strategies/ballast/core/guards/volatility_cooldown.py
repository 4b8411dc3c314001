"""VolatilityCooldown: a pair that has just been shaken is left alone."""

import math
from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

import numpy as np

from ballast.core.cross_section import CrossSection
from ballast.core.guards.base import Guard, GuardSection
from ballast.core.reasons import Reason
from ballast.core.snapshot import Snapshot
from ballast.core.verdict import ALLOW, Verdict


class VolatilityCooldown(Guard):
    """
    Blocks a pair after a volatility shock until it has calmed down.

    When a shock begins and ends is decided by `ballast.core.shocks` for all candles of a pair at
    once; this guard reads the answer for the last one.

    Parameters
    ----------
    candle_minutes : float
        Length of the strategy's candles.
    """

    code: ClassVar[Reason] = Reason.VOLATILITY
    follows_equity: ClassVar[bool] = False
    follows_trades: ClassVar[bool] = False

    def __init__(self, candle_minutes: float) -> None:
        self._candle_minutes = candle_minutes

    def news(self, market: CrossSection) -> np.ndarray:
        """Where a cooldown begins or ends, or its intensity is known for the first time."""
        return market.cooldown_changes()

    def market_verdict(self, snapshot: Snapshot) -> Verdict:
        """Block where the candles that would tell are missing."""
        return ALLOW if snapshot.row is not None else Verdict(self.code, math.nan, 1.0, 0.0)

    def pair_verdicts(self, snapshot: Snapshot) -> Mapping[str, Verdict]:
        """Block during the cooldown. Value: present intensity in multiples of the trigger, 1."""
        if snapshot.row is None:
            return {}
        return {
            pair: Verdict(
                self.code,
                intensity,
                1.0,
                0.0,
                snapshot.now + timedelta(minutes=self._candle_minutes * left),
            )
            for pair, (left, intensity) in snapshot.row.cooling().items()
        }


class VolatilityCooldownSettings(GuardSection):
    """The detectors' thresholds are in `ballast.core.shocks`, calibrated together."""

    def build(self, candle_minutes: float) -> Guard:
        """The guard."""
        return VolatilityCooldown(candle_minutes)
