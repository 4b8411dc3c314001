"""What a fill costs beyond its fee: half the spread, impact, and what a stop slips by.

All costs are ratios of the price. They only ever make a price worse, and what is not known is
charged at the most that the model allows.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class CostLevel:
    """
    How hard the model is.

    Parameters
    ----------
    spread, impact : float
        Multiples of the spread and of the impact.
    gap : float
        Share, 0 to 1, of the way from a stop to the low of its candle that the fill is below it.
    """

    spread: float
    impact: float
    gap: float


# The shares of the gap are those of a usual re-pricing of stops (0.25, 0.5, all of it); the
# multiples are ours: the mean spread of a panel of books is three times its median.
LEVELS = {
    "none": CostLevel(0.0, 0.0, 0.0),
    "base": CostLevel(1.0, 1.0, 0.25),
    "stressed": CostLevel(2.0, 1.5, 0.5),
    "worst": CostLevel(3.0, 2.0, 1.0),
}


@dataclass(frozen=True)
class LiquidityClass:
    """
    Pairs that trade much alike.

    Parameters
    ----------
    turnover_from : float
        Quote currency per day from which a pair belongs here.
    half_spread : float
        Ratio of the price.
    """

    turnover_from: float
    half_spread: float


class Conditions(NamedTuple):
    """
    A pair at the moment of a fill, as completed candles show it.

    Parameters
    ----------
    volatility : float
        Standard deviation of log returns, ratio per day.
    turnover : float
        Quote currency per day.
    shock : bool
        Whether a volatility shock is on.
    spread : float
        As measured (ratio); NaN where it cannot be.
    tick : float
        Smallest step of the price (ratio); 0 where unknown.
    """

    volatility: float
    turnover: float
    shock: bool = False
    spread: float = math.nan
    tick: float = 0.0


class FillCost(NamedTuple):
    """Parts of what a fill costs, ratios of the price."""

    half_spread: float
    impact: float

    @property
    def total(self) -> float:
        """Both together."""
        return self.half_spread + self.impact

    def buy(self, asked: float) -> float:
        """Price paid where `asked` was wanted."""
        return asked * (1 + self.total)

    def sell(self, asked: float) -> float:
        """Price got where `asked` was wanted."""
        return asked * (1 - self.total)


@dataclass(frozen=True)
class CostModel:
    """
    Half the spread of the pair's liquidity class, and impact by the square-root law.

    Parameters
    ----------
    classes : sequence of LiquidityClass
        By falling turnover; the last takes what is left.
    impact_factor : float
        Y of the square-root law, about 1 (Toth et al. 2011; for Bitcoin Donier and Bonart 2015).
    impact_cap : float
        The most that impact may be, and what it is where turnover or volatility are unknown.
    shock_multiple : float
        Multiple of the spread while a volatility shock is on.
    level : CostLevel
    """

    classes: Sequence[LiquidityClass]
    impact_factor: float
    impact_cap: float
    shock_multiple: float
    level: CostLevel

    def of(self, value: float, seen: Conditions) -> FillCost:
        """
        Cost of an order of `value` (quote currency).

        half spread = max(class, measured / 2, tick / 2) times the level's and the shock's multiple:
        no book is narrower than a tick. impact = Y * volatility * sqrt(value / turnover) times the
        level's multiple, at most the cap.
        """
        measured = seen.spread / 2 if seen.spread > 0 else 0.0
        half = max(self._class_of(seen.turnover).half_spread, measured, seen.tick / 2)
        shock = self.shock_multiple if seen.shock else 1.0
        return FillCost(half * self.level.spread * shock, self._impact(value, seen))

    def stop_fill(self, asked: float, low: float, cost: FillCost) -> float:
        """
        Price that a long position's stop at `asked` gets: the level's share of the way to the low
        of its candle, less the cost.
        """
        return cost.sell(asked - self.level.gap * max(asked - low, 0.0))

    def _class_of(self, turnover: float) -> LiquidityClass:
        for known in self.classes:
            if turnover >= known.turnover_from:
                return known
        return self.classes[-1]

    def _impact(self, value: float, seen: Conditions) -> float:
        share = value / seen.turnover if seen.turnover > 0 else math.inf
        law = self.impact_factor * seen.volatility * math.sqrt(share)
        # What is not a number is not below the cap.
        return self.level.impact * (law if law < self.impact_cap else self.impact_cap)
