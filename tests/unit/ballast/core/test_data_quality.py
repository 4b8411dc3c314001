"""A candle is acted on only if it and those before it deserve trust."""

from datetime import timedelta
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.core.data_quality import DataQualityLimits, assess, assessed
from ballast.core.frames import PRICES
from ballast.core.measured import MeasuredCandles
from ballast.core.trust import DataQuality
from tests.unit.ballast.core.made import closes, filled, scaled, walk

LIMITS = DataQualityLimits()


def codes(frame: pd.DataFrame, limits: DataQualityLimits = LIMITS) -> list[int]:
    return list(assess(MeasuredCandles(frame, "1h"), limits))


def test_real_ordinary_candles_are_trusted() -> None:
    assert codes(walk(1, 300)) == [DataQuality.OK] * 300


def test_an_empty_frame_has_no_codes() -> None:
    assert codes(walk(1, 0)) == []


def test_a_single_candle_is_trusted_if_it_is_possible() -> None:
    assert codes(walk(1, 1)) == [DataQuality.OK]


def test_candles_before_the_history_is_long_enough_are_short_history() -> None:
    assert codes(walk(1, 5), DataQualityLimits(history_candles=3)) == [
        DataQuality.SHORT_HISTORY
    ] * 3 + [0, 0]


def test_a_history_longer_than_the_frame_trusts_nothing() -> None:
    assert (
        codes(walk(1, 5), DataQualityLimits(history_candles=9)) == [DataQuality.SHORT_HISTORY] * 5
    )


def test_a_single_filled_candle_is_untrusted_itself_and_needs_no_recovery() -> None:
    found = codes(filled(walk(1, 40), slice(20, 21)))
    assert found[19:23] == [0, DataQuality.FILLED_HOLE, 0, 0]


@pytest.mark.parametrize(("length", "after"), [(2, DataQuality.OK), (3, DataQuality.AFTER_HOLE)])
def test_a_hole_begins_at_its_limit_and_not_one_candle_before(
    length: int, after: DataQuality
) -> None:
    found = codes(filled(walk(1, 60), slice(20, 20 + length)))
    assert found[20 : 20 + length] == [DataQuality.FILLED_HOLE] * length
    assert found[20 + length : 25 + length] == [after] * 3 + [DataQuality.OK] * 2


def test_recovery_from_a_hole_takes_real_candles() -> None:
    frame = filled(filled(walk(1, 60), slice(20, 23)), slice(24, 26))
    assert codes(frame)[26] == DataQuality.AFTER_HOLE


def test_a_flat_candle_that_traded_is_no_hole() -> None:
    assert codes(closes([100.0] * 30)) == [DataQuality.OK] * 30


@pytest.mark.parametrize(("length", "after"), [(2, DataQuality.OK), (3, DataQuality.AFTER_HOLE)])
def test_a_feed_that_repeats_its_last_candle_is_a_hole_under_new_dates(
    length: int, after: DataQuality
) -> None:
    frame = walk(1, 60)
    values = ["open", "high", "low", "close", "volume"]
    frame.loc[20 : 19 + length, values] = frame.loc[19, values].to_numpy()
    found = codes(frame)
    assert found[19 : 20 + length] == [DataQuality.OK] + [DataQuality.FILLED_HOLE] * length
    assert found[20 + length : 25 + length] == [after] * 3 + [DataQuality.OK] * 2


@pytest.mark.parametrize("column", ["open", "high", "low", "close", "volume"])
def test_a_candle_that_differs_from_the_one_before_in_anything_is_no_repetition(
    column: str,
) -> None:
    frame = walk(1, 60)
    values = ["open", "high", "low", "close", "volume"]
    frame.loc[20, values] = frame.loc[19, values].to_numpy()
    step = {"high": 1.001, "low": 0.999, "volume": 1.001}
    towards = frame.loc[20, ["high", "low"]].mean()
    at = frame.loc[20, column]
    frame.loc[20, column] = at * step[column] if column in step else (at + towards) / 2
    assert codes(frame)[20] == DataQuality.OK


def jump(percent: float, at: int = 50) -> pd.DataFrame:
    """Closes that wobble by 0.1 % and jump once."""
    level = np.where(np.arange(80) % 2, 100.1, 100.0)
    level[at:] *= 1 + percent / 100
    return closes(level)


