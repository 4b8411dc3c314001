"""Units are exact, and what is rounded is rounded the way the name says."""

from hypothesis import given
from hypothesis import strategies as st

from sandbox.units import UNIT, share_down, text, value_down, value_up

AMOUNTS = st.integers(0, 10**18)


def test_rounding_goes_the_way_the_name_says() -> None:
    assert value_down(UNIT + 1, UNIT // 2) == UNIT // 2
    assert value_up(UNIT + 1, UNIT // 2) == UNIT // 2 + 1
    assert share_down(1999, 1000) == 1
    assert text(-1) == "-0.00000001"


@given(AMOUNTS, AMOUNTS, AMOUNTS)
def test_parts_never_cost_more_than_was_locked_for_the_whole(
    price: int, first: int, second: int
) -> None:
    locked = value_up(price, first + second)
    assert value_down(price, first) + value_up(price, second) <= locked
    assert value_up(price, first) - value_down(price, first) in (0, 1)
