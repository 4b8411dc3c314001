"""The market model: one factor, many pairs, several clocks of volatility, a script of regimes.

r_pair(t) = beta * f(t) + e(t). Factor f and own movement e are each a volatility times a Student t
variate. Log volatility is a sum of three stationary AR(1) processes with half-lives from an hour
and a half to ten days (a multi-scale stochastic volatility, whose sum of exponential decays stands
in for the slow decay of real volatility), plus shocks of news, a daily and weekly pattern and the
phase's multiplier; pairs follow most of the factor's. Within each phase the factor is shifted
evenly so that it returns exactly what the script says. High and low are drawn from the distribution
of a Brownian bridge's extremes between open and close, M = (x + sqrt(x^2 - 2 s^2 ln U)) / 2
(Glasserman 2003, Monte Carlo Methods in Financial Engineering, 6.4). Turnover is log-linear in
price, volatility and the drawn range, with persistence of its own.

Stylised facts it reproduces (Cont 2001, "Empirical properties of asset returns"). Real: Binance
candles, eight pairs at 5m from January to March 2024, ten pairs at 1h from 2019 to 2021, lowest to
highest. Generated: default length, 24 seeds, the nine liquid pairs, without the labelled flash
crash, outages, delisting fall and bad ticks; 5th to 95th percentile.

====================================  ==============  ==============  ==============  ==============
fact                                  real 5m         generated 5m    real 1h         generated 1h
====================================  ==============  ==============  ==============  ==============
excess kurtosis of log returns        16 to 325       16 to 48        19 to 51        7 to 32
returns: autocorrelation, lag 1       -0.03 to 0.04   -0.01 to 0.01   -0.05 to -0.01  -0.04 to 0.04
|returns|: autocorrelation, lag 1     0.27 to 0.43    0.28 to 0.35    0.26 to 0.35    0.27 to 0.37
|returns|: autocorrelation, lag 24    0.11 to 0.30    0.19 to 0.27    0.15 to 0.22    0.09 to 0.21
|returns|: autocorrelation, lag 100   0.04 to 0.24    0.09 to 0.17    0.09 to 0.14    0.04 to 0.13
correlation between pairs             0.51 to 0.83    0.54 to 0.83    0.51 to 0.82    0.52 to 0.84
rank correlation of range and volume  0.71 to 0.89    0.83 to 0.88    0.61 to 0.82    0.77 to 0.85
mean range over mean absolute return  1.84 to 1.98    1.99 to 2.07    2.08 to 2.24    1.98 to 2.03
annualised volatility                 0.59 to 1.27    0.49 to 1.12    0.76 to 1.40    0.50 to 1.12
deepest drawdown in the period        0.21 to 0.40    0.57 to 0.89    0.70 to 0.82    0.56 to 0.88
====================================  ==============  ==============  ==============  ==============

It does not reproduce: the leverage effect, lead and lag between pairs, the slight reversal of
hourly returns, order-flow imbalance, correlations that rise in a crash beyond what the common
factor gives.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sandbox.candles import DAY_MS, HOUR_MS, MINUTE_MS, BoolArray, Candles, FloatArray, IntArray
from sandbox.profiles import Profile
from sandbox.regimes import Label, Script, find_labels
from sandbox.volatility import ar1, daily_pattern, generator, multi_scale, news, tail_scale

# Annualised volatility of the factor in an ordinary phase [ratio]; BTC's total is then about 0.6.
FACTOR_VOLATILITY = 0.50
# Log volatility: (half-life [hours], standard deviation).
VOLATILITY_SCALES = ((1.5, 0.30), (18.0, 0.36), (240.0, 0.34))
OWN_VOLATILITY_SCALES = ((1.0, 0.30), (24.0, 0.22))
# Volatility outside of the scripted events stays below exp(this) times the ordinary one: without a
# ceiling one unlucky hour decides the fourth moment of a year.
MAX_LOG_VOLATILITY = 1.6
# Share of the factor's log volatility that a pair's own movement follows.
SHARED_VOLATILITY = 0.8
# ln(turnover) per unit of ln(price), of ln(volatility), of ln(range / volatility); then the
# half-life and size of its own persistence, and its noise.
TURNOVER_PRICE = 0.7
TURNOVER_VOLATILITY, TURNOVER_RANGE = 0.95, 0.80
TURNOVER_HALF_LIFE_HOURS, TURNOVER_OWN, TURNOVER_NOISE = 12.0, 0.25, 0.25
# A candle in which the price moved needs a few lots to have been traded.
MIN_LOTS = 8
# Share of 5m candles of a thin pair without any trade, at ordinary volatility.
THIN_IDLE = 0.35

# The flash crash: [minutes from its start, log price relative to no crash]. The first step is a
# gap: that candle opens there. After May 2021 and October 2025, minus a third within half an hour.
FLASH_CRASH_PATH = (
    (0.0, -0.12),
    (10.0, -0.22),
    (25.0, -0.38),
    (40.0, -0.26),
    (90.0, -0.17),
    (240.0, -0.08),
    (720.0, 0.0),
)
# A bad tick prints this far from the market [ratio] and is gone within the candle.
BAD_TICK_RATIOS = (0.55, 1.60)
# Log price lost within two hours of a delisting announcement.
DELISTING_LOSS, DELISTING_FALL_MS = -0.45, 2 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Factor:
    """The market's part of every pair, one value a candle, shape (n,).

    ``log_volatility`` is relative to the ordinary level, ``scale`` is the standard deviation the
    innovations were drawn with [log return a candle], ``returns`` are log returns, ``overlay`` is
    added to every log price and ``gap`` to the log price at the candle's open.
    """

    time_ms: IntArray
    log_volatility: FloatArray
    scale: FloatArray
    returns: FloatArray
    overlay: FloatArray
    gap: FloatArray


def _event_rows(
    script: Script, name: str, pair: str | None = None
) -> Iterator[tuple[Label, slice]]:
    for label in find_labels(script.events, name, pair):
        yield label, slice(script.row(label.start_ms), script.row(label.end_ms))


def market_factor(seed: int, script: Script) -> Factor:
    """The common factor of one history."""
    rng = generator(seed, "factor")
    time_ms = np.arange(script.start_ms, script.end_ms, script.timeframe_ms, dtype=np.int64)
    n, per_hour = len(time_ms), HOUR_MS / script.timeframe_ms
    log_volatility = multi_scale(rng, n, VOLATILITY_SCALES, per_hour)
    log_volatility += news(rng, n, per_hour) + daily_pattern(time_ms)
    log_volatility = np.minimum(log_volatility, MAX_LOG_VOLATILITY)
    for phase, label in script.phases:
        rows = slice(script.row(label.start_ms), script.row(label.end_ms))
        log_volatility[rows] += np.log(phase.volatility)
    overlay, gap = np.zeros(n), np.zeros(n)
    for label, rows in _event_rows(script, "flash_crash"):
        _flash_crash(overlay, gap, log_volatility, label, rows, time_ms)
    for _, rows in _event_rows(script, "outage"):
        log_volatility[rows] += np.log(2.0)

    candles_a_year = 365 * DAY_MS / script.timeframe_ms
    level = FACTOR_VOLATILITY / np.sqrt(candles_a_year)
    scale = level * np.exp(log_volatility) * tail_scale(rng, n)
    returns = scale * rng.standard_normal(n)
    for phase, label in script.phases:
        rows = slice(script.row(label.start_ms), script.row(label.end_ms))
        returns[rows] += phase.log_return / len(returns[rows]) - returns[rows].mean()
    return Factor(time_ms, log_volatility, scale, returns, overlay, gap)


def _flash_crash(
    overlay: FloatArray,
    gap: FloatArray,
    log_volatility: FloatArray,
    label: Label,
    rows: slice,
    time_ms: IntArray,
) -> None:
    """Write the crash into overlay (at closes), gap (first open) and volatility, in place."""
    minutes, prices = zip(*FLASH_CRASH_PATH, strict=True)
    timeframe_ms = int(time_ms[1] - time_ms[0])
    elapsed = (time_ms[rows] + timeframe_ms - label.start_ms) / MINUTE_MS
    overlay[rows] = np.interp(elapsed, minutes, prices)
    gap[rows.start] = prices[0]
    log_volatility[rows] += 1.4 * np.exp(-elapsed / 240.0)


def generate_pair(seed: int, profile: Profile, script: Script, factor: Factor) -> Candles:
    """The candles of one pair, rounded to its tick and lot; holes and late listing included."""
    rng = generator(seed, profile.pair)
    n, per_hour = len(factor.time_ms), HOUR_MS / script.timeframe_ms
    own = SHARED_VOLATILITY * factor.log_volatility
    own = own + multi_scale(rng, n, OWN_VOLATILITY_SCALES, per_hour)
    candles_a_year = 365 * DAY_MS / script.timeframe_ms
    level = profile.own_volatility * profile.beta * FACTOR_VOLATILITY / np.sqrt(candles_a_year)
    own_scale = level * np.exp(own) * tail_scale(rng, n)
    scale = np.hypot(profile.beta * factor.scale, own_scale)
    returns = profile.beta * factor.returns + own_scale * rng.standard_normal(n)

    overlay = factor.overlay + _delisting_overlay(script, profile.pair, factor.time_ms)
    log_close = np.log(profile.price) + np.cumsum(returns) + overlay
    log_open = np.concatenate([[np.log(profile.price)], log_close[:-1]]) + factor.gap
    if profile.role == "thin":
        idle = _idle(rng, factor.log_volatility, script.timeframe_ms)
        for _, rows in _event_rows(script, "outage"):
            idle[rows] = True
        log_open, log_close = _carry_over_idle(log_open, log_close, idle)
    else:
        idle = np.zeros(n, dtype=bool)
    ticks = _price_ticks(rng, profile, log_open, log_close, scale, idle)
    relative_range = np.log(ticks[1] / ticks[2]) + 0.2 * scale
    turnover = _turnover(rng, profile, script, own, relative_range / np.median(scale), idle)
    turnover *= (ticks[3] * float(profile.tick) / profile.price) ** TURNOVER_PRICE
    _bad_ticks(script, profile, ticks)
    return _to_candles(profile, script, factor.time_ms, ticks, turnover, idle)


def _delisting_overlay(script: Script, pair: str, time_ms: IntArray) -> FloatArray:
    overlay = np.zeros(len(time_ms))
    for label in find_labels(script.events, "delisting", pair):
        elapsed = (time_ms - label.start_ms) / DELISTING_FALL_MS
        overlay += DELISTING_LOSS * np.clip(elapsed, 0.0, 1.0)
    return overlay


def _idle(rng: np.random.Generator, log_volatility: FloatArray, timeframe_ms: int) -> BoolArray:
    """Which candles saw no trade: fewer when the market is busy or the candle is long."""
    rate = -np.log(THIN_IDLE) * timeframe_ms / (5 * MINUTE_MS)
    quiet = np.exp(-rate * np.exp(0.5 * (log_volatility - np.median(log_volatility))))
    return rng.random(len(log_volatility)) < quiet


def _carry_over_idle(
    log_open: FloatArray, log_close: FloatArray, idle: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Candles without a trade stay at the last close; the next trade catches up at its open."""
    last_trade = np.maximum.accumulate(np.where(idle, 0, np.arange(len(idle))))
    carried = log_close[last_trade]
    return np.where(idle, carried, log_open), carried


