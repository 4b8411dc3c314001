"""Size is the smallest of its caps: nothing adds to it, and what is missing makes it nothing."""

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.core.heat import StopCosts
from ballast.core.reasons import Reason
from ballast.core.sizing import NO_TRADE, RiskBudget, Sized, SizingInputs, loss_ratio, size

BUDGET = RiskBudget(
    per_trade=0.005,
    heat=0.02,
    cluster_heat=0.015,
    position=0.2,
    exposure=0.25,
    daily_volatility=0.01,
    turnover_share=0.01,
    costs=StopCosts(round_trip=0.003, gap=0.002),
)
# A quiet, liquid market and an empty account: the risk at the stop binds.
INPUTS = SizingInputs(
    equity=10_000.0,
    entry=100.0,
    stop=95.0,
    volatility=0.03,
    turnover=1e7,
    exposure=0.0,
    open_risk=0.0,
    cluster_risk=0.0,
    free_balance=10_000.0,
)
# By cap, inputs at which it is the smallest, and the stake that it allows.
BINDING: dict[str, tuple[dict[str, Any], float]] = {
    "RISK_AT_STOP": ({}, 50 / 0.055),
    "PORTFOLIO_HEAT": ({"open_risk": 180.0}, 20 / 0.055),
    "POSITION_CAP": ({"stop": 99.9}, 2_000.0),
    "VOLATILITY_TARGET": ({"volatility": 0.5}, 200.0),
    "LIQUIDITY": ({"turnover": 1_000.0}, 10.0),
    "EXPOSURE_CAP": ({"exposure": 2_400.0}, 100.0),
    "FREE_BALANCE": ({"free_balance": 7.0}, 7.0),
    "CLUSTER_HEAT": ({"cluster_risk": 149.0}, 1 / 0.055),
}
# Stakes are whole 1e-8 units, so that the last bit of a float may round either way.
ROUNDING = 1 + 1e-12

BUDGETS = st.builds(
    RiskBudget,
    per_trade=st.floats(1e-4, 0.02),
    heat=st.floats(1e-3, 0.2),
    cluster_heat=st.none() | st.floats(1e-3, 0.2),
    position=st.floats(0.01, 1),
    exposure=st.floats(0.01, 1),
    daily_volatility=st.floats(1e-3, 0.2),
    turnover_share=st.floats(1e-3, 0.2),
    costs=st.builds(StopCosts, round_trip=st.floats(0, 0.08), gap=st.floats(0, 0.1)),
)
DEPTHS = st.floats(1e-4, 0.99)
AMOUNTS = st.floats(0, 1e6)


@st.composite
def situations(draw: st.DrawFn) -> SizingInputs:
    """Any market and account, some with little left of a limit."""
    entry, equity = draw(st.floats(1e-8, 1e6)), draw(st.floats(1, 1e9))
    used = st.floats(0, 1).map(lambda share: share**4 * equity)
    return SizingInputs(
        equity=equity,
        entry=entry,
        stop=entry * (1 - draw(DEPTHS)),
        volatility=draw(st.floats(1e-4, 2)),
        turnover=draw(st.floats(0, 1e10)),
        exposure=draw(used),
        open_risk=draw(used.map(lambda amount: amount / 20)),
        cluster_risk=draw(used.map(lambda amount: amount / 20)),
        free_balance=draw(st.floats(0, 1e9)),
        multiplier=draw(st.floats(0, 1)),
    )


def sized(budget: RiskBudget = BUDGET, **changed: Any) -> Sized:
    return size(INPUTS._replace(**changed), budget)


@settings(max_examples=500)
@given(situations(), BUDGETS)
def test_a_stake_exceeds_no_cap_no_risk_budget_and_no_heat_left(
    inputs: SizingInputs, budget: RiskBudget
) -> None:
    found = size(inputs, budget)
    assert found.stake >= 0
    # Worked out anew, each limit by itself: what is lost at the stop, with costs of both sides and
    # the gap beyond it, and what is held.
    depth = (inputs.entry - inputs.stop) / inputs.entry
    loss = found.stake * (depth + budget.costs.round_trip + budget.costs.gap)
    equity = inputs.equity
    held = [
        (loss, equity * budget.per_trade),
        (loss, equity * budget.heat - inputs.open_risk),
        (found.stake, equity * budget.position),
        (found.stake * inputs.volatility, equity * budget.daily_volatility),
        (found.stake, inputs.turnover * budget.turnover_share),
        (found.stake, equity * budget.exposure - inputs.exposure),
        (found.stake, inputs.free_balance),
    ]
    if budget.cluster_heat is not None:
        held.append((loss, equity * budget.cluster_heat - inputs.cluster_risk))
    for amount, limit in held:
        assert amount <= max(0.0, inputs.multiplier * limit) * ROUNDING
    for cap in found.caps.values():
        assert found.stake <= max(0.0, inputs.multiplier * cap) * ROUNDING


