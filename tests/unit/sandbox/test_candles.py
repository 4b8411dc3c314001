"""Timeframes agree with each other, and a forming candle grows into the finished one."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.candles import (
    DAY_MS,
    TIMEFRAMES_MS,
    Candles,
    aggregate,
    candle_open_ms,
    path_prices,
    unfinished,
)
from sandbox.sources import GeneratedSource

START_MS = 1_704_067_200_000
FIVE_MINUTES = TIMEFRAMES_MS["5m"]


@st.composite
def histories(draw: st.DrawFn) -> Candles:
    """5m candles with holes, prices on a tick of 0.01."""
    rows = sorted(draw(st.sets(st.integers(0, 600), min_size=1, max_size=60)))
    prices = st.lists(st.integers(1, 10_000), min_size=4, max_size=4).map(sorted)
    table = np.array([draw(prices) for _ in rows], dtype=float) / 100
    volume = np.array([draw(st.integers(0, 1000)) for _ in rows], dtype=float)
    rising = np.array([draw(st.booleans()) for _ in rows])
    opened = np.where(rising, table[:, 1], table[:, 2])
    closed = np.where(rising, table[:, 2], table[:, 1])
    open_ms = START_MS + FIVE_MINUTES * np.array(rows, dtype=np.int64)
    return Candles(
        FIVE_MINUTES, open_ms, opened, table[:, 3], table[:, 0], closed, volume, volume * closed
    )


@given(histories(), st.sampled_from(["15m", "1h", "4h", "1d"]))
def test_an_aggregate_equals_what_pandas_resamples(candles: Candles, timeframe: str) -> None:
    frame = candles.to_frame().set_index("date")
    rules = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
    expected = frame.resample(pd.Timedelta(milliseconds=TIMEFRAMES_MS[timeframe])).agg(rules)
    expected = expected.dropna().reset_index()
    coarse = aggregate(candles, TIMEFRAMES_MS[timeframe]).to_frame()
    pd.testing.assert_frame_equal(coarse, expected, check_freq=False)


@given(histories())
def test_aggregating_in_two_steps_equals_one(candles: Candles) -> None:
    hours = aggregate(candles, TIMEFRAMES_MS["1h"])
    twice, once = aggregate(hours, DAY_MS), aggregate(candles, DAY_MS)
    pd.testing.assert_frame_equal(twice.to_frame(), once.to_frame())


def test_every_served_timeframe_of_a_generated_pair_adds_up() -> None:
    candles = GeneratedSource(3, days=40, pairs=["BTC/USDT"]).candles("BTC/USDT")
    for timeframe_ms in TIMEFRAMES_MS.values():
        if timeframe_ms % FIVE_MINUTES == 0:
            coarse = aggregate(candles, timeframe_ms)
            assert coarse.volume.sum() == pytest.approx(candles.volume.sum())
            assert coarse.high.max() == candles.high.max()
            assert coarse.close[-1] == candles.close[-1]


def test_a_timeframe_that_is_no_multiple_is_refused() -> None:
    candles = GeneratedSource(3, days=40, pairs=["BTC/USDT"]).candles("BTC/USDT")
    with pytest.raises(ValueError, match="no multiple"):
        aggregate(candles, TIMEFRAMES_MS["1m"])


def test_weeks_open_on_monday() -> None:
    wednesday = pd.Timestamp("2024-01-03 15:00", tz="UTC")
    opened = candle_open_ms(int(wednesday.timestamp() * 1000), TIMEFRAMES_MS["1w"])
    assert pd.Timestamp(opened, unit="ms") == pd.Timestamp("2024-01-01")


@given(histories(), st.lists(st.floats(0, 1), min_size=2, max_size=5).map(sorted))
def test_a_forming_candle_only_widens_and_stays_inside_the_finished_one(
    candles: Candles, fractions: list[float]
) -> None:
    whole = candles.rows(slice(0, 1))
    stages = [unfinished(whole, fraction, 0.01) for fraction in fractions]
    for earlier, later in zip(stages, [*stages[1:], whole], strict=True):
        assert whole.low[0] <= later.low[0] <= earlier.low[0]
        assert earlier.high[0] <= later.high[0] <= whole.high[0]
        assert earlier.volume[0] <= later.volume[0]
        assert earlier.low[0] <= earlier.close[0] <= earlier.high[0]


@given(histories())
def test_a_forming_candle_begins_at_its_open_and_ends_as_the_finished_one(candles: Candles) -> None:
    whole = candles.rows(slice(0, 1))
    first, last = unfinished(whole, 0.0, 0.01), unfinished(whole, 1.0, 0.01)
    assert first.high[0] == pytest.approx(whole.open[0])
    assert first.volume[0] == 0
    pd.testing.assert_frame_equal(last.to_frame(), whole.to_frame())


@given(histories())
def test_the_path_visits_exactly_the_four_prices_of_the_candle(candles: Candles) -> None:
    path = path_prices(candles)
    assert (path[:, 0] == candles.open).all()
    assert (path[:, 3] == candles.close).all()
    assert (path.max(axis=1) == candles.high).all()
    assert (path.min(axis=1) == candles.low).all()


def test_a_frame_becomes_candles_and_a_frame_again() -> None:
    candles = GeneratedSource(3, days=40, pairs=["BTC/USDT"]).candles("BTC/USDT")
    again = Candles.from_frame(candles.to_frame(), candles.timeframe_ms)
    pd.testing.assert_frame_equal(again.to_frame(), candles.to_frame())
    assert again.quote_volume == pytest.approx(candles.quote_volume)
