"""Stationary block bootstrap: what the same strategy could have shown in another order of luck.

Blocks of random length keep what neighbouring days have to do with each other (Politis and Romano,
1994, 'The Stationary Bootstrap', JASA 89). Drawing with replacement varies the end as well as the
way there; shuffling would vary only the way.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

DRAWS = 5_000
# Trades of one wave end together: shorter blocks would tear it apart.
LEAST_TRADES_IN_BLOCK = 5.0
_AT_ONCE = 500


@dataclass(frozen=True)
class Percentiles:
    """5th, 50th and 95th percentile of a figure over the draws (ratios)."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class BootstrapResult:
    """
    What the draws came to; ratios.

    Parameters
    ----------
    total_return, drawdown, worst_month : Percentiles
        Drawdowns are positive and measured on the values drawn (days or closed trades), so that a
        fall within a day is not seen. Months are those of the calendar that the values had.
    beyond_limit : float
        Share of the draws with a drawdown beyond `limit`.
    loss : float
        Share of the draws that lost money.
    block : float
        Mean length of the blocks, in values.
    """

    total_return: Percentiles
    drawdown: Percentiles
    worst_month: Percentiles
    beyond_limit: float
    limit: float
    loss: float
    block: float
    draws: int


def outcomes(
    returns: pd.Series,
    limit: float,
    seed: int = 1,
    draws: int = DRAWS,
    least_block: float = 1.0,
) -> BootstrapResult | None:
    """
    Bootstrap returns that follow one another.

    Parameters
    ----------
    returns : Series over UTC time
        Changes of the account by day or by closed trade (ratio), in order.
    limit : float
        Drawdown whose chance is asked (positive ratio).
    least_block : float
        Blocks are at least this long on average.

    Returns
    -------
    BootstrapResult or None
        None with fewer than two returns: there is nothing to draw from.
    """
    if len(returns) < 2:
        return None
    values = returns.to_numpy(dtype=float)
    # Calm and violent times come in clusters, and falls are made of the latter.
    block = max(block_length(values), block_length(np.abs(values)), least_block)
    block = min(block, len(returns) / 2)
    logs = np.log1p(np.maximum(values, -0.999_999))
    months = _starts_of_months(pd.DatetimeIndex(returns.index))
    parts = [
        _measured(logs[positions], months)
        for positions in positions_drawn(len(logs), block, draws, seed)
    ]
    ends, falls, worst = (np.concatenate(column) for column in zip(*parts, strict=True))
    return BootstrapResult(
        total_return=_spread(ends),
        drawdown=_spread(falls),
        worst_month=_spread(worst),
        beyond_limit=float((falls > limit).mean()),
        limit=limit,
        loss=float((ends < 0).mean()),
        block=block,
        draws=draws,
    )


def mean_interval(
    values: np.ndarray, seed: int = 1, draws: int = 2_000, block: float | None = None
) -> tuple[float, float]:
    """
    90 % interval of the mean of values in order: 5th and 95th percentile of the means drawn.

    NaN with fewer than two values.
    """
    return interval(values, lambda drawn: drawn.mean(axis=1), seed, draws, block)


def interval(
    values: np.ndarray,
    of: Callable[[np.ndarray], np.ndarray],
    seed: int = 1,
    draws: int = 2_000,
    block: float | None = None,
) -> tuple[float, float]:
    """
    90 % percentile interval of any figure of values in order.

    Parameters
    ----------
    of : callable
        Given draws of shape (draws, values), one figure for each draw.
    block : float or None
        Mean length of the blocks; None for `block_length`.
    """
    values = np.asarray(values, dtype=float)
    if len(values) < 2:
        return math.nan, math.nan
    length = block if block is not None else block_length(values)
    figures = [of(values[p]) for p in positions_drawn(len(values), length, draws, seed)]
    low, high = np.percentile(np.concatenate(figures), [5, 95])
    return float(low), float(high)


