"""Named rules: a strategy is their conjunction, and its explanation is the same rules read back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from ballast.core.decision import PART

# One value per candle.
Values: TypeAlias = pd.Series | np.ndarray
_RELATIONS = {
    ">": np.greater,
    ">=": np.greater_equal,
    "<": np.less,
    "<=": np.less_equal,
}


class Axis(NamedTuple):
    """The candles that rules are asked about: opening times (UTC), and how long each is."""

    dates: pd.Series
    timeframe: str


@dataclass(frozen=True)
class Rule:
    """
    One comparison, for every candle.

    `met` is False wherever `value` or `limit` is missing: what is not known is not a reason to buy.
    `relation` is the text between value and limit ('>', '<=', 'is'). `known` is where it can be
    said that it is met or not; None for wherever value and limit are numbers. A rule that is made
    of others has them as its `parts`, by name, and compares how many are met with how many must be.
    `history` is how many candles before its own it looks back on, windows of indicators apart.
    `bind` makes a rule about times once the candles are known.
    """

    value: np.ndarray
    relation: str
    limit: np.ndarray
    met: np.ndarray
    known: np.ndarray | None = None
    parts: Mapping[str, "Rule"] = field(default_factory=dict)
    history: int = 0
    bind: Callable[[Axis], "Rule"] | None = None

    def on(self, axis: Axis) -> "Rule":
        """The rule on these candles: one about times is nothing before it knows them."""
        return self if self.bind is None else self.bind(axis)


def above(value: Values, limit: Values | float) -> Rule:
    """Met on candles where `value` exceeds `limit`: `above(pair.close, pair.ema("5d"))`."""
    return _compare(value, ">", limit)


def at_least(value: Values, limit: Values | float) -> Rule:
    """Met on candles where `value` is `limit` or more: `at_least(market.breadth("20d"), 0.5)`."""
    return _compare(value, ">=", limit)


def below(value: Values, limit: Values | float) -> Rule:
    """Met on candles where `value` is less than `limit`: `below(pair.own.rsi(14), 30)`."""
    return _compare(value, "<", limit)


def at_most(value: Values, limit: Values | float) -> Rule:
    """Met on candles where `value` is `limit` or less: `at_most(pair.fall("8h"), 0.05)`."""
    return _compare(value, "<=", limit)


def holds(flags: Values) -> Rule:
    """
    Met on candles where a state column is true, such as a regime or a candle pattern:
    `holds(pair.ta("CDLHAMMER") > 0)`.
    """
    values = _numbers(flags)
    known = np.isfinite(values)
    state = known & (values != 0)
    return Rule(state, "is", np.ones(len(state), dtype=bool), state, known)


def is_known(rule: Rule) -> np.ndarray:
    """Whether it can be said of each candle that the rule is met, or that it is not."""
    if rule.known is not None:
        return rule.known
    value, limit = np.asarray(rule.value, dtype=float), np.asarray(rule.limit, dtype=float)
    return np.asarray(~(np.isnan(value) | np.isnan(limit)))


def with_parts(rules: Mapping[str, Rule]) -> dict[str, Rule]:
    """The rules, each followed by its parts: 'trigger', 'trigger.dip', 'trigger.breakout'."""
    found: dict[str, Rule] = {}
    for name, rule in rules.items():
        found[name] = rule
        found |= with_parts({f"{name}{PART}{part}": one for part, one in rule.parts.items()})
    return found


def conjunction(rules: Mapping[str, Rule], length: int) -> np.ndarray:
    """
    Signal of a set of rules: True where all are met.

    Parameters
    ----------
    length : int
        Number of candles.

    Returns
    -------
    ndarray of bool, shape (length,)
        All False for no rules at all: a strategy without rules must not buy everything.
    """
    if not rules:
        return np.zeros(length, dtype=bool)
    return np.asarray(np.logical_and.reduce([rule.met for rule in rules.values()]))


def tag(names: Mapping[str, Rule]) -> str:
    """Entry tag of a conjunction: the names of its rules, joined by ' + '."""
    return " + ".join(names)


def _numbers(values: Values | float) -> np.ndarray:
    """As an array of floats: what a Series holds is had from itself at a tenth of the price."""
    if isinstance(values, pd.Series):
        return np.asarray(values.to_numpy(dtype=float))
    return np.asarray(values, dtype=float)


def _compare(value: Values, relation: str, limit: Values | float) -> Rule:
    left = _numbers(value)
    right = np.broadcast_to(_numbers(limit), left.shape)
    # A comparison with NaN is False, which is the refusal wanted.
    met = _RELATIONS[relation](left, right)
    return Rule(left, relation, right, met)
