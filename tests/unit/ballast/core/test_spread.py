"""The spread from candles: equal to the published estimator, and right where the truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from bidask import edge as published
from hypothesis import given
from hypothesis import strategies as st

from ballast.core.spread import edge

TRADES_A_CANDLE = 60
CANDLES = 2016  # a week of five minutes


def candles(spread: float, seed: int, count: int = CANDLES) -> tuple[np.ndarray, ...]:
    """Prices of a random walk with a spread around it, 60 % volatility a year, on 5 minutes."""
    random = np.random.default_rng(seed)
    ticks = count * TRADES_A_CANDLE
    step = 0.6 / math.sqrt(365 * 288 * TRADES_A_CANDLE)
    middle = np.exp(np.cumsum(random.normal(0, step, ticks)))
    paid = middle * (1 + spread / 2 * random.choice([-1, 1], ticks))
    rows = paid.reshape(count, TRADES_A_CANDLE)
    return rows[:, 0], rows.max(axis=1), rows.min(axis=1), rows[:, -1]


@given(st.integers(0, 1000), st.sampled_from([0.0, 0.0002, 0.003]), st.integers(3, 60))
def test_equal_to_the_published_estimator(seed: int, spread: float, count: int) -> None:
    made = candles(spread, seed, count)
    assert edge(*made) == pytest.approx(published(*made, sign=True), rel=1e-9, abs=1e-12)


def test_equal_to_the_published_estimator_where_candles_do_not_move() -> None:
    made = [prices.copy() for prices in candles(0.001, 1, 50)]
    for prices in made:
        prices[10:30] = 1.0
    assert edge(*made) == pytest.approx(published(*made, sign=True), rel=1e-9)


@pytest.mark.parametrize("bps", [5, 10, 30])
def test_finds_a_known_spread_within_two_basis_points(bps: int) -> None:
    found = [10_000 * edge(*candles(bps / 10_000, seed)) for seed in range(5)]
    assert np.median(found) == pytest.approx(bps, abs=2)


def test_says_nothing_of_prices_that_never_move_or_of_too_few() -> None:
    still = np.ones(20)
    assert math.isnan(edge(still, still, still, still))
    assert math.isnan(edge(*candles(0.001, 1, 2)))


def test_scaling_all_prices_changes_nothing() -> None:
    made = candles(0.001, 3)
    assert edge(*(1000 * prices for prices in made)) == pytest.approx(edge(*made), rel=1e-6)