def positions_drawn(n: int, block: float, draws: int, seed: int) -> Iterator[np.ndarray]:
    """
    Positions of the values of each draw, some hundred draws at a time.

    At each place a new block begins with chance 1 / `block`; otherwise the next value follows, the
    first after the last.

    Yields
    ------
    ndarray of int, shape (some draws, n)
    """
    chance = np.random.default_rng(seed)
    places = np.arange(n)
    for done in range(0, draws, _AT_ONCE):
        rows = min(_AT_ONCE, draws - done)
        begins = chance.random((rows, n)) < 1 / max(block, 1.0)
        begins[:, 0] = True
        starts = chance.integers(0, n, (rows, n))
        last = np.maximum.accumulate(np.where(begins, places, 0), axis=1)
        yield (np.take_along_axis(starts, last, axis=1) + places - last) % n


def block_length(values: np.ndarray) -> float:
    """
    Mean block length that suits the memory of a series, at least 1.

    The rule of Politis and White (2004, 'Automatic Block-Length Selection for the Dependent
    Bootstrap', Econometric Reviews 23) with the correction of Patton, Politis and White (2009, same
    journal 28) for the stationary bootstrap: ``(2 g^2 / d)^(1/3) n^(1/3)`` with
    ``g = sum w(k/M) |k| R(k)`` and ``d = 2 (sum w(k/M) R(k))^2`` over the autocovariances R up to
    M, twice the lag from which on no autocorrelation stands out; w is a trapezoid.
    """
    x = np.asarray(values, dtype=float)
    n = len(x)
    # A spread below this is rounding.
    if n < 8 or not x.std() > max(1e-12 * float(np.abs(x).max()), 1e-15):
        return 1.0
    run = max(5, math.ceil(math.sqrt(math.log10(n))))
    most = min(math.ceil(math.sqrt(n)) + run, n - 1)
    # In units of the variance, which cancels out.
    correlations = _autocorrelations(x, most)
    reach = min(2 * _first_lag_of_noise(correlations, n, run), most)
    lags = np.arange(1, reach + 1)
    weights = np.minimum(1.0, 2 * (1 - lags / reach))
    g = 2 * float((weights * lags * correlations[1 : reach + 1]).sum())
    spectrum = 1 + 2 * float((weights * correlations[1 : reach + 1]).sum())
    if spectrum == 0:
        return 1.0
    length = abs(g / spectrum) ** (2 / 3) * n ** (1 / 3)
    return float(min(max(length, 1.0), math.ceil(min(3 * math.sqrt(n), n / 3))))


def _autocorrelations(x: np.ndarray, most: int) -> np.ndarray:
    scaled = (x - x.mean()) / x.std()
    return np.array([scaled[: len(x) - k] @ scaled[k:] for k in range(most + 1)]) / len(x)


def _first_lag_of_noise(correlations: np.ndarray, n: int, run: int) -> int:
    """The first lag of `run` autocorrelations in a row inside the noise band, as R's `np` has it"""
    noise = np.abs(correlations[1:]) < 2 * math.sqrt(math.log10(n) / n)
    for lag in range(len(noise) - run + 1):
        if noise[lag : lag + run].all():
            return lag + 1
    return len(noise)


def _measured(logs: np.ndarray, months: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Total return, maximum drawdown and worst month of each row of log returns."""
    path = np.cumsum(logs, axis=1)
    peak = np.maximum(np.maximum.accumulate(path, axis=1), 0.0)
    falls = 1 - np.exp((path - peak).min(axis=1))
    by_month = np.add.reduceat(logs, months, axis=1)
    return np.expm1(path[:, -1]), falls, np.expm1(by_month.min(axis=1))


def _starts_of_months(dates: pd.DatetimeIndex) -> np.ndarray:
    month = np.asarray(dates.year * 12 + dates.month)
    return np.flatnonzero(np.concatenate(([True], month[1:] != month[:-1])))


def _spread(values: np.ndarray) -> Percentiles:
    low, middle, high = np.percentile(values, [5, 50, 95])
    return Percentiles(float(low), float(middle), float(high))