@pytest.mark.parametrize(
    "worse",
    ["volatility", "exposure", "open_risk", "cluster_risk", "entry", "min_stake"],
)
@settings(max_examples=300)
@given(inputs=situations(), budget=BUDGETS, times=st.floats(1, 10), more=AMOUNTS)
def test_what_makes_a_trade_riskier_never_makes_it_larger(
    worse: str, inputs: SizingInputs, budget: RiskBudget, times: float, more: float
) -> None:
    """More volatility, more held, more at risk, a higher entry above the same stop."""
    figure = getattr(inputs, worse) * times + (0.0 if worse in ("volatility", "entry") else more)
    riskier = inputs._replace(**{worse: figure})
    assert size(riskier, budget).stake <= size(inputs, budget).stake * ROUNDING


@pytest.mark.parametrize("less", ["turnover", "free_balance", "multiplier", "stop"])
@settings(max_examples=300)
@given(inputs=situations(), budget=BUDGETS, share=st.floats(0, 1))
def test_less_of_what_a_trade_needs_never_makes_it_larger(
    less: str, inputs: SizingInputs, budget: RiskBudget, share: float
) -> None:
    """Less turnover, less to spend, a smaller multiplier, a wider stop."""
    poorer = inputs._replace(**{less: getattr(inputs, less) * share})
    assert size(poorer, budget).stake <= size(inputs, budget).stake * ROUNDING


@pytest.mark.parametrize(
    "volatilities", [(0.03, 0.5), (0.06, 0.07), (0.2, 0.4), (0.4, math.inf), (0.4, math.nan)]
)
def test_where_volatility_binds_more_of_it_makes_a_smaller_stake(
    volatilities: tuple[float, float],
) -> None:
    calm, wild = (sized(stop=99.0, volatility=figure).stake for figure in volatilities)
    assert wild < calm


@settings(max_examples=300)
@given(situations(), BUDGETS, st.integers(-40, 40))
def test_the_unit_of_price_does_not_change_the_stake(
    inputs: SizingInputs, budget: RiskBudget, power: int
) -> None:
    factor = 2.0**power
    prices = {"entry": inputs.entry * factor, "stop": inputs.stop * factor}
    assert size(inputs._replace(**prices), budget) == size(inputs, budget)


@settings(max_examples=500)
@given(st.lists(st.tuples(DEPTHS, st.floats(0, 1)), min_size=1, max_size=12), BUDGETS)
def test_the_heat_of_trades_sized_one_after_another_stays_within_its_limit(
    trades: list[tuple[float, float]], budget: RiskBudget
) -> None:
    heat = 0.0
    for depth, multiplier in trades:
        found = sized(budget, stop=100 * (1 - depth), open_risk=heat, multiplier=multiplier)
        if found.stake:
            heat += found.stake * found.loss_ratio
    assert heat <= INPUTS.equity * budget.heat * (1 + 1e-9)


def test_the_risk_at_stop_counts_distance_costs_and_gap() -> None:
    assert loss_ratio(100.0, 95.0, BUDGET.costs) == pytest.approx(0.05 + 0.003 + 0.002)
    found = sized()
    assert found.binding == "RISK_AT_STOP"
    assert found.stake == pytest.approx(10_000 * 0.005 / 0.055)
    assert found.loss_ratio == pytest.approx(0.055)


@pytest.mark.parametrize("cap", BINDING)
def test_the_cap_that_bound_is_named(cap: str) -> None:
    changed, stake = BINDING[cap]
    found = sized(**changed)
    assert found.binding == cap
    assert found.stake == pytest.approx(found.caps[Reason[cap]])
    assert found.stake == pytest.approx(stake)


def test_every_cap_there_is_binds_somewhere() -> None:
    assert set(sized().caps) == set(BINDING)


def test_without_a_limit_of_clusters_what_moves_together_is_not_held_back() -> None:
    free = dataclasses.replace(BUDGET, cluster_heat=None)
    assert "CLUSTER_HEAT" not in sized(free).caps
    assert sized(free, cluster_risk=1e6).stake == sized().stake


