"""What was found of a window stays found, and is what would be found anew."""

import gc
import math
import weakref
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.core import measured
from ballast.core.measured import MeasuredCandles, window_sums
from tests.unit.ballast.core.made import walk

FRAME = walk(5, 400)
WINDOW, SEEN = 60, 200


def live(end: int) -> pd.DataFrame:
    return FRAME[end - SEEN : end].reset_index(drop=True)


def found(candles: MeasuredCandles, least: int, quantile: float) -> np.ndarray:
    moves = candles.frame["close"].to_numpy() / 3
    moves[candles.opened // 3_600_000_000_000 % 11 == 0] = np.nan
    moves[candles.opened // 3_600_000_000_000 % 37 == 0] = np.inf
    return candles.quantiles("moves", moves, WINDOW, least, quantile)


@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("least", [10, WINDOW - 12])
def test_a_quantile_that_is_carried_on_is_that_of_its_window(least: int, quantile: float) -> None:
    """To the last digit, and with what lay before the first candle that is still there."""
    whole = found(MeasuredCandles(FRAME, "1h"), least, quantile)
    candles = MeasuredCandles(live(SEEN), "1h")
    found(candles, least, quantile)
    # Nothing else is there to work them out.
    with patch.object(measured, "pd", None):
        for end in (201, 202, 205, 206, 214):
            candles = MeasuredCandles(live(end), "1h", candles)
            carried = found(candles, least, quantile)
            np.testing.assert_array_equal(carried[WINDOW:], whole[end - SEEN + WINDOW : end])


@pytest.mark.parametrize(("window", "least"), [(7, 0), (60, 60), (SEEN, 10), (500, 10), (500, 300)])
def test_a_median_is_that_of_rolling(window: int, least: int) -> None:
    """Whatever the window: longer than there are candles, or with less known than it must have."""
    values = np.round(live(SEEN)["close"].to_numpy(), 1)
    values[::11], values[::37] = np.nan, np.inf
    medians = MeasuredCandles(live(SEEN), "1h").quantiles("closes", values, window, least)
    rolling = pd.Series(values).rolling(window, min_periods=least).median()
    np.testing.assert_array_equal(medians, rolling)


def test_windows_that_reach_before_the_first_candle_keep_what_they_had() -> None:
    before = MeasuredCandles(live(SEEN), "1h")
    known = found(before, 10, 0.5)
    carried = found(MeasuredCandles(live(SEEN + 1), "1h", before), 10, 0.5)
    np.testing.assert_array_equal(carried[:-1], known[1:])
    assert np.isnan(known[1:9]).all()


@pytest.mark.parametrize("ago", [1, 2, 50, 150])
def test_candles_that_are_corrected_are_measured_anew(ago: int) -> None:
    before = MeasuredCandles(live(SEEN), "1h")
    found(before, 10, 0.5)
    frame = live(SEEN + 1)
    frame.loc[SEEN - 1 - ago, "close"] *= 1.5
    anew = found(MeasuredCandles(frame, "1h"), 10, 0.5)
    np.testing.assert_array_equal(found(MeasuredCandles(frame, "1h", before), 10, 0.5), anew)


def test_other_candles_are_measured_anew() -> None:
    before = MeasuredCandles(live(SEEN), "1h")
    found(before, 10, 0.5)
    later = live(SEEN + 40)
    gap = live(SEEN + 1).drop(index=100).reset_index(drop=True)
    for frame in (later, gap, live(SEEN)[:0]):
        anew = found(MeasuredCandles(frame, "1h"), 10, 0.5)
        np.testing.assert_array_equal(found(MeasuredCandles(frame, "1h", before), 10, 0.5), anew)


@pytest.mark.parametrize("least", [2, 10, WINDOW - 12])
def test_a_deviation_that_is_carried_on_is_that_of_its_window(least: int) -> None:
    def moves(candles: MeasuredCandles) -> np.ndarray:
        close = candles.values("close")
        unknown = candles.opened // 3_600_000_000_000 % 11 == 0
        return np.where(unknown, np.nan, np.diff(np.log(close), prepend=np.nan))

    def deviation(candles: MeasuredCandles) -> np.ndarray:
        return candles.deviations("moves", moves(candles), WINDOW, least)

    whole = MeasuredCandles(FRAME, "1h")
    usual = pd.Series(moves(whole)).rolling(WINDOW, min_periods=least).std()
    np.testing.assert_allclose(deviation(whole), usual, rtol=1e-10)
    candles = MeasuredCandles(live(SEEN), "1h")
    deviation(candles)
    for end in (201, 202, 205, 206, 214):
        candles = MeasuredCandles(live(end), "1h", candles)
        carried = deviation(candles)
        expected = deviation(whole)[end - SEEN + WINDOW : end]
        # To the last digit.
        np.testing.assert_array_equal(carried[WINDOW:], expected)


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=70),
    st.integers(1, 90),
    st.data(),
)
def test_a_window_has_one_sum_wherever_its_values_stand(
    values: list[float], window: int, data: st.DataObject
) -> None:
    array = np.array(values)
    sums = window_sums(array, window)
    for at, found in enumerate(sums):
        assert found == pytest.approx(math.fsum(array[max(0, at + 1 - window) : at + 1]), abs=1e-3)
    start = data.draw(st.integers(0, len(values)))
    np.testing.assert_array_equal(window_sums(array, window, start), sums[start:])
    first = data.draw(st.integers(0, len(values)))
    moved = window_sums(array[first:], window)[window - 1 :]
    np.testing.assert_array_equal(moved, sums[first:][window - 1 :])


def test_only_candles_that_are_new_are_worked_out() -> None:
    asked: list[int] = []

    def closes(candles: MeasuredCandles) -> np.ndarray:
        def found(known: np.ndarray) -> np.ndarray:
            asked.append(len(known))
            return candles.values("close")[len(known) :]

        return candles.carried("close", found)

    candles = MeasuredCandles(live(SEEN), "1h")
    for end in (SEEN, SEEN, SEEN + 1, SEEN + 4):
        candles = MeasuredCandles(live(end), "1h", candles)
        np.testing.assert_array_equal(closes(candles), live(end)["close"])
    assert asked == [0, SEEN - 1, SEEN - 3]
    # Another length, a candle that has been corrected, one that has gone, too many new ones.
    gap = live(SEEN + 5).drop(index=100).reset_index(drop=True)
    high = live(SEEN + 5)
    high.loc[3, "high"] *= 2
    for frame in (live(SEEN + 5)[60:].reset_index(drop=True), high, gap, live(SEEN + 20)):
        asked.clear()
        anew = MeasuredCandles(frame, "1h", candles)
        np.testing.assert_array_equal(closes(anew), frame["close"])
        assert asked == ([len(frame) - 1] if len(frame) == SEEN - 60 else [0])


def test_no_candles_are_kept_but_those_before() -> None:
    candles = MeasuredCandles(live(SEEN), "1h")
    first = weakref.ref(candles)
    for end in range(SEEN + 1, SEEN + 5):
        candles = MeasuredCandles(live(end), "1h", candles)
        found(candles, 10, 0.5)
        kept = (*candles._carried.values(), *candles._before.values())
        assert sum(map(len, kept)) <= 2 * SEEN
    gc.collect()
    assert first() is None
