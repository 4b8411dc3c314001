"""Costs only ever make a price worse: more with size, volatility, thinness, shock and level."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.config.costs import CostSettings
from ballast.core.costs import LEVELS, Conditions, CostLevel, CostModel, FillCost

MODEL = CostSettings().model()
QUIET = Conditions(volatility=0.04, turnover=400e6)

ratios = st.floats(0, 0.5)
money = st.floats(1, 1e9)
prices = st.floats(1e-6, 1e6)
levels = st.sampled_from(list(LEVELS.values()))
unknown = st.just(math.nan)
conditions = st.builds(
    Conditions,
    volatility=ratios | unknown,
    turnover=st.floats(0, 1e11) | unknown,
    shock=st.booleans(),
    spread=st.floats(-0.01, 0.01) | unknown,
    tick=st.floats(0, 0.01),
)


def at(level: CostLevel) -> CostModel:
    return replace(MODEL, level=level)


@given(money, conditions, levels, prices, st.floats(0, 1.5))
def test_no_price_is_ever_better_than_the_one_asked(
    value: float, seen: Conditions, level: CostLevel, asked: float, low: float
) -> None:
    model = at(level)
    cost = model.of(value, seen)
    assert cost.buy(asked) >= asked
    assert 0 < cost.sell(asked) <= asked
    stop = model.stop_fill(asked, asked * low, cost)
    assert 0 <= stop <= cost.sell(asked)


@given(money, st.floats(1, 100), conditions, levels)
def test_larger_orders_never_cost_less(
    value: float, times: float, seen: Conditions, level: CostLevel
) -> None:
    assert at(level).of(times * value, seen).total >= at(level).of(value, seen).total


@given(money, conditions, ratios, ratios, levels)
def test_more_volatility_never_costs_less(
    value: float, seen: Conditions, one: float, other: float, level: CostLevel
) -> None:
    low, high = sorted((one, other))
    calm, wild = (seen._replace(volatility=each) for each in (low, high))
    assert at(level).of(value, wild).total >= at(level).of(value, calm).total


@given(money, conditions, st.floats(1, 1e11), st.floats(1, 1e11), levels)
def test_less_turnover_never_costs_less(
    value: float, seen: Conditions, one: float, other: float, level: CostLevel
) -> None:
    thin, deep = (seen._replace(turnover=each) for each in sorted((one, other)))
    assert at(level).of(value, thin).total >= at(level).of(value, deep).total


@given(money, conditions, levels)
def test_a_shock_never_costs_less(value: float, seen: Conditions, level: CostLevel) -> None:
    shock, calm = (seen._replace(shock=on) for on in (True, False))
    assert at(level).of(value, shock).total >= at(level).of(value, calm).total


@given(money, conditions, prices, st.floats(0, 1.5))
def test_each_level_costs_at_least_what_the_one_before_does(
    value: float, seen: Conditions, asked: float, low: float
) -> None:
    costs = [at(level).of(value, seen) for level in LEVELS.values()]
    stops = [
        at(level).stop_fill(asked, asked * low, cost)
        for level, cost in zip(LEVELS.values(), costs, strict=True)
    ]
    assert [cost.total for cost in costs] == sorted(cost.total for cost in costs)
    assert stops == sorted(stops, reverse=True)


@given(money, conditions, prices)
def test_the_level_none_costs_nothing(value: float, seen: Conditions, asked: float) -> None:
    cost = at(LEVELS["none"]).of(value, seen)
    assert (cost.buy(asked), cost.sell(asked)) == (asked, asked)


def test_impact_is_the_square_root_law() -> None:
    """5,000 in a pair that turns over two billion a day at 2.5 % volatility: 0.4 basis points."""
    deep = MODEL.of(5_000, Conditions(0.025, 2e9)).impact
    thin = MODEL.of(5_000, Conditions(0.06, 2e6)).impact
    assert 1e4 * deep == pytest.approx(0.395, abs=0.001)
    assert 1e4 * thin == pytest.approx(30.0, abs=0.1)


@pytest.mark.parametrize(
    ("turnover", "bps"),
    [(200e6, 1.0), (199e6, 3.0), (20e6, 3.0), (19e6, 10.0), (0.0, 10.0), (math.nan, 10.0)],
)
def test_class_of_a_pair_follows_from_its_turnover(turnover: float, bps: float) -> None:
    cost = MODEL.of(100, QUIET._replace(turnover=turnover))
    assert 1e4 * cost.half_spread == pytest.approx(bps)


@pytest.mark.parametrize("seen", [Conditions(math.nan, 1e9), Conditions(0.04, 0.0)])
def test_what_is_not_known_is_charged_at_the_cap(seen: Conditions) -> None:
    assert MODEL.of(1, seen).impact == MODEL.impact_cap


def test_a_measured_spread_counts_where_it_is_wider_than_the_class() -> None:
    assert MODEL.of(100, QUIET._replace(spread=0.002)).half_spread == pytest.approx(0.001)
    assert MODEL.of(100, QUIET._replace(spread=0.0001)).half_spread == pytest.approx(0.0001)
    assert MODEL.of(100, QUIET._replace(spread=-0.01)).half_spread == pytest.approx(0.0001)


def test_no_book_is_narrower_than_a_tick() -> None:
    assert MODEL.of(100, QUIET._replace(tick=0.001)).half_spread == pytest.approx(0.0005)


@pytest.mark.parametrize(("low", "paid"), [(96, 99), (100, 100), (101, 100)])
def test_a_stop_fills_a_share_of_the_way_to_the_low(low: float, paid: float) -> None:
    assert MODEL.stop_fill(100, low, FillCost(0.0, 0.0)) == paid
