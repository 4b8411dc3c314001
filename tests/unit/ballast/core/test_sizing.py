"""Size is the smallest of its caps: nothing adds to it, and what is missing makes it nothing."""

import dataclasses
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.core.sizing import NO_TRADE, RiskBudget, loss_ratio, size

BUDGET = RiskBudget(
    per_trade=0.005, heat=0.02, position=0.2, round_trip_cost=0.003, gap_allowance=0.002
)
# Stakes are whole 1e-8 units, so that the last bit of a float may round either way.
ROUNDING = 1 + 1e-12

BUDGETS = st.builds(
    RiskBudget,
    per_trade=st.floats(1e-4, 0.02),
    heat=st.floats(1e-3, 0.2),
    position=st.floats(0.01, 1),
    round_trip_cost=st.floats(0, 0.08),
    gap_allowance=st.floats(0, 0.1),
)
EQUITIES = st.floats(1, 1e9)
PRICES = st.floats(1e-8, 1e6)
DEPTHS = st.floats(1e-4, 0.99)
CAPS = st.dictionaries(st.sampled_from(["LIQUIDITY", "VOLATILITY", "BALANCE"]), st.floats(-10, 1e9))


@settings(max_examples=500, deadline=None)
@given(EQUITIES, PRICES, DEPTHS, st.floats(0, 1), BUDGETS, st.floats(0, 1), CAPS)
def test_a_stake_exceeds_no_cap_no_risk_budget_and_no_heat_left(
    equity: float,
    entry: float,
    depth: float,
    used: float,
    budget: RiskBudget,
    multiplier: float,
    caps: dict[str, float],
) -> None:
    stop, open_risk = entry * (1 - depth), used * equity * budget.heat * 1.5
    sized = size(equity, entry, stop, open_risk, budget, multiplier=multiplier, other_caps=caps)
    assert sized.stake >= 0
    # Worked out anew: distance to the stop, costs of both sides, and the gap beyond the stop.
    loss = sized.stake * ((entry - stop) / entry + budget.round_trip_cost + budget.gap_allowance)
    assert loss <= equity * budget.per_trade * ROUNDING
    assert loss <= max(0.0, equity * budget.heat - open_risk) * ROUNDING
    assert sized.stake <= equity * budget.position * ROUNDING
    for cap in [*caps.values(), *sized.caps.values()]:
        assert sized.stake <= max(0.0, multiplier * cap) * ROUNDING


@settings(max_examples=500, deadline=None)
@given(EQUITIES, PRICES, DEPTHS, DEPTHS, BUDGETS)
def test_a_wider_stop_never_makes_a_larger_stake(
    equity: float, entry: float, depth: float, wider: float, budget: RiskBudget
) -> None:
    near, far = sorted((depth, wider))
    narrow = size(equity, entry, entry * (1 - near), 0.0, budget).stake
    assert size(equity, entry, entry * (1 - far), 0.0, budget).stake <= narrow * ROUNDING


@settings(max_examples=500, deadline=None)
@given(EQUITIES, DEPTHS, BUDGETS, st.floats(1e-4, 2), st.floats(1, 10))
def test_a_larger_volatility_never_makes_a_larger_stake(
    equity: float, depth: float, budget: RiskBudget, volatility: float, times: float
) -> None:
    def stake(sigma: float) -> float:
        caps = {"VOLATILITY_TARGET": equity * 0.01 / sigma}
        return size(equity, 100.0, 100.0 * (1 - depth), 0.0, budget, other_caps=caps).stake

    assert stake(volatility * times) <= stake(volatility)


