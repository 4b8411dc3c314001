"""A window is a length of time, and means the same on every timeframe."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.core import windows


@pytest.mark.parametrize(
    ("window", "expected"), [("90m", 90), ("36h", 2160), ("10d", 14_400), ("1w", 10_080)]
)
def test_a_window_has_the_minutes_of_its_unit(window: str, expected: float) -> None:
    assert windows.minutes(window) == expected


def test_a_window_may_have_decimals_and_blanks_around_it() -> None:
    assert windows.minutes(" 1.5h ") == 90


@pytest.mark.parametrize("text", ["", "d", "10", "10D", "10 d", "-1d", "0d", "0.0h", "1e3d", "nan"])
def test_a_text_that_is_no_length_of_time_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"a length of time such as '36h'.*not " + repr(text)):
        windows.minutes(text)


@pytest.mark.parametrize("text", ["3651d", "522w", "999999999d", "9" * 400 + "m"])
def test_a_length_beyond_ten_years_is_refused(text: str) -> None:
    assert windows.minutes("3650d") == 3650 * 1440
    with pytest.raises(ValueError, match=f"at most '3650d', not '{text[:150]}"):
        windows.minutes(text)


def test_a_missing_window_is_refused() -> None:
    with pytest.raises(ValueError, match="not None"):
        windows.minutes(None)


@pytest.mark.parametrize(
    ("timeframe", "expected"), [("5m", 2880), ("15m", 960), ("1h", 240), ("4h", 60), ("1d", 10)]
)
def test_ten_days_are_ten_days_on_every_timeframe(timeframe: str, expected: int) -> None:
    assert windows.candles("10d", timeframe) == expected


def test_a_window_of_two_candles_is_the_shortest() -> None:
    assert windows.candles("8h", "4h") == 2


def test_a_window_one_minute_shorter_than_two_candles_is_refused() -> None:
    with pytest.raises(ValueError, match="'479m' is shorter than two candles of 4h"):
        windows.candles("479m", "4h")


@given(st.integers(10, 100_000), st.sampled_from(["1m", "5m", "1h"]))
def test_candles_cover_the_window_to_within_half_a_candle(span: int, timeframe: str) -> None:
    candle = windows.minutes(timeframe)
    if span >= 2 * candle:
        assert abs(windows.candles(f"{span}m", timeframe) * candle - span) <= candle / 2


def test_the_coarser_of_two_timeframes_is_the_longer() -> None:
    assert windows.coarser("5m", "1h") == windows.coarser("1h", "5m") == "1h"
    assert windows.coarser("4h", "1h") == "4h"
    assert windows.coarser("60m", "1h") == "60m"


@pytest.mark.parametrize("timeframe", ["5m", "1h", "4h"])
def test_a_window_of_the_layer_is_as_stated_on_candles_of_up_to_four_hours(timeframe: str) -> None:
    assert windows.calibrated("8h", timeframe) == "8h"


@pytest.mark.parametrize("timeframe", ["6h", "8h", "12h", "1d", "3d", "1w"])
@pytest.mark.parametrize(("window", "candles"), [("8h", 2), ("60h", 15), ("10d", 60)])
def test_on_longer_candles_it_holds_as_many_as_on_those(
    timeframe: str, window: str, candles: int
) -> None:
    assert windows.candles(windows.calibrated(window, timeframe), timeframe) == candles


@pytest.mark.parametrize("timeframe", [None, 5, ["1h"], "x", "0h", "3d"])
def test_what_is_no_timeframe_is_told_in_a_sentence(timeframe: object) -> None:
    said = windows.timeframe_fault(timeframe)
    assert said == f"timeframe is {timeframe!r}: expected one from '1m' to '1d', such as '1h'"


@pytest.mark.parametrize("timeframe", ["1m", "1h", "1d"])
def test_a_timeframe_of_up_to_a_day_is_one(timeframe: str) -> None:
    assert windows.timeframe_fault(timeframe) == ""
