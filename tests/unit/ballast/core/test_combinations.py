"""Rules made of rules: met, known not to be met, or not known; each part keeps its numbers."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast import (
    all_of,
    any_of,
    at_most,
    between,
    crossed_above,
    crossed_below,
    for_at_least,
    hours,
    negated,
    weekdays,
    within,
)
from ballast.core.rules import Axis, Rule, above, below, holds, is_known, with_parts
from ballast.core.windows import minutes

FLAGS = st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=30)


def state(*flags: bool | None) -> Rule:
    """A state column; None is not known."""
    return holds(pd.Series(flags, dtype=object))


def answers(rule: Rule) -> list[bool | None]:
    """By candle: met, not met, or None where it cannot be said."""
    known = is_known(rule)
    assert not (rule.met & ~known).any(), "a rule is met by what is not known"
    return [bool(met) if sure else None for met, sure in zip(rule.met, known, strict=True)]


def axis(count: int, start: str = "2024-01-01", timeframe: str = "1h") -> Axis:
    step = pd.Timedelta(minutes=minutes(timeframe))
    return Axis(pd.Series(pd.date_range(start, periods=count, freq=step, tz="UTC")), timeframe)


def test_one_part_is_enough_for_any_and_each_is_needed_for_all() -> None:
    one = (True, True, True, False, False, None)
    two = (True, False, None, False, None, None)
    parts = {"one": state(*one), "two": state(*two)}
    assert answers(any_of(**parts)) == [True, True, True, False, None, None]
    assert answers(all_of(**parts)) == [True, False, None, False, False, None]


@given(FLAGS)
def test_the_opposite_is_met_where_a_rule_is_known_not_to_be(flags: list[bool | None]) -> None:
    turned = {True: False, False: True, None: None}
    assert answers(negated(state(*flags))) == [turned[flag] for flag in flags]
    both = any_of(a=state(*flags), b=state(*reversed(flags)))
    assert answers(negated(both)) == [turned[one] for one in answers(both)]
    assert answers(negated(negated(both))) == answers(both)


def test_the_opposite_of_a_comparison_says_the_opposite_relation() -> None:
    value = pd.Series([1.0, 2.0, 3.0, np.nan])
    for rule, relation in (
        (above(value, 2), "<="),
        (below(value, 2), ">="),
        (at_most(value, 2), ">"),
    ):
        assert negated(rule).relation == relation
        assert list(negated(rule).met) == [not met for met in rule.met[:3]] + [False]
    not_up = negated(state(True, False))
    assert (not_up.relation, list(not_up.limit)) == ("is", [False, False])


def test_between_has_both_of_its_ends() -> None:
    assert list(between(pd.Series([0.9, 1.0, 1.5, 2.0, 2.1, np.nan]), 1.0, 2.0).met) == [
        False, True, True, True, False, False,
    ]  # fmt: skip


def test_a_crossing_is_the_candle_on_which_it_happens() -> None:
    value = pd.Series([3.0, 1.0, 2.0, 3.0, 4.0, 1.0, np.nan, 5.0])
    assert list(np.flatnonzero(crossed_above(value, 2.0).met)) == [3]
    assert list(np.flatnonzero(crossed_below(value, 2.0).met)) == [1, 5]
    moving = pd.Series([5.0, 0.0, 2.5, 2.0, 4.0, 0.0, 0.0, 0.0])
    assert list(np.flatnonzero(crossed_above(value, moving).met)) == [1, 3, 5]


@given(FLAGS, st.integers(1, 8))
def test_lately_and_for_long_look_at_so_many_candles(flags: list[bool | None], n: int) -> None:
    padded = [None] * (n - 1) + flags
    windows = [padded[i : i + n] for i in range(len(flags))]

    def ever(window: list[bool | None]) -> bool | None:
        return True if True in window else None if None in window else False

    def always(window: list[bool | None]) -> bool | None:
        return False if False in window else None if None in window else True

    assert answers(within(n, state(*flags))) == [ever(window) for window in windows]
    assert answers(for_at_least(n, state(*flags))) == [always(window) for window in windows]


def test_a_length_of_time_is_so_many_candles_of_the_timeframe() -> None:
    rule = state(True, *[False] * 9)
    for timeframe, candles in (("1h", 4), ("2h", 2), ("15m", 10)):
        here = axis(10, timeframe=timeframe)
        assert list(within("4h", rule).on(here).met) == [True] * candles + [False] * (10 - candles)
    deep = any_of(a=all_of(b=negated(for_at_least("3h", rule))))
    assert list(deep.on(axis(10)).met) == list(negated(for_at_least(3, rule)).met)


def test_what_a_rule_looks_back_on_adds_up() -> None:
    crossing = crossed_above(pd.Series([1.0, 2.0]), 1.5)
    assert crossing.history == 1
    assert any_of(a=within(4, crossing), b=state(True, False)).history == 1 + 3
    assert for_at_least("3h", within("2h", crossing)).on(axis(2)).history == 1 + 1 + 2


def test_hours_and_days_are_those_at_which_a_candle_ends() -> None:
    day = axis(24)
    assert list(np.flatnonzero(hours(8, 20).on(day).met)) == list(range(7, 19))
    assert list(np.flatnonzero(hours(22, 4).on(day).met)) == [0, 1, 2, 21, 22, 23]
    week = axis(7, timeframe="1d")
    # The candle of a Monday ends when Tuesday begins.
    assert list(np.flatnonzero(weekdays("tue", "sun").on(week).met)) == [0, 5]


@pytest.mark.parametrize(
    ("start", "end", "parts"),
    [
        (0, 4, ["to_end"]),
        (23, 24, ["from_start"]),
        (8, 20, ["from_start", "to_end"]),
        (0, 24, ["from_start", "to_end"]),
    ],
)
def test_the_ends_of_the_day_are_no_part_of_hours(start: int, end: int, parts: list[str]) -> None:
    """A new strategy's test asks of every part that it is met at times, and not always."""
    bound, clock = hours(start, end).on(axis(24)), np.arange(1, 25) % 24
    assert list(bound.parts) == parts
    np.testing.assert_array_equal(bound.met, (clock >= start) & (clock < end))


