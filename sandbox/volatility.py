"""Random building blocks of the market model: volatility that clusters, tails that are fat."""

from __future__ import annotations

import zlib

import numpy as np
import pandas as pd

from sandbox.candles import DAY_MS, HOUR_MS, FloatArray, IntArray

DEGREES_OF_FREEDOM = 5.5
# News: shocks to log volatility [mean hours between, mean size, half-life in hours].
NEWS_EVERY_HOURS, NEWS_SIZE, NEWS_HALF_LIFE_HOURS = 36.0, 0.55, 3.0


def generator(seed: int, name: str) -> np.random.Generator:
    """A stream of its own for each name, so that a pair does not depend on which others exist."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def _decaying_sum(values: FloatArray, phi: float) -> FloatArray:
    """y(t) = phi y(t - 1) + x(t), y(0) = x(0)."""
    weighted = values.copy()
    weighted[1:] /= 1.0 - phi
    smoothed = pd.Series(weighted).ewm(alpha=1.0 - phi, adjust=False).mean()
    return np.asarray(smoothed.to_numpy(), dtype=np.float64)


def ar1(rng: np.random.Generator, n: int, half_life: float) -> FloatArray:
    """A stationary AR(1) of unit variance; ``half_life`` in candles."""
    phi = 0.5 ** (1.0 / half_life)
    noise = rng.standard_normal(n)
    noise[1:] *= np.sqrt(1.0 - phi * phi)
    return _decaying_sum(noise, phi)


def multi_scale(
    rng: np.random.Generator, n: int, scales: tuple[tuple[float, float], ...], per_hour: float
) -> FloatArray:
    """Sum of AR(1) processes, centred so that the mean of exp(2 x) is 1."""
    total = np.zeros(n)
    for half_life_hours, deviation in scales:
        total += deviation * ar1(rng, n, half_life_hours * per_hour) - deviation**2
    return total


def news(rng: np.random.Generator, n: int, per_hour: float) -> FloatArray:
    """Log volatility from news: exponential shocks at Poisson times that decay."""
    shocks = np.where(
        rng.random(n) < 1.0 / (NEWS_EVERY_HOURS * per_hour), rng.exponential(NEWS_SIZE, n), 0.0
    )
    phi = 0.5 ** (1.0 / (NEWS_HALF_LIFE_HOURS * per_hour))
    return _decaying_sum(shocks, phi)


def tail_scale(rng: np.random.Generator, n: int) -> FloatArray:
    """Random scales of unit mean square that turn normal variates into Student t ones."""
    nu = DEGREES_OF_FREEDOM
    return np.sqrt((nu - 2.0) / rng.chisquare(nu, n))


def daily_pattern(time_ms: IntArray) -> FloatArray:
    """Log volatility by hour and weekday: busiest about 15:00 UTC, quieter at weekends."""
    hour = time_ms % DAY_MS / HOUR_MS
    weekend = (time_ms // DAY_MS + 4) % 7 % 6 == 0
    return 0.25 * np.cos((hour - 15.0) / 24.0 * 2.0 * np.pi) - np.where(weekend, 0.25, 0.0)