@pytest.mark.parametrize("open_risk", [200.0, 200.0001, 1e6])
def test_no_heat_left_is_no_trade(open_risk: float) -> None:
    found = sized(open_risk=open_risk)
    assert (found.stake, found.binding) == (NO_TRADE, "PORTFOLIO_HEAT")


def test_the_last_of_the_heat_may_be_used() -> None:
    assert sized(open_risk=199.0).stake == pytest.approx(1 / 0.055)


@pytest.mark.parametrize("stop", [100.0, 100.1, 0.0, -1.0, math.nan, math.inf, -math.inf])
def test_a_stop_that_is_not_below_the_entry_is_no_trade(stop: float) -> None:
    found = sized(stop=stop)
    assert (found.stake, found.binding) == (NO_TRADE, "STOP_NOT_BELOW_ENTRY")


@pytest.mark.parametrize("entry", [0.0, -1.0, math.nan, math.inf])
def test_an_entry_that_is_no_price_is_no_trade(entry: float) -> None:
    assert sized(entry=entry).stake == NO_TRADE


@pytest.mark.parametrize("missing", [math.nan, math.inf])
@pytest.mark.parametrize("field", SizingInputs._fields)
def test_a_figure_that_is_missing_is_no_trade(field: str, missing: float) -> None:
    changed: dict[str, Any] = {field: missing}
    assert sized(**changed).stake == NO_TRADE


@pytest.mark.parametrize("volatility", [0.0, -0.1])
def test_a_market_that_never_moves_is_not_known_and_no_trade(volatility: float) -> None:
    found = sized(volatility=volatility)
    assert (found.stake, found.binding) == (NO_TRADE, "VOLATILITY_TARGET")


@pytest.mark.parametrize(
    "field", [f.name for f in dataclasses.fields(RiskBudget) if f.name != "costs"]
)
def test_a_budget_with_a_missing_figure_is_no_trade(field: str) -> None:
    missing: dict[str, Any] = {field: math.nan}
    assert sized(dataclasses.replace(BUDGET, **missing)).stake == NO_TRADE


@pytest.mark.parametrize("field", StopCosts._fields)
def test_a_missing_cost_is_no_trade(field: str) -> None:
    missing: dict[str, Any] = {field: math.nan}
    costs = BUDGET.costs._replace(**missing)
    assert sized(dataclasses.replace(BUDGET, costs=costs)).stake == NO_TRADE


def test_open_trades_whose_stops_lock_in_profit_add_nothing_to_the_heat_limit() -> None:
    tight = dataclasses.replace(BUDGET, heat=0.001)
    found = sized(tight, open_risk=-30.0)
    assert found.stake * found.loss_ratio <= 10_000 * tight.heat * ROUNDING


@pytest.mark.parametrize("equity", [0.0, -1.0, -1e9])
def test_no_equity_is_no_trade(equity: float) -> None:
    assert sized(equity=equity).stake == NO_TRADE


@pytest.mark.parametrize("multiplier", [-0.01, 1.01, math.nan, math.inf])
def test_a_multiplier_outside_zero_to_one_is_no_trade(multiplier: float) -> None:
    found = sized(multiplier=multiplier)
    assert (found.stake, found.binding) == (NO_TRADE, "MULTIPLIER_INVALID")


def test_guards_that_block_are_named() -> None:
    found = sized(multiplier=0.0)
    assert (found.stake, found.binding) == (NO_TRADE, "GUARDS")


def test_a_stake_exactly_at_the_exchanges_minimum_is_a_trade() -> None:
    stake = sized().stake
    assert sized(min_stake=stake).stake == stake


def test_a_stake_below_the_exchanges_minimum_is_no_trade_and_is_not_sized_up() -> None:
    found = sized(min_stake=sized().stake + 1e-8)
    assert (found.stake, found.binding) == (NO_TRADE, "BELOW_EXCHANGE_MINIMUM")


@given(st.floats(1e-7, 1e5))
def test_a_stake_is_rounded_down_to_whole_units(cap: float) -> None:
    stake = sized(equity=1e9, free_balance=cap).stake
    assert 0 <= cap - stake <= 1e-8 * 1.0001 or stake == pytest.approx(cap, rel=1e-12)


def test_less_than_the_smallest_unit_is_no_trade() -> None:
    found = sized(free_balance=0.9e-8)
    assert (found.stake, found.binding) == (NO_TRADE, "FREE_BALANCE")
