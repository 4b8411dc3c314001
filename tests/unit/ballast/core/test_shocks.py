"""A shock takes two detectors or one extreme, ends only in calm, and a larger one lasts longer."""

import math
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.core import measured, shocks
from ballast.core.candles import Candles
from ballast.core.measured import MeasuredCandles
from ballast.core.shocks import ShockRules, cooldown, intensity
from tests.unit.ballast.core.made import filled, scaled, walk

RULES = ShockRules(
    atr_fast="4h", atr_slow="20h", vol_window="8h", vol_history="30h", range_window="30h"
)
LEVELS = st.lists(st.floats(0, 4) | st.just(math.nan), max_size=60)


def quiet(n: int = 200, seed: int = 1) -> pd.DataFrame:
    return walk(seed, n, sigma=0.003)


def shaken(size: float, at: int = 150) -> pd.DataFrame:
    """A quiet walk with one candle whose high and low are that far apart (ratio)."""
    frame = quiet()
    frame.loc[at, "high"] *= 1 + size / 2
    frame.loc[at, "low"] *= 1 - size / 2
    return frame


def by_definition(frame: pd.DataFrame, at: int) -> float:
    """Intensity of one candle, by plain loops."""
    high, low, close = (frame[c].to_numpy() for c in ("high", "low", "close"))
    real = frame["volume"].to_numpy() > 0
    before = np.concatenate((close[:1], close[:-1]))
    ranges = np.maximum(high, before) - np.minimum(low, before)

    def wilder(n: int) -> float:
        average = ranges[1 : n + 1].mean()
        for value in ranges[n + 1 : at + 1]:
            average = (average * (n - 1) + value) / n
        return average

    def known(values: np.ndarray, i: int, n: int) -> np.ndarray:
        window = range(max(1, i - n + 1), i + 1)
        return np.array([values[j] for j in window if real[j]])

    moves = np.log(close / before)
    sigmas = [np.std(known(moves, i, 8), ddof=1) for i in range(at - 30, at + 1)]
    vol = sigmas[-1] / np.quantile(sigmas[:-1], RULES.vol_quantile)
    spread = np.log(high / low)

    def middle(i: int) -> float:
        return float(np.median(known(spread, i - 1, 30)))

    deviations = [abs(spread[i] - middle(i)) for i in range(at - 30, at) if real[i]]
    z = (spread[at] - middle(at)) / (1.4826 * np.median(deviations))
    atr = wilder(4) / wilder(20)
    triggers = sorted([atr / RULES.atr_ratio, vol, z / RULES.range_z])
    return max(triggers[1], atr / RULES.atr_extreme, z / RULES.range_extreme)


def test_intensity_equals_its_definition() -> None:
    frame = filled(shaken(0.05), slice(120, 123))
    found = intensity(Candles(frame, "1h"), RULES)
    for at in (90, 110, 140, 150, 151, 180, 199):
        assert found[at] == pytest.approx(by_definition(frame, at), rel=1e-6)


def test_a_quiet_market_is_no_shock_and_a_violent_one_is() -> None:
    assert (intensity(Candles(quiet(), "1h"), RULES)[80:] < 1).mean() > 0.95
    found = intensity(Candles(shaken(0.1), "1h"), RULES)
    assert found[149] < 1 < found[150]


@settings(max_examples=50)
@given(st.floats(0.01, 0.3), st.floats(1, 5))
def test_a_wider_candle_is_no_smaller_shock(size: float, times: float) -> None:
    one, other = (intensity(Candles(shaken(s), "1h"), RULES)[150] for s in (size, size * times))
    assert other >= one - 1e-9


def test_a_hole_is_unknown_and_not_calm() -> None:
    found = intensity(Candles(filled(quiet(), slice(150, 160)), "1h"), RULES)
    assert np.isnan(found[150:160]).all()
    assert not math.isnan(found[149])


def test_a_violent_candle_after_perfect_calm_is_a_shock() -> None:
    level = 100.0
    frame = quiet()
    frame = frame.assign(open=level, high=level * 1.001, low=level * 0.999, close=level)
    frame["close"] += np.where(np.arange(200) % 2, 0.01, -0.01)
    frame.loc[150, ["high", "low"]] = [110.0, 90.0]
    with np.errstate(invalid="ignore", divide="ignore"):
        found = intensity(Candles(frame, "1h"), RULES)
    assert found[150] >= 1


def test_a_short_history_is_unknown() -> None:
    for n in (0, 1, 30):
        assert np.isnan(intensity(Candles(quiet(n), "1h"), RULES)).all()


def test_intensity_is_known_once_its_warm_up_is_over() -> None:
    candles = Candles(quiet(400), "1h")
    assert not np.isnan(intensity(candles, RULES)[candles.warmup - 1 :]).any()


