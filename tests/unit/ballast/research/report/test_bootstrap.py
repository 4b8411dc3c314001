"""The bootstrap keeps memory, covers the truth as often as it says."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.research.report.bootstrap import (
    block_length,
    interval,
    mean_interval,
    outcomes,
    positions_drawn,
)


def autoregressive(n: int, memory: float, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal(n + 200)
    x = np.zeros(n + 200)
    for i in range(1, n + 200):
        x[i] = memory * x[i - 1] + noise[i]
    return x[200:]


def daily(returns: list[float] | np.ndarray, start: str = "2021-01-01") -> pd.Series:
    dates = pd.date_range(start, periods=len(returns), freq="1D", tz="UTC")
    return pd.Series(np.asarray(returns, dtype=float), index=dates)


# Computed by `arch` 8.0.0, `optimal_block_length(x)["stationary"]`, on the same series.
@pytest.mark.parametrize(
    ("n", "memory", "seed", "by_arch"),
    [
        (50, 0.95, 1, 9.636144642934255),
        (200, 0.9, 1, 19.83012199562444),
        (500, -0.4, 1, 4.908415735532457),
        (500, 0.3, 4, 7.321467070650839),
        (1000, 0.0, 1, 1.4600612670697535),
        (1000, 0.95, 3, 45.24768062692188),
    ],
)
def test_block_length_is_that_of_another_implementation(
    n: int, memory: float, seed: int, by_arch: float
) -> None:
    assert block_length(autoregressive(n, memory, seed)) == pytest.approx(by_arch, rel=1e-6)


@pytest.mark.parametrize("memory", [0.3, 0.6, 0.8])
def test_block_length_of_a_long_series_is_near_the_optimum_that_its_memory_has(
    memory: float,
) -> None:
    n = 8_000
    found = np.mean([block_length(autoregressive(n, memory, seed)) for seed in range(4)])
    # Of an AR(1): g = 2 a / (1 - a)^2 and the spectrum (1 + a) / (1 - a), in units of the variance.
    optimum = (2 * memory / (1 - memory**2)) ** (2 / 3) * n ** (1 / 3)
    assert found == pytest.approx(optimum, rel=0.25)


def test_blocks_are_as_long_as_asked_on_average() -> None:
    drawn = np.concatenate(list(positions_drawn(400, 10.0, 300, seed=1)))
    follows = (np.diff(drawn, axis=1) % 400) == 1
    # A new block begins with 1/10 and happens to continue the old one with 1/400.
    assert follows.mean() == pytest.approx(0.9 + 0.1 / 400, abs=0.003)


def test_every_value_is_drawn_equally_often() -> None:
    drawn = np.concatenate(list(positions_drawn(50, 5.0, 4_000, seed=2)))
    counts = np.bincount(drawn.ravel(), minlength=50)
    assert counts.min() > 0.9 * counts.mean()
    assert counts.max() < 1.1 * counts.mean()


def test_an_interval_of_days_with_memory_covers_the_truth_about_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(120):
        low, high = mean_interval(autoregressive(400, 0.5, seed), seed=seed, draws=400)
        covered += low <= 0.0 <= high
    assert 0.82 <= covered / 120 <= 0.95


def test_without_blocks_it_would_not() -> None:
    covered = 0
    for seed in range(120):
        low, high = mean_interval(autoregressive(400, 0.5, seed), seed=seed, draws=400, block=1.0)
        covered += low <= 0.0 <= high
    assert covered / 120 < 0.75


def test_the_same_seed_gives_the_same_outcomes() -> None:
    returns = daily(0.01 * autoregressive(120, 0.2, 5))
    assert outcomes(returns, 0.1, seed=3, draws=200) == outcomes(returns, 0.1, seed=3, draws=200)
    assert outcomes(returns, 0.1, seed=3, draws=200) != outcomes(returns, 0.1, seed=4, draws=200)


def test_constant_gains_have_one_outcome_only() -> None:
    found = outcomes(daily([0.001] * 59), 0.1, draws=100)
    assert found is not None
    assert found.total_return.low == pytest.approx(1.001**59 - 1)
    assert found.total_return.high == pytest.approx(1.001**59 - 1)
    # February of 2021 is the shorter of the two months.
    assert found.worst_month.middle == pytest.approx(1.001**28 - 1)
    assert (found.drawdown.high, found.beyond_limit, found.loss) == (0.0, 0.0, 0.0)


def test_a_loss_from_the_start_is_a_drawdown() -> None:
    found = outcomes(daily([-0.01] * 20), 0.1, draws=50)
    assert found is not None
    assert found.drawdown.middle == pytest.approx(1 - 0.99**20)
    assert found.beyond_limit == 1.0
    assert found.loss == 1.0


def test_order_is_varied_and_so_is_the_end() -> None:
    found = outcomes(daily([0.05, -0.03] * 50), 0.1, draws=500)
    assert found is not None
    assert found.total_return.low < 1.05**50 * 0.97**50 - 1 < found.total_return.high


@settings(max_examples=30)
@given(st.lists(st.floats(-0.05, 0.05), min_size=20, max_size=60), st.floats(1.1, 3.0))
def test_larger_bets_mean_larger_drawdowns(returns: list[float], factor: float) -> None:
    plain = outcomes(daily(returns), 0.1, draws=100, least_block=3.0)
    larger = outcomes(daily(np.asarray(returns) * factor), 0.1, draws=100, least_block=3.0)
    assert plain is not None
    assert larger is not None
    assert larger.drawdown.high >= plain.drawdown.high - 1e-9
    assert larger.beyond_limit >= plain.beyond_limit


@settings(max_examples=30)
@given(st.lists(st.floats(-0.05, 0.05), min_size=20, max_size=60), st.floats(0.0, 0.02))
def test_a_constant_gain_on_top_moves_every_figure_one_way(
    returns: list[float], more: float
) -> None:
    plain = outcomes(daily(returns), 0.1, draws=100, least_block=20.0)
    better = outcomes(daily(np.asarray(returns) + more), 0.1, draws=100, least_block=20.0)
    assert plain is not None
    assert better is not None
    if plain.block == better.block:
        assert better.total_return.middle >= plain.total_return.middle - 1e-9
        assert better.worst_month.low >= plain.worst_month.low - 1e-9
        assert better.drawdown.middle <= plain.drawdown.middle + 1e-9


@pytest.mark.parametrize("returns", [[], [0.01]])
def test_nothing_is_drawn_from_one_value(returns: list[float]) -> None:
    assert outcomes(daily(returns), 0.1) is None
    assert all(math.isnan(edge) for edge in mean_interval(np.array(returns)))


def test_an_interval_is_of_any_figure() -> None:
    low, high = interval(np.arange(100.0), lambda drawn: drawn.max(axis=1), draws=200, block=1.0)
    assert 90 <= low <= high == 99.0