@settings(max_examples=500, deadline=None)
@given(EQUITIES, DEPTHS, BUDGETS, st.floats(0, 1), st.floats(0, 1), st.floats(0, 1e6))
def test_a_smaller_multiplier_more_heat_or_another_cap_never_makes_a_larger_stake(
    equity: float, depth: float, budget: RiskBudget, one: float, other: float, cap: float
) -> None:
    less, more = sorted((one, other))
    stop = 100.0 * (1 - depth)
    full = size(equity, 100.0, stop, 0.0, budget, multiplier=more).stake
    assert size(equity, 100.0, stop, 0.0, budget, multiplier=less).stake <= full
    assert size(equity, 100.0, stop, cap, budget, multiplier=more).stake <= full
    capped = size(equity, 100.0, stop, 0.0, budget, multiplier=more, other_caps={"CAP": cap})
    assert capped.stake <= full


@settings(max_examples=500, deadline=None)
@given(PRICES, DEPTHS, st.integers(-40, 40))
def test_the_unit_of_price_does_not_change_the_stake(
    entry: float, depth: float, power: int
) -> None:
    stop, factor = entry * (1 - depth), 2.0**power
    assert size(1e4, entry, stop, 10.0, BUDGET) == size(
        1e4, entry * factor, stop * factor, 10.0, BUDGET
    )


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(DEPTHS, st.floats(0, 1)), min_size=1, max_size=12), BUDGETS)
def test_the_heat_of_trades_sized_one_after_another_stays_within_its_limit(
    trades: list[tuple[float, float]], budget: RiskBudget
) -> None:
    heat = 0.0
    for depth, multiplier in trades:
        sized = size(1e4, 50.0, 50.0 * (1 - depth), heat, budget, multiplier=multiplier)
        if sized.stake:
            heat += sized.stake * sized.loss_ratio
    assert heat <= 1e4 * budget.heat * (1 + 1e-9)


def test_the_risk_at_stop_counts_distance_costs_and_gap() -> None:
    assert loss_ratio(100.0, 95.0, BUDGET) == pytest.approx(0.05 + 0.003 + 0.002)
    sized = size(10_000, 100.0, 95.0, 0.0, BUDGET)
    assert sized.binding == "RISK_AT_STOP"
    assert sized.stake == pytest.approx(10_000 * 0.005 / 0.055)
    assert sized.loss_ratio == pytest.approx(0.055)


@pytest.mark.parametrize(
    ("open_risk", "stop", "caps", "binding"),
    [
        (0.0, 95.0, {}, "RISK_AT_STOP"),
        (180.0, 95.0, {}, "PORTFOLIO_HEAT"),
        (0.0, 99.9, {}, "POSITION_CAP"),
        (0.0, 95.0, {"LIQUIDITY": 10.0}, "LIQUIDITY"),
    ],
)
def test_the_cap_that_bound_is_named(
    open_risk: float, stop: float, caps: dict[str, float], binding: str
) -> None:
    sized = size(10_000, 100.0, stop, open_risk, BUDGET, other_caps=caps)
    assert sized.binding == binding
    assert sized.stake == pytest.approx(sized.caps[binding])


@pytest.mark.parametrize("open_risk", [200.0, 200.0001, 1e6])
def test_no_heat_left_is_no_trade(open_risk: float) -> None:
    sized = size(10_000, 100.0, 95.0, open_risk, BUDGET)
    assert (sized.stake, sized.binding) == (NO_TRADE, "PORTFOLIO_HEAT")


def test_the_last_of_the_heat_may_be_used() -> None:
    assert size(10_000, 100.0, 95.0, 199.0, BUDGET).stake == pytest.approx(1 / 0.055)


@pytest.mark.parametrize("stop", [100.0, 100.1, 0.0, -1.0, math.nan, math.inf, -math.inf])
def test_a_stop_that_is_not_below_the_entry_is_no_trade(stop: float) -> None:
    sized = size(10_000, 100.0, stop, 0.0, BUDGET)
    assert (sized.stake, sized.binding) == (NO_TRADE, "STOP_NOT_BELOW_ENTRY")


