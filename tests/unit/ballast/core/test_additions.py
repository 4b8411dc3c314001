"""An addition leaves the whole position what one trade may be: in loss, in value, in the sums."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.core.reasons import Reason
from ballast.core.sizing import (
    NO_TRADE,
    Held,
    RiskBudget,
    SizingInputs,
    loss_ratio,
    size,
    size_addition,
)
from tests.unit.ballast.core.test_sizing import BUDGET, BUDGETS, INPUTS, ROUNDING, situations

PRICE_RISK = loss_ratio(INPUTS.entry, INPUTS.stop, BUDGET.costs)
ONE_TRADE = INPUTS.equity * BUDGET.per_trade
NOTHING = Held(value=0.0, loss=0.0)


@st.composite
def positions(draw: st.DrawFn) -> Held:
    return Held(value=draw(st.floats(0, 1e6)), loss=draw(st.floats(0, 1e5)))


def test_what_is_left_of_one_trades_loss_is_what_is_added() -> None:
    sized = size_addition(INPUTS, Held(value=500.0, loss=20.0), BUDGET)
    assert sized.binding == Reason.RISK_AT_STOP
    assert sized.stake == pytest.approx((ONE_TRADE - 20) / PRICE_RISK)


@pytest.mark.parametrize("beyond", [0.0, 1e-9, 5.0])
def test_position_at_its_budget_gets_nothing(beyond: float) -> None:
    """However far price has fallen: averaging down ends where a trade's loss is reached."""
    held = Held(value=900.0, loss=ONE_TRADE + beyond)
    sized = size_addition(INPUTS, held, BUDGET)
    assert (sized.stake, sized.binding) == (NO_TRADE, Reason.RISK_AT_STOP)


def test_caps_on_one_trade_count_what_is_held() -> None:
    """The value of a position is capped, not that of each of its orders."""
    near = INPUTS._replace(stop=99.9)
    sized = size_addition(near, Held(value=1_800.0, loss=0.0), BUDGET)
    assert (sized.binding, sized.stake) == (Reason.POSITION_CAP, pytest.approx(200))
    wild = near._replace(volatility=0.06)
    sized = size_addition(wild, Held(value=1_600.0, loss=0.0), BUDGET)
    assert (sized.binding, sized.stake) == (
        Reason.VOLATILITY_TARGET,
        pytest.approx(10_000 * 0.01 / 0.06 - 1_600),
    )


def test_stop_that_is_not_below_the_price_gives_nothing() -> None:
    above = INPUTS._replace(stop=101.0)
    assert size_addition(above, NOTHING, BUDGET).binding == Reason.STOP_NOT_BELOW_ENTRY


@pytest.mark.parametrize("held", [Held(math.nan, 0.0), Held(0.0, math.nan), Held(0.0, math.inf)])
def test_unknown_position_gets_nothing(held: Held) -> None:
    assert size_addition(INPUTS, held, BUDGET).stake == NO_TRADE


def test_guards_that_leave_nothing_are_named() -> None:
    sized = size_addition(INPUTS._replace(multiplier=0.0), NOTHING, BUDGET)
    assert (sized.stake, sized.binding) == (NO_TRADE, Reason.GUARDS)


def test_stake_below_the_exchanges_minimum_is_none() -> None:
    held = Held(value=500.0, loss=ONE_TRADE - 1)
    at_it = size_addition(INPUTS, held, BUDGET).stake
    least = INPUTS._replace(min_stake=at_it)
    assert size_addition(least, held, BUDGET).stake == at_it
    more = INPUTS._replace(min_stake=at_it + 0.01)
    assert size_addition(more, held, BUDGET).binding == Reason.BELOW_EXCHANGE_MINIMUM


@settings(max_examples=300, deadline=None)
@given(situations(), positions(), BUDGETS, st.floats(0, 1))
def test_whole_position_loses_no_more_than_one_trade(
    inputs: SizingInputs, held: Held, budget: RiskBudget, multiplier: float
) -> None:
    inputs = inputs._replace(multiplier=multiplier)
    sized = size_addition(inputs, held, budget)
    loss = loss_ratio(inputs.entry, inputs.stop, budget.costs)
    allowed = multiplier * inputs.equity * budget.per_trade
    assert sized.stake == 0 or held.loss + sized.stake * loss <= allowed * ROUNDING
    assert (
        sized.stake == 0 or held.value + sized.stake <= inputs.equity * budget.position * ROUNDING
    )


@settings(max_examples=300, deadline=None)
@given(situations(), positions(), BUDGETS, st.floats(0, 1))
def test_sums_of_all_positions_hold(
    inputs: SizingInputs, held: Held, budget: RiskBudget, multiplier: float
) -> None:
    sized = size_addition(inputs._replace(multiplier=multiplier), held, budget)
    loss = loss_ratio(inputs.entry, inputs.stop, budget.costs)
    if sized.stake:
        left = inputs.equity * budget.heat - inputs.open_risk
        assert sized.stake * loss <= left * ROUNDING
        assert sized.stake <= (inputs.equity * budget.exposure - inputs.exposure) * ROUNDING
        assert sized.stake <= inputs.free_balance * ROUNDING


@settings(max_examples=300, deadline=None)
@given(situations(), positions(), BUDGETS, st.floats(0, 1))
def test_more_of_a_position_and_less_of_the_guards_never_add_more(
    inputs: SizingInputs, held: Held, budget: RiskBudget, share: float
) -> None:
    now = size_addition(inputs, held, budget).stake
    more = Held(held.value * (1 + share), held.loss * (1 + share))
    assert size_addition(inputs, more, budget).stake <= now
    less = inputs._replace(multiplier=inputs.multiplier * share)
    assert size_addition(less, held, budget).stake <= now * ROUNDING
    assert now <= size(inputs._replace(min_stake=0.0), budget).stake * ROUNDING