def _price_ticks(
    rng: np.random.Generator,
    profile: Profile,
    log_open: FloatArray,
    log_close: FloatArray,
    scale: FloatArray,
    idle: BoolArray,
) -> FloatArray:
    """Open, high, low and close in whole ticks, shape (4, n)."""
    n = len(log_open)
    move = log_close - log_open
    spread = np.sqrt(move**2 - 2.0 * scale**2 * np.log(rng.random((2, n))))
    log_high = log_open + 0.5 * (move + spread[0])
    log_low = log_open + 0.5 * (move - spread[1])
    tick = float(profile.tick)
    ticks = np.rint(np.exp(np.array([log_open, log_high, log_low, log_close])) / tick)
    ticks[0] += rng.integers(-1, 2, n)
    ticks[:, idle] = ticks[3, idle]
    ticks = np.maximum(ticks, 1.0)
    ticks[1] = ticks.max(axis=0)
    ticks[2] = ticks.min(axis=0)
    return ticks


def _turnover(
    rng: np.random.Generator,
    profile: Profile,
    script: Script,
    log_volatility: FloatArray,
    relative_range: FloatArray,
    idle: BoolArray,
) -> FloatArray:
    """Quote currency traded in each candle, of which a day sees ``daily_turnover`` in median."""
    n, per_hour = len(log_volatility), HOUR_MS / script.timeframe_ms
    log_turnover = TURNOVER_VOLATILITY * (log_volatility - np.median(log_volatility))
    surprise = np.log(np.maximum(relative_range, 1e-9)) - log_volatility
    log_turnover += TURNOVER_RANGE * (surprise - np.median(surprise))
    log_turnover += TURNOVER_OWN * ar1(rng, n, TURNOVER_HALF_LIFE_HOURS * per_hour)
    log_turnover += TURNOVER_NOISE * rng.standard_normal(n)
    for label in find_labels(script.events, "listing", profile.pair):
        days = (script.start_ms + np.arange(n) * script.timeframe_ms - label.start_ms) / DAY_MS
        log_turnover += 1.2 * np.exp(-np.maximum(days, 0.0) / 3.0)
    median_candle = profile.daily_turnover * script.timeframe_ms / DAY_MS
    return np.where(idle, 0.0, median_candle * np.exp(log_turnover))


