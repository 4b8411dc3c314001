"""What is measured on hours changes once an hour, and is never older than the candles say."""

from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest

from ballast.core.aligned import slow_candles
from ballast.core.candles import Candles
from ballast.core.frames import resample
from ballast.core.market import Market
from ballast.core.measured import MeasuredCandles
from ballast.data.kept_candles import KeptCandles
from tests.unit.ballast.core.made import walk

PAIR = "ETH/USDT"
FINE = walk(1, 60 * 12, "5m")
OLDER = resample(FINE, "5m", "1h")[:40]
# As a live frame is: its last candles, of which the newest ends an hour.
SEEN = 15 * 12


def live(end: int, count: int = SEEN) -> pd.DataFrame:
    """The frame of a bot once `end` candles have ended."""
    return FINE[end - count : end].reset_index(drop=True)


def corrected(frame: pd.DataFrame, column: str, ago: int = 1) -> pd.DataFrame:
    changed = frame.copy()
    changed.loc[len(frame) - ago, column] *= 1.001
    return changed


class Hours(KeptCandles):
    """Those that windows of a strategy on 5m are measured on."""

    def of(self, pair: str, frame: pd.DataFrame, older: pd.DataFrame | None) -> MeasuredCandles:
        return self.grouped(pair, self.own(pair, frame), "1h", older)


@pytest.fixture
def kept() -> Hours:
    return Hours("5m")


def test_within_an_hour_nothing_is_measured_again(kept: Hours) -> None:
    first = kept.of(PAIR, live(480), OLDER)
    assert all(kept.of(PAIR, live(end), OLDER) is first for end in range(481, 492))
    assert kept.of(PAIR, live(492), OLDER) is not first


def test_what_is_kept_is_what_would_be_measured_anew(kept: Hours) -> None:
    for end in range(470, 500):
        frame = live(end)
        known = Candles(frame, "5m", kept.of(PAIR, frame, OLDER))
        anew = Candles(frame, "5m", slow_candles(frame, "5m", OLDER))
        for of in (Candles.ema, Candles.rsi, Candles.highest_high, Candles.hourly_turnover):
            pd.testing.assert_series_equal(of(known, "10h"), of(anew, "10h"))


@pytest.mark.parametrize(("column", "ago"), [("close", 4), ("volume", 4), ("volume", 15)])
def test_a_candle_of_the_last_hour_that_is_corrected_counts(
    kept: Hours, column: str, ago: int
) -> None:
    before = kept.of(PAIR, live(483), OLDER)
    frame = corrected(live(483), column, ago)
    after = kept.of(PAIR, frame, OLDER)
    pd.testing.assert_frame_equal(after.frame, slow_candles(frame, "5m", OLDER).frame)
    assert not after.frame.equals(before.frame)


@pytest.mark.parametrize(("column", "factor"), [("high", 2), ("low", 0.5)])
def test_an_extreme_of_the_last_hour_that_is_corrected_counts(
    kept: Hours, column: str, factor: float
) -> None:
    before, frame = kept.of(PAIR, live(483), OLDER), live(483)
    frame.loc[len(frame) - 5, column] *= factor
    after = kept.of(PAIR, frame, OLDER)
    pd.testing.assert_frame_equal(after.frame, slow_candles(frame, "5m", OLDER).frame)
    assert not after.frame.equals(before.frame)


def test_a_candle_of_the_running_hour_is_none_of_the_hours(kept: Hours) -> None:
    before = kept.of(PAIR, live(483), OLDER)
    assert kept.of(PAIR, corrected(live(483), "close"), OLDER) is before


def test_older_hours_count_as_soon_as_they_are_there(kept: Hours) -> None:
    short = kept.of(PAIR, live(480), OLDER[:0])
    assert len(kept.of(PAIR, live(480), OLDER)) > len(short)


def test_each_pair_has_its_own(kept: Hours) -> None:
    one, other = kept.of(PAIR, live(480), OLDER), kept.of("XRP/USDT", live(480), OLDER)
    assert one is not other
    kept.forget_but({PAIR})
    assert kept.of(PAIR, live(480), OLDER) is one
    assert kept.of("XRP/USDT", live(480), OLDER) is not other


@pytest.mark.parametrize("timeframe", ["5m", "1h"])
@pytest.mark.parametrize(("column", "ago"), [("low", 1), ("high", 1), ("close", 2), ("volume", 9)])
def test_any_of_a_pairs_own_candles_that_is_corrected_counts(
    timeframe: str, column: str, ago: int
) -> None:
    """Trust was that of before, where another pair's rules read them within the same candle."""
    kept, frame = KeptCandles(timeframe), walk(2, 50, timeframe)
    one, changed = kept.own(PAIR, frame), corrected(frame, column, ago)
    assert kept.own(PAIR, frame.copy()) is one
    assert kept.own(PAIR, changed).frame.equals(changed)


@pytest.mark.parametrize("timeframe", ["1h", "4h", "1w"])
def test_from_an_hour_upwards_each_candle_is_new(timeframe: str) -> None:
    kept, whole = KeptCandles(timeframe), walk(2, 50, timeframe)
    one = kept.own(PAIR, whole[:30])
    assert kept.own(PAIR, whole[:30].copy()) is one
    assert kept.own(PAIR, corrected(whole[:30], "close")) is not one
    assert len(kept.own(PAIR, whole[:31])) == 31
    # The newest candle is the same, and the frame does not reach as far back.
    assert len(kept.own(PAIR, whole[5:31])) == 26


def test_a_market_goes_on_with_its_basket_until_somebody_has_a_new_hour() -> None:
    kept, measured = Hours("5m"), []
    market: Market | None = None
    for end in range(480, 494):
        slow = kept.of(PAIR, live(end), OLDER)
        market = Market(live(end), "5m", {PAIR: slow}, slow, market)
        with patch.object(Market, "_share_above_average", autospec=True) as measure:
            measure.side_effect = lambda market, n: np.zeros(len(market.slow))
            market.breadth("10h")
        measured.append(measure.call_count)
    assert measured == [1] + 11 * [0] + [1, 0]


def test_another_basket_is_another_market() -> None:
    slow = MeasuredCandles(walk(2, 100), "1h")
    rising = MeasuredCandles(walk(3, 100), "1h")
    alone = Market(slow.frame, "1h", {PAIR: slow}, slow)
    both = Market(slow.frame, "1h", {PAIR: slow, "XRP/USDT": rising}, slow, alone)
    fresh = Market(slow.frame, "1h", {PAIR: slow, "XRP/USDT": rising})
    pd.testing.assert_series_equal(both.breadth("10h"), fresh.breadth("10h"))
    assert not both.breadth("10h").equals(alone.breadth("10h"))
