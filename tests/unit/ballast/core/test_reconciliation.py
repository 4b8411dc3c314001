"""What database and exchange may disagree about, at the limit of each, and what orders explain."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.core import reconciliation
from ballast.core.reconciliation import BUY, CLOCK_SKEW, SELL, RecordedPositions, SeenOrder

NOW = datetime(2024, 1, 1, tzinfo=UTC)
PAIR = "BTC/USDT"
UNITS = st.floats(0, 1e6)


def order(
    name: str = "7",
    side: str = BUY,
    amount: float = 1.0,
    filled: float = 0.0,
    *,
    is_open: bool = True,
    is_stop: bool = False,
    after_s: float = 0.0,
    ours: bool = True,
) -> SeenOrder:
    created = NOW + timedelta(seconds=after_s)
    return SeenOrder(name, PAIR, side, amount, filled, is_open, 95.0 * is_stop, created, ours)


def position(
    total: float, known: RecordedPositions, own: float = 0.0, price: float = 10.0
) -> list[str]:
    found = reconciliation.of_position(PAIR, total, known, own, price, smallest=5.0)
    return [discrepancy.code for discrepancy in found]


@pytest.mark.parametrize(
    ("total", "codes"),
    [
        (1.0, []),
        (1.5, []),
        (1.5051, ["UNKNOWN_POSITION"]),
        (0.995, []),
        (0.496, []),
        (0.49, ["POSITION_MISSING"]),
        (0.0, ["POSITION_MISSING"]),
    ],
)
def test_what_is_worth_less_than_the_smallest_order_does_not_count(
    total: float, codes: list[str]
) -> None:
    """A position of one unit at ten; the smallest order is worth five."""
    assert position(total, RecordedPositions(amount=1.0)) == codes


def test_an_entry_that_is_open_may_have_filled_and_an_exit_may_have_sold() -> None:
    assert position(2.0, RecordedPositions(amount=1.0, entering=1.0)) == []
    assert position(0.0, RecordedPositions(amount=1.0, leaving=1.0)) == []
    assert position(3.0, RecordedPositions(amount=1.0, entering=1.0)) == ["UNKNOWN_POSITION"]


def test_what_is_the_owners_is_not_counted() -> None:
    assert position(4.0, RecordedPositions(amount=1.0), own=3.0) == []
    assert position(5.0, RecordedPositions(amount=1.0), own=3.0) == ["UNKNOWN_POSITION"]
    # Sold by its owner: their coins do not stand in for the bot's, nor the other way round.
    assert position(1.0, RecordedPositions(amount=1.0), own=3.0) == []


def test_what_closed_positions_have_left_is_known() -> None:
    assert position(1.5, RecordedPositions(amount=1.0, left=0.5)) == []
    assert position(2.5, RecordedPositions(amount=1.0, left=0.5)) == ["UNKNOWN_POSITION"]
    # Dust does not stand in for a position that is missing.
    assert position(0.4, RecordedPositions(amount=1.0, left=0.5)) == ["POSITION_MISSING"]


def test_where_there_is_no_price_every_surplus_counts() -> None:
    assert position(1.1, RecordedPositions(amount=1.0), price=math.nan) == ["UNKNOWN_POSITION"]
    assert position(1.0, RecordedPositions(amount=1.0), price=math.nan) == []


@given(UNITS, UNITS, UNITS, UNITS, UNITS)
def test_nothing_is_both_too_much_and_missing(
    total: float, amount: float, entering: float, leaving: float, own: float
) -> None:
    known = RecordedPositions(amount, entering, leaving)
    over, short = reconciliation.surplus(total, known, own), reconciliation.shortfall(total, known)
    assert over >= 0
    assert short >= 0
    assert not (over and short)


@given(UNITS, UNITS, st.floats(0, 1e6), UNITS)
def test_more_on_the_exchange_is_never_less_of_a_surplus(
    total: float, amount: float, more: float, own: float
) -> None:
    known = RecordedPositions(amount)
    assert reconciliation.surplus(total + more, known, own) >= reconciliation.surplus(
        total, known, own
    )
    assert reconciliation.shortfall(total + more, known) <= reconciliation.shortfall(total, known)


def test_open_orders_of_a_bot_are_unknown_and_those_of_a_person_are_theirs() -> None:
    orders = [
        order("known"),
        order("unknown", amount=3, filled=1),
        order("by hand", ours=False),
        order("done", is_open=False),
    ]
    (found,) = reconciliation.of_orders(orders, RecordedPositions(order_ids={"known"}))
    assert (found.code, found.order_id, found.value) == ("UNKNOWN_ORDER", "unknown", 2.0)


def test_an_order_that_is_open_and_taken_for_ended_is_as_good_as_unknown() -> None:
    known = RecordedPositions(order_ids={"1", "2", "3"}, ended={"2", "3"})
    orders = [order("1"), order("2", SELL, is_stop=True), order("3", is_open=False)]
    assert [found.order_id for found in reconciliation.of_orders(orders, known)] == ["2"]
    assert reconciliation.lost_stop(orders, known, 1.0, 0.0, recorded=False) is orders[1]
    # What it has bought or sold is on record.
    assert reconciliation.net_unknown(orders, known) == 0


LATEST = CLOCK_SKEW.total_seconds()


@pytest.mark.parametrize(
    ("candidate", "is_it"),
    [
        (order(), True),
        (order(amount=0.9), True),
        (order(amount=1.1), False),
        (order(after_s=LATEST), True),
        (order(after_s=LATEST + 0.1), False),
        (order(after_s=-LATEST), True),
        (order(after_s=-LATEST - 0.1), False),
        (order(side=SELL), False),
        (order(ours=False), False),
        (order(is_open=False, filled=1.0), True),
        (order("known"), False),
    ],
)
def test_an_entry_without_an_answer_is_told_by_its_amount_and_its_moment(
    candidate: SeenOrder, is_it: bool
) -> None:
    known = RecordedPositions(order_ids={"known"})
    found = reconciliation.whose_answer_was_lost([candidate], known, 1.0, NOW)
    assert (found is candidate) is is_it


def test_of_several_the_nearest_is_taken() -> None:
    far, near = order("1", after_s=9), order("2", after_s=-2)
    assert reconciliation.whose_answer_was_lost([far, near], RecordedPositions(), 1.0, NOW) is near


def test_what_unknown_orders_have_sold_is_taken_off_what_they_bought() -> None:
    orders = [
        order("1", filled=2.0),
        order("2", SELL, filled=0.5, is_open=False),
        order("known", filled=9.0),
        order("by hand", filled=9.0, ours=False),
    ]
    assert reconciliation.net_unknown(orders, RecordedPositions(order_ids={"known"})) == 1.5


@pytest.mark.parametrize(
    ("candidate", "is_it"),
    [
        (order(side=SELL, is_stop=True), True),
        (order(side=SELL, is_stop=True, amount=0.9951), True),
        (order(side=SELL, is_stop=True, amount=0.994), False),
        (order(side=SELL), False),
        (order(is_stop=True), False),
        (order(side=SELL, is_stop=True, is_open=False), False),
        (order(side=SELL, is_stop=True, ours=False), False),
        (order("known", SELL, is_stop=True), False),
    ],
)
def test_a_stop_without_an_answer_fits_its_position(candidate: SeenOrder, is_it: bool) -> None:
    known = RecordedPositions(order_ids={"known"})
    found = reconciliation.lost_stop([candidate], known, 1.0, 0.0, recorded=False)
    assert (found is candidate) is is_it
    assert reconciliation.lost_stop([candidate], known, 1.0, 0.0, recorded=True) is None
    assert reconciliation.lost_stop([candidate], known, 0.0, 0.0, recorded=False) is None


def test_a_stop_that_was_sent_before_a_fee_was_taken_fits_to_a_lot() -> None:
    """That of an addition is booked a loop later: 139 lots were covered, and 138 are held."""
    sent = order(side=SELL, is_stop=True, amount=0.0139)
    known = RecordedPositions()
    assert reconciliation.lost_stop([sent], known, 0.0138, 0.0001, recorded=False) is sent
    assert reconciliation.lost_stop([sent], known, 0.0137, 0.0001, recorded=False) is None
