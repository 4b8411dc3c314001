"""A waiting buy follows the market up to a bound, never beyond it, and never down."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.core.pricing import followed

PRICES = st.floats(1, 1e5)


@pytest.mark.parametrize(
    ("proposed", "limit"),
    [(99.0, 100.0), (100.0, 100.0), (100.5, 100.5), (101.0, 101.0), (101.001, math.nan)],
)
def test_it_follows_half_an_atr_above_the_signal(proposed: float, limit: float) -> None:
    """The signal closed at 100 with an ATR of 2; the order waits at 100."""
    assert followed(proposed, 100.0, 100.0, 2.0, 0.5) == pytest.approx(limit, nan_ok=True)


@pytest.mark.parametrize(("close", "atr"), [(math.nan, 2.0), (100.0, math.nan)])
def test_what_is_unknown_is_not_followed(close: float, atr: float) -> None:
    assert math.isnan(followed(101.0, 100.0, close, atr, 0.5))
    assert math.isnan(followed(math.nan, 100.0, 100.0, 2.0, 0.5))


@given(PRICES, PRICES, PRICES, st.floats(0.01, 1e4), st.floats(0, 5))
def test_it_is_never_lowered_and_never_raised_beyond_its_bound(
    proposed: float, current: float, close: float, atr: float, most: float
) -> None:
    limit = followed(proposed, current, close, atr, most)
    assert math.isnan(limit) or current <= limit <= max(current, close + most * atr)
