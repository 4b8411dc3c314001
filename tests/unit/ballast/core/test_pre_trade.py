"""Each check allows what is at its limit, and refuses what is past it and what is unknown."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.core import pre_trade
from ballast.core.pre_trade import Quote
from ballast.core.reasons import Reason
from ballast.core.verdict import Verdict

BOOK = Quote(bids=[(99.9, 10), (99.5, 20), (99.0, 1000)], asks=[(100.1, 5), (100.5, 30)])


def allowed(verdict: Verdict) -> bool:
    return not verdict.blocks


@pytest.mark.parametrize(("seconds", "fits"), [(0, True), (120, True), (120.001, False)])
def test_a_signal_is_traded_until_it_is_too_old(seconds: float, fits: bool) -> None:
    verdict = pre_trade.age(seconds, 120)
    assert allowed(verdict) is fits
    assert fits or (verdict.code, verdict.value, verdict.limit) == ("SIGNAL_OLD", seconds, 120)


def test_a_candle_that_closes_in_the_future_is_as_wrong_as_an_old_one() -> None:
    """A clock that runs behind: how old the signal is, is not known."""
    assert not allowed(pre_trade.age(-121, 120))


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(("distance", "fits"), [(1.0, True), (1.0625, False)])
def test_price_may_have_moved_a_share_of_its_range_either_way(
    distance: float, fits: bool, side: int
) -> None:
    verdict = pre_trade.moved(100 + side * distance, 100, 2.0, 0.5)
    assert allowed(verdict) is fits
    assert fits or verdict.code == "PRICE_MOVED"


@pytest.mark.parametrize("atr", [0.0, -1.0, math.nan])
def test_without_an_atr_no_distance_is_small(atr: float) -> None:
    assert not allowed(pre_trade.moved(100, 100, atr, 0.5))


def test_spread_is_measured_from_the_middle() -> None:
    assert BOOK.spread_bps == pytest.approx(20.0)
    assert allowed(pre_trade.spread(BOOK, BOOK.spread_bps))
    assert pre_trade.spread(BOOK, BOOK.spread_bps - 0.001).code == "SPREAD_WIDE"


@pytest.mark.parametrize(
    "book",
    [
        Quote([], [(100, 1)]),
        Quote([(100, 1)], []),
        Quote([], []),
        Quote([(101, 1)], [(100, 1)]),
        Quote([(0, 1)], [(100, 1)]),
        Quote([(math.nan, 1)], [(100, 1)]),
    ],
)
def test_a_book_that_is_none_passes_nothing(book: Quote) -> None:
    assert not allowed(pre_trade.spread(book, 1000))


def test_a_side_without_levels_has_no_depth() -> None:
    assert not allowed(pre_trade.depth(Quote([], [(100, 1e9)]), 1, 50, 1))


def test_depth_counts_what_rests_near_the_best_price_of_the_thinner_side() -> None:
    near = 5 * 100.1 + 30 * 100.5
    assert BOOK.depth(50) == pytest.approx(99.9 * 10 + 99.5 * 20)
    assert BOOK.depth(1000) == pytest.approx(near)
    assert BOOK.depth(1) == pytest.approx(5 * 100.1)


def test_depth_must_be_several_times_the_stake() -> None:
    book = Quote([(100, 30)], [(100.1, 30)])
    assert allowed(pre_trade.depth(book, 1000, 50, 3))
    assert pre_trade.depth(book, 1000.001, 50, 3).code == "DEPTH_THIN"


def test_what_is_free_must_pay_for_the_fee_too() -> None:
    assert allowed(pre_trade.balance(1001.0, 1000, 0.001))
    assert pre_trade.balance(1000.999, 1000, 0.001).code == "BALANCE_SHORT"


@given(st.floats(allow_nan=True, allow_infinity=True), st.floats(0, 1e6))
def test_no_number_that_is_unknown_is_within_a_limit(value: float, limit: float) -> None:
    assert allowed(pre_trade.at_most(Reason.PRICE_MOVED, value, limit)) is (value <= limit)
    assert allowed(pre_trade.at_least(Reason.DEPTH_THIN, value, limit)) is (value >= limit)
