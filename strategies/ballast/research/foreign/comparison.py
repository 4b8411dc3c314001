"""A strategy alone and under the layer: what came of each, and what made the difference."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from ballast.core.verdict import ALL_PAIRS
from ballast.research.recordings import EntryCounts
from ballast.research.report import guard_times, limits
from ballast.research.report.crises import Crisis
from ballast.research.report.drawdowns import changes, max_drawdown
from ballast.research.report.guard_times import Price
from ballast.research.report.results import RunResult
from ballast.research.report.trades import at


@dataclass(frozen=True)
class Side:
    """
    One of the two; ratios of the account.

    Parameters
    ----------
    run : RunResult
    crises : list of Crisis
        The same windows on both sides.
    """

    run: RunResult
    crises: list[Crisis]

    @property
    def total_return(self) -> float:
        """Over the whole run."""
        return self.run.total_return

    @property
    def max_drawdown(self) -> float:
        """Positive, at candles."""
        return max_drawdown(self.run.equity)

    @property
    def gaps_in_drawdown(self) -> float:
        """How much of it are fills below their stops, positive."""
        return limits.gaps_in_drawdown(self.run)

    @property
    def latched(self) -> datetime | None:
        """When the last limit ended all entries for good."""
        return limits.latched(self.run)

    @property
    def worst_day(self) -> tuple[float, datetime]:
        """The worst change of a day, zero at most, and which."""
        days = changes(self.run.equity, "1D")
        return min(float(days.min()), 0.0), days.idxmin().to_pydatetime()

    @property
    def exposure(self) -> float:
        """Mean share of the account in positions."""
        return float((self.run.invested / self.run.equity).mean())

    @property
    def mean_position(self) -> float:
        """Mean stake of a trade, of the account when it was opened; NaN without trades."""
        trades = self.run.trades
        return float((trades["stake_amount"] / at(self.run.equity, trades["open_date"])).mean())


@dataclass(frozen=True)
class GuardEffect:
    """
    What a guard's locks under the layer would have taken from the strategy alone.

    Parameters
    ----------
    name : str
    share : float
        Of the time in which it locked at least one pair.
    taken : int
        Trades of the strategy alone that began while their pair was locked.
    came_to : float
        What these added to the strategy's account alone, each over its value then (sum of ratios).
    """

    name: str
    share: float
    taken: int
    came_to: float


@dataclass(frozen=True)
class StrategyComparison:
    """
    Both sides of one strategy.

    Parameters
    ----------
    entries : EntryCounts
        Under the layer.
    guards : list of GuardEffect
        Those that locked anything, in order of what they took.
    prices : list of Price
        What the run without each guard says; empty where none was made.
    """

    name: str
    alone: Side
    under: Side
    entries: EntryCounts
    guards: list[GuardEffect]
    prices: list[Price]

    @property
    def sized(self) -> int:
        """Entries that got a size."""
        return sum(self.entries.bound.values())

    @property
    def bound(self) -> list[tuple[str, float]]:
        """Caps that bound, with the share of sizes, the most frequent first."""
        counts = sorted(self.entries.bound.items(), key=lambda item: -item[1])
        return [(code, count / self.sized) for code, count in counts]

    @property
    def scaled(self) -> list[tuple[str, int]]:
        """Guards that made sizes smaller, with how many, the most frequent first."""
        return sorted(self.entries.scaled.items(), key=lambda item: -item[1])

    @property
    def refused(self) -> list[tuple[str, int]]:
        """Reasons for refusals, with their numbers, the most frequent first."""
        return sorted(self.entries.refused.items(), key=lambda item: -item[1])


def compare(
    name: str,
    alone: Side,
    under: Side,
    entries: EntryCounts,
    without: Sequence[RunResult] = (),
) -> StrategyComparison:
    """
    Set a strategy's two runs beside one another.

    Parameters
    ----------
    without : sequence of RunResult
        Runs under the layer, each without one guard.
    """
    prices = guard_times.prices(under.run, without)
    return StrategyComparison(
        name, alone, under, entries, guard_effects(alone.run, under.run), prices
    )


def guard_effects(alone: RunResult, under: RunResult) -> list[GuardEffect]:
    """
    Trades of the strategy alone that began within a guard's locks, and what they came to.

    It is no account of what would have been: what a lock leaves free, another trade takes. Trades
    in several guards' locks are counted for each.
    """
    trades = alone.trades
    opened = trades["open_date"]
    parts = trades["profit_abs"].to_numpy() / at(alone.equity, opened)
    shares = {active.name: active.share for active in guard_times.activity(under)}
    found = []
    for name, locks in guard_times.locks_by_guard(under):
        inside = pd.Series(False, index=trades.index)
        for pair, begin, end in zip(locks["pair"], locks["start"], locks["end"], strict=True):
            meant = (trades["pair"] == pair) | (pair == ALL_PAIRS)
            inside |= meant & (opened >= begin) & (opened < end)
        came_to = float(parts[inside.to_numpy()].sum())
        found.append(GuardEffect(name, shares[name], int(inside.sum()), came_to))
    return sorted(found, key=lambda effect: -effect.taken)