def _bad_ticks(script: Script, profile: Profile, ticks: FloatArray) -> None:
    """Write the bad prints into high or low, in place: the first falls, the second spikes."""
    labels = find_labels(script.events, "bad_tick")
    for label, ratio in zip(labels, BAD_TICK_RATIOS, strict=False):
        if profile.pair in label.pairs:
            row, side = script.row(label.start_ms), 1 if ratio > 1 else 2
            ticks[side, row] = np.rint(ticks[3, row] * ratio)


def _to_candles(
    profile: Profile,
    script: Script,
    time_ms: IntArray,
    ticks: FloatArray,
    turnover: FloatArray,
    idle: BoolArray,
) -> Candles:
    """Round, then leave out what was not listed or not open."""
    price_decimals = len(profile.tick.partition(".")[2])
    lot_decimals = len(profile.lot.partition(".")[2])
    prices = np.round(ticks * float(profile.tick), price_decimals)
    lot = float(profile.lot)
    mean_price = prices.mean(axis=0)
    lots = np.where(idle, 0.0, np.maximum(np.rint(turnover / mean_price / lot), MIN_LOTS))
    volume = np.round(lots * lot, lot_decimals)
    listed = np.ones(len(time_ms), dtype=bool)
    for label in find_labels(script.events, "listing", profile.pair):
        listed &= time_ms >= label.start_ms
    for label in find_labels(script.events, "delisting", profile.pair):
        listed &= time_ms < label.end_ms
    for _, rows in _event_rows(script, "outage"):
        listed[rows] = False
    first, high, low, last = prices[:, listed]
    return Candles(
        script.timeframe_ms,
        time_ms[listed],
        first,
        high,
        low,
        last,
        volume[listed],
        np.round(volume * mean_price, 8)[listed],
    )