@pytest.mark.parametrize("percent", [-30.0, 30.0])
def test_an_absurd_jump_either_way_is_untrusted_and_so_are_the_candles_after_it(
    percent: float,
) -> None:
    found = codes(jump(percent))
    assert found[48:55] == [0, 0, DataQuality.ABSURD_BAR] + [DataQuality.AFTER_ABSURD_BAR] * 3 + [0]


def test_a_jump_below_the_smallest_absurd_move_is_trusted() -> None:
    assert set(codes(jump(7.5))) == {DataQuality.OK}


def test_a_jump_of_exactly_the_smallest_absurd_move_is_trusted_and_one_past_it_is_not() -> None:
    level = np.where(np.arange(80) % 2, 100.5, 100.0)
    at_limit = np.concatenate((level[:51], [100.0 * np.exp(np.log1p(0.08))]))
    past = np.concatenate((level[:51], [100.0 * np.exp(np.log1p(0.0801))]))
    few_sigmas = DataQualityLimits(absurd_move_sigmas=1.0, absurd_move_min_pct=8.000001)
    assert codes(closes(at_limit), few_sigmas)[-1] == DataQuality.OK
    assert codes(closes(past), few_sigmas)[-1] == DataQuality.ABSURD_BAR


def test_a_large_jump_of_a_wild_pair_is_trusted() -> None:
    wild = walk(3, 300, sigma=0.05)
    wild.loc[200:, ["open", "high", "low", "close"]] *= 1.3
    assert codes(wild)[200] == DataQuality.OK


def test_a_jump_within_the_first_ten_moves_has_no_scale_to_be_judged_by() -> None:
    assert codes(jump(30.0, at=8))[8] == DataQuality.OK


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("open", np.nan),
        ("high", np.inf),
        ("low", 0.0),
        ("close", -1.0),
        ("volume", np.nan),
        ("volume", np.inf),
        ("volume", -1.0),
        ("high", 50.0),
        ("low", 500.0),
    ],
)
def test_an_impossible_candle_is_untrusted(column: str, value: float) -> None:
    frame = walk(1, 40, sigma=0.002)
    frame.loc[30, column] = value
    with np.errstate(invalid="ignore"):
        assert codes(frame)[30] == DataQuality.BAD_BAR
        assert codes(frame)[29] == DataQuality.OK


@pytest.mark.parametrize("shift", [timedelta(0), timedelta(hours=-5)])
def test_a_candle_not_newer_than_an_earlier_one_is_disorder(shift: timedelta) -> None:
    frame = walk(1, 40)
    frame.loc[30, "date"] = frame["date"][29] + shift
    found = codes(frame)
    assert found[30] == DataQuality.DISORDER
    assert found[29] == found[31] == DataQuality.OK


def test_a_candle_without_a_time_is_disorder() -> None:
    frame = walk(1, 40)
    frame.loc[30, "date"] = pd.NaT
    assert codes(frame)[30] == DataQuality.DISORDER


def test_a_missing_time_does_not_hide_later_disorder() -> None:
    frame = walk(1, 40)
    frame.loc[20, "date"] = pd.NaT
    frame.loc[30, "date"] = frame["date"][29]
    assert codes(frame)[30] == DataQuality.DISORDER


def test_every_candle_behind_one_that_jumped_ahead_is_disorder() -> None:
    frame = walk(1, 40)
    frame.loc[30, "date"] = frame["date"][35]
    assert codes(frame)[30:37] == [0] + [DataQuality.DISORDER] * 5 + [0]


def test_the_gravest_finding_is_given() -> None:
    frame = filled(walk(1, 40), slice(10, 15))
    frame.loc[12, "close"] = np.nan
    frame.loc[13, "date"] = frame["date"][11]
    found = codes(frame, DataQualityLimits(history_candles=12))
    hole = DataQuality.FILLED_HOLE
    assert found[9:15] == [1, hole, hole, DataQuality.BAD_BAR, DataQuality.DISORDER, hole]