def test_the_unit_of_price_changes_no_intensity() -> None:
    one = intensity(Candles(shaken(0.05), "1h"), RULES)
    other = intensity(Candles(scaled(shaken(0.05), 1e-8), "1h"), RULES)
    np.testing.assert_allclose(one, other, rtol=1e-6)


def test_of_a_new_candle_only_its_own_windows_are_sorted() -> None:
    """Those of the realised volatility, too: its quantile was taken of every candle's window."""
    frame = shaken(0.05)
    before = Candles(frame[:199], "1h")
    intensity(before, RULES)
    after = frame[1:].reset_index(drop=True)
    slow = MeasuredCandles(after, "1h", before.slow)
    # Nothing else is there to go through all windows.
    with patch.object(measured, "pd", None):
        found = intensity(Candles(after, "1h", slow), RULES)
    anew = intensity(Candles(after, "1h"), RULES)
    np.testing.assert_allclose(found[120:], anew[120:], rtol=1e-9)


def test_different_rules_on_the_same_candles_are_kept_apart() -> None:
    candles = Candles(shaken(0.05), "1h")
    one, other = intensity(candles, RULES), intensity(candles, shocks.DEFAULT)
    assert not np.array_equal(one, other, equal_nan=True)


def by_loop(level: list[float], pause: int, longest: int, rules: ShockRules) -> list[bool]:
    """Whether entries are blocked, candle by candle."""
    blocked, ends, calm, out = False, -1, 0, []
    for i, value in enumerate(level):
        if value >= 1:
            ends = max(ends, i + min(math.ceil(pause * value), longest))
            blocked = True
        calm = calm + 1 if value < rules.release else 0
        if blocked and i >= ends and calm >= rules.calm_candles:
            blocked = False
        out.append(blocked)
    return out


@settings(max_examples=500)
@given(LEVELS, st.integers(1, 10), st.integers(1, 30))
def test_entries_are_blocked_until_the_pause_is_over_and_calm_has_returned(
    level: list[float], pause: int, longest: int
) -> None:
    found = cooldown(np.array(level, dtype=float), pause, longest, RULES)
    assert list(found > 0) == by_loop(level, pause, longest, RULES)


@settings(max_examples=500)
@given(LEVELS, st.integers(0, 59), st.floats(0, 4))
def test_a_larger_shock_never_blocks_less(level: list[float], at: int, more: float) -> None:
    worse = [v + more if i == at else v for i, v in enumerate(level)]
    one, other = (cooldown(np.array(v, dtype=float), 4, 48, RULES) > 0 for v in (level, worse))
    assert not (one & ~other).any()


@settings(max_examples=500)
@given(LEVELS, st.integers(0, 60))
def test_a_cooldown_does_not_depend_on_later_candles(level: list[float], k: int) -> None:
    whole = cooldown(np.array(level, dtype=float), 4, 48, RULES)
    np.testing.assert_array_equal(
        cooldown(np.array(level[:k], dtype=float), 4, 48, RULES), whole[:k]
    )


@pytest.mark.parametrize(("peak", "free_after"), [(0.999, 0), (1.0, 4), (1.01, 5), (2.0, 8)])
def test_a_shock_begins_at_its_trigger_and_lasts_by_its_size(peak: float, free_after: int) -> None:
    found = cooldown(np.array([0.1] * 5 + [peak] + [0.1] * 30), 4, 48, RULES)
    assert not found[:5].any()
    assert list(np.flatnonzero(found)) == list(range(5, 5 + free_after))


def test_no_pause_is_longer_than_the_longest() -> None:
    found = cooldown(np.array([50.0] + [0.1] * 30), 4, 10, RULES)
    assert list(np.flatnonzero(found)) == list(range(10))


def test_a_market_that_stays_just_above_release_stays_blocked() -> None:
    assert (cooldown(np.array([1.0] + [0.7] * 50), 4, 48, RULES) > 0).all()
    assert not cooldown(np.array([1.0] + [0.699] * 50), 4, 48, RULES)[-1]


def test_unknown_candles_do_not_calm() -> None:
    level = np.array([1.0] + [math.nan] * 20 + [0.1] * 3)
    assert list(cooldown(level, 4, 48, RULES) > 0) == [True] * 23 + [False]


@settings(max_examples=200)
@given(st.integers(0, 4), st.floats(1, 3))
def test_entries_stay_blocked_at_least_as_long_as_is_told(before: int, peak: float) -> None:
    level = np.array([0.1] * before + [peak] + [0.1] * 40)
    found = cooldown(level, 4, 48, RULES)
    for at in np.flatnonzero(found):
        free = at + int(np.flatnonzero(found[at:] == 0)[0])
        assert found[at] <= free - at
