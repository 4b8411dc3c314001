"""
A loss at the stop counts what leaving costs; drawing stops closer brings the heat of all positions
to its limit, and loosens none.
"""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.core.heat import StopCosts, drawn_closer, loss_at_stop

ANY = st.floats(allow_nan=True, allow_infinity=True)
COSTS = StopCosts(round_trip=0.003, gap=0.005)
POSITIONS = st.lists(
    st.tuples(st.floats(0.01, 1e4), st.floats(1e-3, 1e5), st.floats(0.001, 0.999)),
    min_size=1,
    max_size=8,
)


def test_the_loss_at_a_stop_is_the_distance_with_costs_of_both_sides_and_the_gap() -> None:
    """Two hundred of distance were counted where two hundred and forty are at risk."""
    assert loss_at_stop(50.0, 100.0, 96.0, COSTS) == pytest.approx(200 + 40)


def test_a_stop_at_or_above_the_price_takes_nothing_off_the_costs() -> None:
    assert loss_at_stop(50.0, 100.0, 100.0, COSTS) == pytest.approx(40)
    assert loss_at_stop(50.0, 100.0, 120.0, COSTS) == pytest.approx(40)


@pytest.mark.parametrize("position", range(3))
def test_a_loss_with_a_missing_figure_is_not_known(position: int) -> None:
    figures = [50.0, 100.0, 96.0]
    figures[position] = math.nan
    amount, price, stop = figures
    assert math.isnan(loss_at_stop(amount, price, stop, COSTS))


@settings(max_examples=500)
@given(POSITIONS, st.floats(0.01, 0.999))
def test_heat_comes_down_to_exactly_what_is_allowed(
    positions: list[tuple[float, float, float]], share: float
) -> None:
    heat = sum(amount * price * depth for amount, price, depth in positions)
    after = 0.0
    for amount, price, depth in positions:
        stop = price * (1 - depth)
        closer = drawn_closer(price, stop, heat, heat * share)
        assert stop <= closer <= price
        after += amount * (price - closer)
    assert after == pytest.approx(heat * share, rel=1e-6)


@settings(max_examples=500)
@given(ANY, st.floats(allow_nan=False, allow_infinity=True), ANY, ANY)
def test_a_stop_is_never_lowered_whatever_the_figures(
    price: float, stop: float, heat: float, allowed: float
) -> None:
    assert drawn_closer(price, stop, heat, allowed) >= stop


@settings(max_examples=500)
@given(st.floats(1, 1e6), st.floats(0.01, 0.99), st.floats(0.01, 10), st.floats(0, 10))
def test_less_heat_allowed_never_loosens(
    price: float, depth: float, heat: float, allowed: float
) -> None:
    stop = price * (1 - depth)
    tighter = drawn_closer(price, stop, heat, allowed / 2)
    assert tighter >= drawn_closer(price, stop, heat, allowed) - 1e-9 * price


@pytest.mark.parametrize("position", range(4))
@pytest.mark.parametrize("missing", [math.nan, math.inf])
def test_a_missing_figure_leaves_the_stop(position: int, missing: float) -> None:
    figures = [100.0, 90.0, 5.0, 2.5]
    figures[position] = missing
    result = drawn_closer(*figures)
    assert result == figures[1] or math.isnan(figures[1])


def test_heat_exactly_at_the_limit_moves_nothing() -> None:
    assert drawn_closer(100.0, 90.0, 2.5, 2.5) == 90.0


def test_heat_one_step_past_the_limit_moves_the_stop() -> None:
    assert drawn_closer(100.0, 90.0, 2.6, 2.5) > 90.0


def test_half_the_heat_allowed_is_half_the_distance() -> None:
    assert drawn_closer(100.0, 90.0, 5.0, 2.5) == 95.0


@pytest.mark.parametrize("allowed", [0.0, -1.0])
def test_no_heat_allowed_puts_the_stop_at_the_price(allowed: float) -> None:
    assert drawn_closer(100.0, 90.0, 5.0, allowed) == 100.0


def test_no_heat_at_all_moves_nothing_even_below_nothing_allowed() -> None:
    assert drawn_closer(100.0, 90.0, 0.0, -1.0) == 90.0


def test_a_stop_through_the_market_stays() -> None:
    assert drawn_closer(100.0, 101.0, 5.0, 2.5) == 101.0