@given(st.integers(0, 2**32 - 1), st.integers(1, 200))
def test_trust_of_a_candle_does_not_depend_on_later_ones(seed: int, k: int) -> None:
    frame = walk(seed, 200, holes=6)
    frame.loc[120:, ["open", "high", "low", "close"]] *= 1.5
    limits = DataQualityLimits(history_candles=5)
    assert codes(frame[:k], limits) == codes(frame, limits)[:k]


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 199), max_size=25))
def test_trust_that_is_carried_on_from_candle_to_candle_is_that_of_all(
    seed: int, quiet: list[int]
) -> None:
    frame = walk(seed, 200, holes=3)
    for at in quiet:
        frame = filled(frame, slice(max(1, at), max(1, at) + 1))
    # Bad ticks, one of them before candles in which nothing happens.
    frame.loc[[130, 150, 171], ["high", "close"]] *= 1.5
    frame = filled(frame, slice(172, 180))
    frame.loc[190, "low"] = np.nan
    frame.loc[195, "date"] = frame.loc[193, "date"]
    candles, at = None, 100
    for new in (0, 1, 1, 5, 1) * 12:
        at += new
        candles = MeasuredCandles(frame[:at].reset_index(drop=True), "1h", candles)
        assert list(assessed(candles, LIMITS)) == codes(frame[:at])


def after(frame: pd.DataFrame) -> MeasuredCandles:
    """The candles of a frame, of which all but the newest have been judged."""
    before = MeasuredCandles(frame[:-1].reset_index(drop=True), "1h")
    assessed(before, LIMITS)
    return MeasuredCandles(frame, "1h", before)


def test_an_ordinary_candle_after_a_sound_one_needs_no_scale_of_moves() -> None:
    with patch.object(MeasuredCandles, "quantiles", side_effect=AssertionError):
        assert assessed(after(walk(1, 150)), LIMITS)[-1] == DataQuality.OK


@pytest.mark.parametrize("factor", [0.5, 0.97, 1.03, 1.1, 1e9, 0.0, -1.0, np.nan, np.inf])
@pytest.mark.parametrize("column", ["open", "high", "low", "close", "volume"])
def test_a_new_candle_is_judged_as_it_is_among_all(column: str, factor: float) -> None:
    frame = walk(1, 150)
    frame.loc[149, column] *= factor
    with np.errstate(divide="ignore", invalid="ignore"):
        assert list(assessed(after(frame), LIMITS)) == codes(frame)


@pytest.mark.parametrize("columns", [PRICES[1:], PRICES[1:5], PRICES[:1]])
def test_a_new_candle_that_repeats_the_one_before_is_judged_as_it_is_among_all(
    columns: list[str],
) -> None:
    frame = walk(1, 150)
    frame.loc[149, columns] = frame.loc[148, columns]
    assert list(assessed(after(frame), LIMITS)) == codes(frame)


@given(st.integers(0, 2**32 - 1), st.sampled_from([2.0**-30, 2.0**20]))
def test_trust_does_not_depend_on_the_unit_of_price(seed: int, factor: float) -> None:
    frame = walk(seed, 150, holes=4)
    frame.loc[100:, ["open", "high", "low", "close"]] *= 2
    assert codes(scaled(frame, factor)) == codes(frame)


def wick(percent: float, *, up: bool) -> pd.DataFrame:
    """Closes that wobble by 0.1 %, and one candle whose high or low alone is far away."""
    frame = closes(np.where(np.arange(80) % 2, 100.1, 100.0))
    factor = 1 + percent / 100
    frame.loc[50, "high" if up else "low"] = 100.1 * factor if up else 100.0 / factor
    return frame


@pytest.mark.parametrize("up", [True, False])
@pytest.mark.parametrize(("percent", "absurd"), [(7.9, False), (8.1, True), (60.0, True)])
def test_a_wick_either_way_is_absurd_though_the_closes_are_not(
    up: bool, percent: float, absurd: bool
) -> None:
    found = codes(wick(percent, up=up))
    expected = (
        [DataQuality.ABSURD_BAR] + [DataQuality.AFTER_ABSURD_BAR] * 3
        if absurd
        else [DataQuality.OK] * 4
    )
    assert found[49:55] == [DataQuality.OK, *expected, DataQuality.OK]


def test_a_wick_of_a_wild_pair_is_trusted() -> None:
    wild = walk(3, 300, sigma=0.05)
    wild.loc[200, "high"] *= 1.3
    assert codes(wild)[200] == DataQuality.OK
