"""Frames of different timeframes meet on one axis without an unfinished candle in sight."""

from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.core import frames
from tests.unit.ballast.core.made import closes, dates, moment, span, walk


def plain_hours(frame: pd.DataFrame, timeframe: str, to: str = "1h") -> pd.DataFrame:
    """Whole candles of the coarser timeframe, by grouping."""
    rules = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    end = frame["date"] + span(timeframe)
    grouped = frame.assign(end=end).groupby(frame["date"].dt.floor(span(to)))
    table = grouped.agg({**rules, "date": "first", "end": "last"})
    start = table.index.to_series()
    whole = (table["date"] == start) & (table["end"] == start + span(to))
    return table[whole].drop(columns=["date", "end"]).rename_axis("date").reset_index()


@settings(max_examples=40)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 100),
    st.integers(0, 40),
    st.sampled_from([("5m", "1h"), ("15m", "1h"), ("15m", "4h"), ("1h", "4h"), ("1h", "1d")]),
)
def test_a_coarser_candle_is_the_aggregate_of_the_finer_ones_in_it(
    seed: int, n: int, offset: int, pair: tuple[str, str]
) -> None:
    fine, coarse = pair
    frame = walk(seed, n + offset, fine, holes=2)[offset:]
    found = frames.resample(frame, fine, coarse)
    expected = plain_hours(frame, fine, coarse)
    assert list(found.columns) == frames.PRICES
    assert list(frames.nanoseconds(found["date"])) == list(
        frames.nanoseconds(pd.to_datetime(expected["date"], utc=True))
    )
    for name in ("open", "high", "low", "close", "volume"):
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-12)


def test_an_hour_is_there_with_its_last_candle_and_not_before() -> None:
    frame = walk(1, 24, "5m")
    assert [len(frames.resample(frame[:k], "5m", "1h")) for k in (11, 12, 23, 24)] == [0, 1, 1, 2]


def test_an_hour_whose_first_candle_is_missing_is_left_out() -> None:
    frame = walk(1, 24, "5m")
    hours = frames.resample(frame[1:], "5m", "1h")
    assert list(hours["date"]) == [pd.Timestamp(moment(1))]
    assert list(hours.index) == [0]


def test_resampling_no_candles_gives_none() -> None:
    assert frames.resample(walk(1, 0, "5m"), "5m", "1h").empty


def test_resampling_takes_any_resolution_of_dates() -> None:
    frame = walk(1, 24, "5m")
    coarse = frame.assign(date=frame["date"].dt.as_unit("ms"))
    pd.testing.assert_frame_equal(
        frames.resample(frame, "5m", "1h"), frames.resample(coarse, "5m", "1h")
    )


@pytest.mark.parametrize("timeframe", ["1h", "4h", "1d"])
def test_candles_of_an_hour_or_longer_are_their_own_slow_frame(timeframe: str) -> None:
    frame = walk(1, 10, timeframe)
    assert frames.slow_frame(frame, timeframe, walk(2, 50)) is frame


def test_older_hours_are_put_in_front_without_a_seam() -> None:
    fine = walk(1, 40 * 12, "5m")
    hours = frames.resample(fine, "5m", "1h")
    # The live frame begins in the middle of an hour, and the exchange's hours go on beside it.
    spliced = frames.slow_frame(fine[20 * 12 + 5 :].reset_index(drop=True), "5m", hours[:-3])
    pd.testing.assert_frame_equal(spliced, hours)


def test_older_hours_beside_the_frame_are_ignored() -> None:
    fine = walk(1, 10 * 12, "5m", start=moment(10))
    hours = frames.slow_frame(fine, "5m", None)
    wrong = walk(99, 20)
    spliced = frames.slow_frame(fine, "5m", wrong)
    pd.testing.assert_frame_equal(spliced[10:].reset_index(drop=True), hours)
    pd.testing.assert_frame_equal(spliced[:10], wrong[frames.PRICES][:10], check_dtype=False)


