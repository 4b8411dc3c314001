"""Resting orders meet the price path: filled past their limit, by share of volume, or triggered."""

import pytest

from sandbox.orders import Status
from sandbox.units import UNIT, from_float
from tests.exchange import CANDLE_MS, START_MS, Desk, table

# Five quiet candles, then one that falls to 90 and closes at 92, and one that jumps down to 80.
STORY = table(
    [(100, 100.5, 99.5, 100, 600)] * 5 + [(100, 101, 90, 92, 600), (80, 82, 79, 81, 600)] * 2
)
# A wide path within each candle: down to 90 at a third of its time, up to 110 at two thirds.
SWING = table([(100, 110, 90, 105, 300)] * 4)


def test_a_resting_buy_is_filled_at_its_price_once_the_path_is_below_it() -> None:
    desk = Desk(SWING)
    order = desk.place("BUY", 1, 95)
    # The path is at 95 after 50 of the 100 seconds down to 90.
    desk.go_to(50 / 60)
    assert not order.executed
    desk.go_to(5)
    assert order.status is Status.FILLED
    (trade,) = order.fills
    assert trade.price == from_float(95)
    assert trade.is_maker
    # A tenth of the candle's 1 a second: the one coin takes ten seconds.
    assert trade.time_ms == START_MS + 60_000


def test_touching_the_limit_fills_nothing_and_one_tick_past_it_fills() -> None:
    for price, filled in ((90.0, False), (90.01, True)):
        desk = Desk(SWING)
        order = desk.place("BUY", 0.06, price)
        desk.go_to(19)
        assert bool(order.executed) is filled


def test_a_resting_sell_is_filled_once_the_path_is_above_it() -> None:
    desk = Desk(SWING, coins=2)
    order = desk.place("SELL", 2, 108)
    assert desk.locked("AAA") == 2
    desk.go_to(5)
    assert order.status is Status.FILLED
    assert desk.free("USDT") == pytest.approx(10_000 + 216 * 0.999)


def test_a_large_order_gets_its_share_of_the_volume_and_no_more() -> None:
    desk = Desk(SWING, usdt=1e6)
    order = desk.place("BUY", 500, 100.02)
    taken = order.executed
    desk.go_to(2.5)
    # Below its limit until half of the candle: a tenth of the 150 traded by then.
    assert order.executed - taken == pytest.approx(from_float(15), abs=from_float(0.001))


def test_two_orders_share_what_is_traded_and_the_better_price_comes_first() -> None:
    desk = Desk(SWING, usdt=1e6)
    second = desk.place("BUY", 5, 96)
    first = desk.place("BUY", 4, 97)
    desk.go_to(5)
    assert first.status is Status.FILLED
    # Below 96 from second 40 to 130: a tenth of the 90 traded meanwhile is what both wanted.
    assert second.executed == from_float(5)
    assert first.fills[-1].time_ms < second.fills[-1].time_ms
    both = sum(order.executed for order in (first, second))
    assert both == from_float(9)


def test_all_orders_together_get_no_more_than_their_share() -> None:
    desk = Desk(SWING, usdt=1e6)
    orders = [desk.place("BUY", amount, 97) for amount in (4, 50)]
    desk.go_to(5)
    # Below 97 from second 30 to 135: a tenth of the 105 traded meanwhile, 4 of it to the first.
    assert orders[0].status is Status.FILLED
    assert sum(order.executed for order in orders) == pytest.approx(from_float(10.5), abs=10**6)


def test_what_is_too_little_for_a_lot_is_not_lost_by_looking_often() -> None:
    quiet = table([(100, 100, 90, 90, 1)])
    executed = []
    for step in (1 / 60, 5):
        desk = Desk(quiet)
        order = desk.place("BUY", 5, 99)
        for count in range(round(5 / step)):
            desk.go_to((count + 1) * step)
        executed.append(order.executed)
    assert executed[0] == executed[1] > 0


def test_a_fill_better_than_the_limit_gives_back_what_it_saved() -> None:
    desk = Desk(STORY, usdt=1e6)
    order = desk.place("BUY", 1000, 100.05)
    assert order.status is Status.PARTIALLY_FILLED
    assert order.locked == order.needed
    assert desk.free("USDT") * UNIT == 1e6 * UNIT - order.quote_executed - order.locked


def test_a_close_before_an_order_was_placed_does_not_trigger_it() -> None:
    """At the border the old candle has closed at 95 and the new one has opened at 100."""
    desk = Desk(table([(100, 100, 95, 95, 600), (100, 100, 99, 100, 600)]), coins=5)
    desk.go_to(5)
    order = desk.place("SELL", 5, 90, stop=97)
    desk.go_to(10)
    assert order.waits_for_trigger


def test_a_stop_waits_triggers_on_the_last_price_and_takes_the_bids() -> None:
    desk = Desk(STORY, coins=5)
    order = desk.place("SELL", 5, 95, stop=96)
    desk.go_to(25)
    assert order.waits_for_trigger
    desk.go_to(30)
    assert order.status is Status.FILLED
    # Falling to 90 it was first at 101 for a third of the candle, then down within the next.
    assert order.working_ms is not None
    assert START_MS + 5 * CANDLE_MS < order.working_ms < START_MS + 6 * CANDLE_MS
    assert all(from_float(95) <= fill.price <= from_float(96) for fill in order.fills)
    assert not order.fills[0].is_maker


def test_a_stop_limit_that_is_jumped_over_stays_and_fills_if_the_price_comes_back() -> None:
    rows = [(100, 100, 100, 100, 600), (80, 82, 79, 81, 600), (81, 99, 80, 98, 600)]
    desk = Desk(table(rows), coins=5)
    order = desk.place("SELL", 5, 95, stop=96)
    desk.go_to(10)
    assert not order.waits_for_trigger
    assert order.working_ms == START_MS + CANDLE_MS
    assert not order.executed
    desk.go_to(15)
    assert order.status is Status.FILLED
    assert all(fill.price >= from_float(95) for fill in order.fills)


def test_a_stop_without_a_limit_sells_at_what_is_bid_beyond_a_jump() -> None:
    desk = Desk(table([(100, 100, 100, 100, 600), (80, 82, 79, 81, 600)]), coins=5)
    order = desk.place("SELL", 5, stop=96)
    desk.go_to(6)
    assert order.status is Status.FILLED
    assert all(fill.price <= from_float(80) for fill in order.fills)


def test_a_take_profit_sells_when_the_price_has_risen() -> None:
    desk = Desk(SWING, coins=1)
    order = desk.place("SELL", 1, stop=107, kind="TAKE_PROFIT")
    desk.go_to(5)
    assert order.status is Status.FILLED
