"""The ledger: what an account is worth to its bot, and what came or went beside its trades.

equity = capital given + own results + own open positions at their marks. Results and positions are
those of the trade table; what the wallet holds is not in it. Money that comes or goes (a deposit, a
withdrawal, a capital stated anew, a trade that somebody deletes) is a *flow*: capital and what the
guards remember in money change with it in the same proportion, so that it is never taken for a
profit or a loss (the unitised accounts of funds, whose value per unit no flow changes).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import Field

from ballast.core.guards.base import Memory

# Share of equity below which what the trade table lacks is a rounding of its sums.
_ROUNDING = 1e-6


class Cause(StrEnum):
    """What showed a flow."""

    CASH = "cash"  # a balance that own orders do not explain
    CAPITAL = "capital"  # the configuration gives another capital than before
    TRADES = "trades"  # a trade has vanished, or a closed one has been rewritten
    BALANCE = "balance"  # an earlier version reckoned with the whole balance of the account


@dataclass(frozen=True)
class Flow:
    """
    Money that came (positive) or went.

    Parameters
    ----------
    amount : float
        Quote currency.
    factor : float
        Equity with it over equity without it: what is remembered in money is multiplied by it.
    """

    amount: float
    cause: Cause
    factor: float


@dataclass(frozen=True)
class Books:
    """
    The trade table at a moment, quote currency.

    Parameters
    ----------
    closed : float
        Results of all closed trades.
    opened : mapping of int to float
        Of every open trade, by its number: what its partial exits have earned, and its position at
        the mark less what it cost.
    """

    closed: float
    opened: Mapping[int, float] = field(default_factory=dict)

    @property
    def results(self) -> float:
        """All of them together."""
        return self.closed + sum(self.opened.values())


class LedgerMemory(Memory):
    """
    What the ledger must know after a restart, quote currency.

    Parameters
    ----------
    capital : float or None
        Given to the bot, flows included; None before it has begun.
    cash : float or None
        What the wallet would hold without any own order; None where the wallet is not asked.
    closed : float or None
        Results of closed trades as seen last.
    opened : dict of int to float
        As `Books.opened`, as seen last.
    withdrawn : float
        What has gone since positions were open that had fitted the capital before.
    remembered_at : float or None
        Equity to which the guards' memories belong, while nothing is left that they could be
        multiplied to.
    """

    capital: float | None = None
    cash: float | None = None
    closed: float | None = None
    opened: dict[int, float] = Field(default_factory=dict)
    withdrawn: float = 0.0
    remembered_at: float | None = None


class Ledger:
    """
    Keeps the capital of one bot.

    Parameters
    ----------
    capital : float or None
        Given to it, quote currency; None until that is known.
    """

    def __init__(self, capital: float | None = None) -> None:
        self.memory = LedgerMemory(capital=capital)
        self._arrived: list[tuple[float, Cause]] = []

    @property
    def capital(self) -> float:
        """Given to the bot, quote currency; NaN before that is known."""
        return math.nan if self.memory.capital is None else self.memory.capital

    @property
    def on_its_way(self) -> float:
        """Flows that have arrived and are not in the capital yet, quote currency."""
        return sum(amount for amount, _ in self._arrived)

    def arrive(self, amount: float, cause: Cause) -> None:
        """Take note of money that came or went; it counts from the next `take` on."""
        if amount:
            self._arrived.append((amount, cause))

    def take(self, books: Books, closed_now: Mapping[int, float]) -> list[Flow]:
        """
        The flows since the last time; they are in the capital from now on.

        Parameters
        ----------
        closed_now : mapping of int to float
            Results of the trades that have closed since, by number.
        """
        flows = self._of_trades(books, closed_now)
        for amount, cause in self._arrived:
            before = self.capital + books.results
            self.memory.capital = self.capital + amount
            self.memory.withdrawn = max(0.0, self.memory.withdrawn - amount)
            flows.append(Flow(amount, cause, self._factor(before, before + amount)))
        self._arrived = []
        return flows

    def remeasured(self, before: float, after: float) -> list[Flow]:
        """The guards remember an equity that was reckoned in another way."""
        if not abs(after - before) > _ROUNDING * abs(after):
            return []
        return [Flow(after - before, Cause.BALANCE, self._factor(before, after))]

    def heat_base(self, equity: float, *, fits: bool) -> float:
        """
        Equity that the heat of what is held is a share of, quote currency.

        A withdrawal alone draws no stop closer: the capital before it counts, until what is held
        fits the one that is left.
        """
        if fits and self.memory.withdrawn:
            self.memory.withdrawn = 0.0
        return equity + self.memory.withdrawn

    def _of_trades(self, books: Books, closed_now: Mapping[int, float]) -> list[Flow]:
        """What trades that vanished or were rewritten have taken along: their results, undone."""
        memory = self.memory
        known, opened = memory.closed, memory.opened
        memory.closed, memory.opened = books.closed, dict(books.opened)
        if known is None:
            return []
        gone = opened.keys() - books.opened.keys() - closed_now.keys()
        amount = books.closed - known - sum(closed_now.values())
        amount -= sum(opened[number] for number in gone)
        after = self.capital + books.results
        if not abs(amount) > _ROUNDING * abs(after):
            return []
        return [Flow(amount, Cause.TRADES, self._factor(after - amount, after))]

    def _factor(self, before: float, after: float) -> float:
        """
        What memories are multiplied by; 1 while nothing is left that they could belong to.

        What comes after that is measured against what was there before all had gone.
        """
        memory = self.memory
        start = before if memory.remembered_at is None else memory.remembered_at
        if not start > 0:
            return 1.0
        if not after > _ROUNDING * start:
            memory.remembered_at = start
            return 1.0
        memory.remembered_at = None
        return after / start
