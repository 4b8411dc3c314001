"""Setups: ways into a position and the ways out that belong to them, as a strategy states them."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, Protocol, Self

import pandas as pd

from ballast.core import rules
from ballast.core.candles import Candles
from ballast.core.decision import PART
from ballast.core.exits import Sell, shares_fault
from ballast.core.market import Market
from ballast.core.rules import Axis, Rule
from ballast.core.stated import rules_fault, told
from ballast.core.stops import StopRules


class SetupRefused(ValueError):
    """A setup that cannot be traded; the text is one sentence."""


@dataclass(frozen=True)
class Setup:
    """
    One way into a position and the way out that belongs to it.

    Parameters
    ----------
    name : str
        First part of the entry tag; the trade is managed by the setup of this name.
    entry : mapping of str to Rule
        All must be met to enter.
    exit : mapping of str to Rule or Sell
        Any one met leaves; its name is the exit reason.
    stops : StopRules
        Where a loss is cut, and how the stop follows the price.
    size : float
        Share of the usual risk, above 0 to 1.

    Raises
    ------
    SetupRefused
        For rules that are none, and for stops or a size that cannot be used.
    """

    name: str
    entry: Mapping[str, Rule]
    stops: StopRules
    exit: Mapping[str, Rule | Sell] = field(default_factory=dict)
    size: float = 1.0
    # Candles that its stops look back on; known once the candles are.
    stop_history: int = field(default=0, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.stops, StopRules):
            raise SetupRefused(
                f"{self.name}.stops is {told(self.stops)}: expected StopRules(initial_atr=3)"
            )
        for fault in self.stops.faults():
            raise SetupRefused(f"{self.name}.stops.{fault}")
        if fault := rules_fault("entry", self.entry, Rule) or rules_fault(
            "exit", self.exit, Rule | Sell
        ):
            raise SetupRefused(f"{self.name}.{fault}")
        if fault := shares_fault(self.sales):
            raise SetupRefused(f"{self.name}.exit: {fault}")
        size: object = self.size
        is_number = isinstance(size, Real) and not isinstance(size, bool)
        if not (is_number and 0 < self.size <= 1):
            raise SetupRefused(
                f"{self.name}.size is {self.size!r}: expected a number above 0 to 1, the share of "
                "the usual risk"
            )

    def on(self, axis: Axis) -> Self:
        """The setup with its rules asked about these candles (see `Rule.on`)."""
        entry = {name: rule.on(axis) for name, rule in self.entry.items()}
        leave = {name: rule.on(axis) for name, rule in self.exit_rules.items()}
        return dataclasses.replace(
            self,
            entry=entry,
            exit={**self.exit, **leave, **{n: sale.on(axis) for n, sale in self.sales.items()}},
            stop_history=2 * self.stops.swing_candles(axis.timeframe),
        )

    @property
    def exit_rules(self) -> dict[str, Rule]:
        """Exits that follow from candles."""
        return {name: one for name, one in self.exit.items() if isinstance(one, Rule)}

    @property
    def sales(self) -> dict[str, Sell]:
        """Exits that follow from the trade."""
        return {name: one for name, one in self.exit.items() if isinstance(one, Sell)}

    @property
    def rules_of_sales(self) -> dict[str, Rule]:
        """What sales wait for besides, of those that do."""
        return {name: sale.when for name, sale in self.sales.items() if sale.when is not None}

    @property
    def read_for_exit(self) -> dict[str, Rule]:
        """Rules that are read of what is held: 'target.when' is that of a sale."""
        of_sales = {f"{name}{PART}when": rule for name, rule in self.rules_of_sales.items()}
        return self.exit_rules | of_sales

    @property
    def history(self) -> int:
        """Candles that its rules and stops look back on, besides the windows of indicators."""
        exits = (*self.exit_rules.values(), *self.rules_of_sales.values())
        rules = (*self.entry.values(), *exits)
        return max((rule.history for rule in rules), default=0) + self.stop_history

    @property
    def tag(self) -> str:
        """Entry tag: 'name: rule + rule'."""
        return f"{self.name}: {rules.tag(self.entry)}"


class StatesRules(Protocol):
    """What states setups: a strategy, as far as its rules are concerned."""

    timeframe: str
    atr_window: Any

    def setups(self, pair: Candles, market: Market) -> Sequence[Setup]:
        """Ways into a position."""

    def lines(self, pair: Candles, market: Market) -> Mapping[str, pd.Series]:
        """Prices to draw in charts."""


def setups_on(strategy: StatesRules, pair: Candles, market: Market) -> list[Setup]:
    """
    The setups of a strategy, their rules asked about the candles of the pair.

    Raises
    ------
    SetupRefused
        Where one has rules, stops or a size that cannot be used.
    """
    axis = Axis(pair.frame["date"], pair.timeframe)
    return [setup.on(axis) for setup in strategy.setups(pair, market)]


def lines_of(strategy: StatesRules, pair: Candles, market: Market) -> dict[str, pd.Series]:
    """
    Prices that a strategy draws, by name.

    Raises
    ------
    SetupRefused
        Where they are no prices of every candle.
    """
    stated, name = strategy.lines(pair, market), type(strategy).__name__
    if not isinstance(stated, Mapping):
        raise SetupRefused(f"{name}.lines is {told(stated)}: expected prices by name")
    for line, prices in stated.items():
        if not isinstance(prices, pd.Series):
            raise SetupRefused(
                f"{name}.lines.{line} is {told(prices)}: expected a price of every candle, such "
                "as pair.ema('5d')"
            )
    return dict(stated)
