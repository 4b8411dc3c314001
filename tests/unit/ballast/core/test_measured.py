"""What was found of a window stays found, and is what would be found anew."""

from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest

from ballast.core import measured
from ballast.core.measured import MeasuredCandles
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