@pytest.mark.parametrize("last", [8, 0])
def test_older_hours_that_do_not_lead_up_to_the_frame_are_ignored(last: int) -> None:
    fine = walk(1, 10 * 12, "5m", start=moment(10))
    older = walk(1, 20)[: last + 1]
    hours = frames.slow_frame(fine, "5m", None)
    pd.testing.assert_frame_equal(frames.slow_frame(fine, "5m", older), hours)


def test_older_hours_that_are_all_newer_or_none_change_nothing() -> None:
    fine = walk(1, 10 * 12, "5m")
    hours = frames.slow_frame(fine, "5m", None)
    for older in (walk(2, 10), walk(2, 0)):
        pd.testing.assert_frame_equal(frames.slow_frame(fine, "5m", older), hours)


def test_a_frame_without_a_whole_hour_has_no_slow_candles() -> None:
    assert frames.slow_frame(walk(1, 11, "5m"), "5m", walk(1, 5)).empty


@settings(max_examples=100)
@given(
    st.sets(st.integers(0, 60), min_size=1),
    st.sets(st.integers(0, 60)),
    st.sampled_from([("5m", "1h"), ("1h", "1h"), ("4h", "1h"), ("15m", "4h")]),
)
def test_the_newest_candle_that_has_ended_is_the_one_seen(
    own: set[int], others: set[int], pair: tuple[str, str]
) -> None:
    timeframe, other = pair
    axis = dates(61, timeframe)[sorted(own)].reset_index(drop=True)
    slow = dates(61, other)[sorted(others)].reset_index(drop=True)
    found = frames.last_completed(axis, timeframe, slow, other)
    for at, opened in zip(found, axis, strict=True):
        end = opened + span(timeframe)
        ended = [i for i, date in enumerate(slow) if date + span(other) <= end]
        assert at == (ended[-1] if ended else -1)


def test_values_are_taken_by_position_and_missing_before_the_first() -> None:
    taken = frames.take(np.array([1.0, 2.0]), np.array([-1, 0, 1, 1]))
    np.testing.assert_array_equal(taken, [np.nan, 1, 2, 2])
    np.testing.assert_array_equal(frames.take(np.array([5]), np.array([-1, 0]), 9), [9, 5])
    np.testing.assert_array_equal(frames.take(np.array([5]), np.array([0, 0])), [5, 5])
    np.testing.assert_array_equal(frames.take(np.empty(0), np.array([0, -1])), [np.nan] * 2)


def test_nanoseconds_and_spans_are_in_the_same_unit() -> None:
    opened = frames.nanoseconds(closes([1, 2], "15m")["date"])
    assert opened[1] - opened[0] == frames.span_ns("15m") == 900_000_000_000


def test_older_candles_may_write_utc_in_another_way() -> None:
    """A feather file's UTC is a zone of the time zone database, that of built candles is not."""
    whole = walk(3, 24 * 12, "5m")
    older = frames.resample(whole, "5m", "1h").iloc[:12]
    older = older.assign(date=older["date"].dt.as_unit("ms").dt.tz_convert(ZoneInfo("UTC")))
    recent = whole.iloc[12 * 12 :].reset_index(drop=True)
    joined = frames.slow_frame(recent, "5m", older)
    pd.testing.assert_frame_equal(joined, frames.resample(whole, "5m", "1h"), check_dtype=False)
    assert frames.nanoseconds(joined["date"]).dtype == np.int64


def test_what_somebody_calls_a_frames_columns_is_nothing_to_another_frame() -> None:
    """Their names are put together once for all frames that have the same."""
    frame, more = walk(1, 3, "1h"), {"one": np.zeros(3)}
    first, second = (frames.with_columns(frame, more) for _ in range(2))
    first.columns.name = "mine"
    assert second.columns.name is None
    assert frames.with_columns(frame, more).columns.name is None