@pytest.mark.parametrize("entry", [0.0, -1.0, math.nan, math.inf])
def test_an_entry_that_is_no_price_is_no_trade(entry: float) -> None:
    assert size(10_000, entry, 95.0, 0.0, BUDGET).stake == NO_TRADE


@pytest.mark.parametrize("missing", [math.nan, math.inf, -math.inf])
def test_a_figure_that_is_missing_is_no_trade(missing: float) -> None:
    assert size(missing, 100.0, 95.0, 0.0, BUDGET).stake == NO_TRADE
    assert size(10_000, 100.0, 95.0, missing, BUDGET).stake == NO_TRADE
    assert size(10_000, 100.0, 95.0, 0.0, BUDGET, other_caps={"CAP": missing}).stake == NO_TRADE


@pytest.mark.parametrize("field", [f.name for f in dataclasses.fields(RiskBudget)])
def test_a_budget_with_a_missing_figure_is_no_trade(field: str) -> None:
    broken = dataclasses.replace(BUDGET, **{field: math.nan})
    assert size(10_000, 100.0, 95.0, 0.0, broken).stake == NO_TRADE


def test_a_minimum_of_the_exchange_that_is_missing_is_no_trade() -> None:
    assert size(10_000, 100.0, 95.0, 0.0, BUDGET, min_stake=math.nan).stake == NO_TRADE


def test_open_trades_whose_stops_lock_in_profit_add_nothing_to_the_heat_limit() -> None:
    tight = dataclasses.replace(BUDGET, heat=0.001)
    sized = size(10_000, 100.0, 95.0, -30.0, tight)
    assert sized.stake * sized.loss_ratio <= 10_000 * tight.heat * ROUNDING


@pytest.mark.parametrize("equity", [0.0, -1.0, -1e9])
def test_no_equity_is_no_trade(equity: float) -> None:
    assert size(equity, 100.0, 95.0, 0.0, BUDGET).stake == NO_TRADE


@pytest.mark.parametrize("multiplier", [-0.01, 1.01, math.nan, math.inf])
def test_a_multiplier_outside_zero_to_one_is_no_trade(multiplier: float) -> None:
    sized = size(10_000, 100.0, 95.0, 0.0, BUDGET, multiplier=multiplier)
    assert (sized.stake, sized.binding) == (NO_TRADE, "MULTIPLIER_INVALID")


def test_guards_that_block_are_named() -> None:
    sized = size(10_000, 100.0, 95.0, 0.0, BUDGET, multiplier=0.0)
    assert (sized.stake, sized.binding) == (NO_TRADE, "GUARDS")


def test_a_stake_exactly_at_the_exchanges_minimum_is_a_trade() -> None:
    stake = size(10_000, 100.0, 95.0, 0.0, BUDGET).stake
    assert size(10_000, 100.0, 95.0, 0.0, BUDGET, min_stake=stake).stake == stake


def test_a_stake_below_the_exchanges_minimum_is_no_trade_and_is_not_sized_up() -> None:
    stake = size(10_000, 100.0, 95.0, 0.0, BUDGET).stake
    sized = size(10_000, 100.0, 95.0, 0.0, BUDGET, min_stake=stake + 1e-8)
    assert (sized.stake, sized.binding) == (NO_TRADE, "BELOW_EXCHANGE_MINIMUM")


@given(st.floats(1e-7, 1e5))
def test_a_stake_is_rounded_down_to_whole_units(cap: float) -> None:
    stake = size(1e9, 100.0, 95.0, 0.0, BUDGET, other_caps={"CAP": cap}).stake
    assert 0 <= cap - stake <= 1e-8 * 1.0001 or stake == pytest.approx(cap, rel=1e-12)


def test_less_than_the_smallest_unit_is_no_trade() -> None:
    sized = size(10_000, 100.0, 95.0, 0.0, BUDGET, other_caps={"DUST": 0.9e-8})
    assert (sized.stake, sized.binding) == (NO_TRADE, "DUST")
