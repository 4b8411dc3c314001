"""A rule is met only by known values, and a signal needs every rule."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.core.rules import Rule, above, at_least, below, conjunction, holds, tag

Make = Callable[[pd.Series, pd.Series | float], Rule]
NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


@pytest.mark.parametrize(
    ("make", "relation", "met"),
    [
        (above, ">", [False, False, True]),
        (at_least, ">=", [False, True, True]),
        (below, "<", [True, False, False]),
    ],
)
def test_a_comparison_is_met_below_at_or_above_its_limit(
    make: Make, relation: str, met: list[bool]
) -> None:
    rule = make(pd.Series([0.9, 1.0, 1.1]), 1.0)
    assert list(rule.met) == met
    assert rule.relation == relation
    assert list(rule.value) == [0.9, 1.0, 1.1]
    assert list(rule.limit) == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("make", [above, at_least, below])
def test_what_is_not_known_is_not_met(make: Make) -> None:
    one, nothing = pd.Series([1.0]), pd.Series([np.nan])
    assert not make(nothing, 0.0).met[0]
    assert not make(nothing, 2.0).met[0]
    assert not make(one, np.nan).met[0]
    assert not make(one, nothing).met[0]
    assert not make(nothing, nothing).met[0]


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=20))
def test_above_and_below_are_each_others_mirror(rows: list[tuple[float, float]]) -> None:
    left = pd.Series([a for a, _ in rows], dtype=float)
    right = pd.Series([b for _, b in rows], dtype=float)
    assert list(above(left, right).met) == list(below(right, left).met)
    expected = [not (math.isnan(a) or math.isnan(b)) and a >= b for a, b in rows]
    assert list(at_least(left, right).met) == expected


def test_columns_are_compared_by_position_whatever_their_index() -> None:
    rule = above(pd.Series([1.0, 5.0], index=[7, 8]), pd.Series([2.0, 2.0], index=[0, 1]))
    assert list(rule.met) == [False, True]


def test_a_state_is_met_where_it_is_true_and_known() -> None:
    assert list(holds(pd.Series([True, False])).met) == [True, False]
    assert list(holds(pd.Series([True, None, False], dtype=object)).met) == [True, False, False]
    assert list(holds(pd.Series([True, None], dtype="boolean")).met) == [True, False]


def test_a_state_of_numbers_is_met_where_it_is_known_and_not_zero() -> None:
    assert list(holds(pd.Series([1.0, 0.0, np.nan])).met) == [True, False, False]


def test_no_rules_are_no_signal() -> None:
    assert list(conjunction({}, 3)) == [False, False, False]


def test_no_candles_are_no_signal() -> None:
    assert list(conjunction({"a": above(pd.Series([], dtype=float), 1.0)}, 0)) == []


@given(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), min_size=1, max_size=5))
def test_a_signal_needs_every_rule_and_another_rule_never_adds_one(table: list) -> None:
    rules = {f"rule{i}": holds(pd.Series(flags)) for i, flags in enumerate(table)}
    signal = conjunction(rules, 4)
    assert list(signal) == [all(flags) for flags in zip(*table, strict=True)]
    fewer = conjunction(dict(list(rules.items())[:1]), 4)
    assert not (signal & ~fewer).any()


def test_a_tag_names_the_rules_in_order() -> None:
    rule = Rule(np.array([]), "is", np.array([]), np.array([]))
    assert tag({"trend": rule, "breakout": rule}) == "trend + breakout"
    assert tag({}) == ""