@pytest.mark.parametrize("rule", [hours(0, 12), hours(12, 1), weekdays("sat", "sun")])
def test_at_a_candle_without_a_time_no_time_is_met(rule: Rule) -> None:
    known = axis(3)
    unknown = Axis(known.dates.where([True, False, True]), known.timeframe)
    assert not rule.on(unknown).met[1]


def test_each_part_keeps_its_name_and_numbers() -> None:
    value = pd.Series([1.0])
    trigger = any_of(dip=below(value, 0.5), calm=all_of(low=above(value, 2.0), late=hours(8, 20)))
    named = with_parts({"trigger": trigger.on(axis(1))})
    assert list(named) == [
        "trigger",
        "trigger.dip",
        "trigger.calm",
        "trigger.calm.low",
        "trigger.calm.late",
        "trigger.calm.late.from_start",
        "trigger.calm.late.to_end",
    ]
    assert (named["trigger.dip"].value[0], named["trigger.dip"].limit[0]) == (1.0, 0.5)
    assert (named["trigger"].value[0], named["trigger"].relation) == (0.0, ">=")


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: any_of(), "any_of() has no parts"),
        (lambda: all_of(up=True), "all_of(up=True): expected a rule"),  # type: ignore[arg-type]
        (lambda: hours(8, 25), "hours(8, 25): expected two hours of the day, 0 to 24"),
        (lambda: weekdays("monday"), "expected some of mon, tue, wed, thu, fri, sat, sun"),
        (lambda: within(0, state(True)), "within(0): expected a length of time such as '12h'"),
        (lambda: within("10m", state(True)).on(axis(1)), "shorter than a candle of 1h"),
        (
            lambda: within("soon", state(True)).on(axis(1)),
            "within('soon'): expected a length of time",
        ),
    ],
)
def test_what_cannot_be_meant_is_told_with_what_can(make: object, text: str) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        make()  # type: ignore[operator]
