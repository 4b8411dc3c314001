"""Named rules: a strategy is their conjunction, and its explanation is the same rules read back."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

_RELATIONS = {">": np.greater, ">=": np.greater_equal, "<": np.less}


@dataclass(frozen=True)
class Rule:
    """
    One comparison, for every candle.

    `met` is False wherever `value` or `limit` is missing: what is not known is not a reason to buy.
    `relation` is the text between value and limit ('>', '<=', 'is').
    """

    value: np.ndarray
    relation: str
    limit: np.ndarray
    met: np.ndarray


def above(value: pd.Series, limit: pd.Series | float) -> Rule:
    """Met on candles where `value` exceeds `limit`."""
    return _compare(value, ">", limit)


def at_least(value: pd.Series, limit: pd.Series | float) -> Rule:
    """Met on candles where `value` is `limit` or more."""
    return _compare(value, ">=", limit)


def below(value: pd.Series, limit: pd.Series | float) -> Rule:
    """Met on candles where `value` is less than `limit`."""
    return _compare(value, "<", limit)


def holds(flags: pd.Series) -> Rule:
    """Met on candles where a state column is true, such as a regime."""
    values = np.asarray(flags, dtype=float)
    state = np.isfinite(values) & (values != 0)
    return Rule(state, "is", np.ones(len(state), dtype=bool), state)


def _compare(value: pd.Series, relation: str, limit: pd.Series | float) -> Rule:
    left = np.asarray(value, dtype=float)
    right = np.broadcast_to(np.asarray(limit, dtype=float), left.shape)
    # A comparison with NaN is False, which is the refusal wanted.
    met = _RELATIONS[relation](left, right)
    return Rule(left, relation, right, met)


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
