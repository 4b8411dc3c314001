"""Orders are filled where the price path and the book allow it, and the account is always right."""

import pytest

from sandbox.errors import ApiError
from sandbox.hooks import Hooks
from sandbox.ledger import Account
from sandbox.markets import Market
from sandbox.orders import Order, Status
from sandbox.units import UNIT, from_float
from tests.exchange import CANDLE_MS, PAIR, START_MS, SYMBOL, Desk, TableSource, table

# Five quiet candles, then one that falls to 90 and closes at 92, and one that jumps down to 80.
STORY = table(
    [(100, 100.5, 99.5, 100, 600)] * 5 + [(100, 101, 90, 92, 600), (80, 82, 79, 81, 600)] * 2
)
# A wide path within each candle: down to 90 at a third of its time, up to 110 at two thirds.
SWING = table([(100, 110, 90, 105, 300)] * 4)


def quotes(desk: Desk) -> tuple[float, float]:
    book = desk.exchange.market.book(SYMBOL, 1)
    return book.bids[0][0], book.asks[0][0]


def test_a_market_order_takes_the_best_levels_and_pays_the_fee_in_what_it_gets() -> None:
    desk = Desk(STORY)
    order = desk.place("BUY", 1)
    assert order.status is Status.FILLED
    assert order.fills[0].price == from_float(quotes(desk)[1])
    assert desk.free("AAA") == pytest.approx(0.999)
    assert desk.free("USDT") == pytest.approx(10_000 - order.quote_executed / UNIT)
    assert desk.exchange.account.ledger.balance(Account.FEES, "AAA") == from_float(0.001)


def test_a_large_market_order_walks_the_book_to_worse_prices() -> None:
    desk = Desk(STORY, usdt=1e6)
    levels = desk.exchange.market.book(SYMBOL, 3).asks
    order = desk.place("BUY", 30)
    paid = [fill.price for fill in order.fills]
    assert paid == sorted(paid)
    assert paid[:3] == [from_float(price) for price, _ in levels]
    assert order.executed == order.amount


def test_what_is_taken_from_the_book_is_gone_for_the_rest_of_the_second() -> None:
    desk = Desk(STORY, usdt=1e6)
    (best, offered), (second, _) = desk.exchange.market.book(SYMBOL, 2).asks
    desk.place("BUY", offered, best, lasts="IOC")
    assert quotes(desk)[1] == second
    assert desk.place("BUY", 1).fills[0].price == from_float(second)


def test_a_market_order_for_a_sum_buys_the_whole_lots_it_pays_for() -> None:
    desk = Desk(STORY)
    order = desk.place("BUY", 0, quote=250)
    assert order.status is Status.FILLED
    assert order.amount == from_float(250 / quotes(desk)[1] - 0.0005) // 100_000 * 100_000
    assert order.quote_executed <= 250 * UNIT


def test_a_marketable_limit_fills_to_its_limit_and_the_rest_stays() -> None:
    desk = Desk(STORY, usdt=1e6)
    best, offered = desk.exchange.market.book(SYMBOL, 1).asks[0]
    order = desk.place("BUY", offered + 5, best)
    assert order.status is Status.PARTIALLY_FILLED
    assert order.executed == from_float(offered)
    assert desk.locked("USDT") == pytest.approx(5 * best)


@pytest.mark.parametrize(
    ("lasts", "status", "filled"), [("IOC", Status.EXPIRED, True), ("FOK", Status.EXPIRED, False)]
)
def test_what_cannot_wait_expires(lasts: str, status: Status, filled: bool) -> None:
    desk = Desk(STORY, usdt=1e6)
    best, offered = desk.exchange.market.book(SYMBOL, 1).asks[0]
    order = desk.place("BUY", offered + 5, best, lasts=lasts)
    assert order.status is status
    assert order.executed == (from_float(offered) if filled else 0)
    assert desk.locked("USDT") == 0


def test_fill_or_kill_fills_when_all_of_it_is_there() -> None:
    desk = Desk(STORY)
    order = desk.place("BUY", 1, quotes(desk)[1], lasts="FOK")
    assert order.status is Status.FILLED


def test_a_maker_order_that_would_take_is_refused() -> None:
    desk = Desk(STORY)
    bid, ask = quotes(desk)
    with pytest.raises(ApiError, match="immediately match and take"):
        desk.place("BUY", 1, ask, kind="LIMIT_MAKER")
    assert desk.place("BUY", 1, bid, kind="LIMIT_MAKER").status is Status.NEW


@pytest.mark.parametrize(
    ("side", "kind", "at_once", "waits"),
    [
        ("SELL", "STOP_LOSS_LIMIT", 100.0, 99.99),
        ("BUY", "STOP_LOSS_LIMIT", 100.0, 100.01),
        ("SELL", "TAKE_PROFIT_LIMIT", 100.0, 100.01),
        ("BUY", "TAKE_PROFIT_LIMIT", 100.0, 99.99),
    ],
)
def test_a_trigger_already_reached_is_refused(
    side: str, kind: str, at_once: float, waits: float
) -> None:
    desk = Desk(STORY, coins=5)
    with pytest.raises(ApiError, match="would trigger immediately") as refusal:
        desk.place(side, 1, 99, stop=at_once, kind=kind)
    assert refusal.value.code == -2010
    assert desk.place(side, 1, 99, stop=waits, kind=kind).waits_for_trigger


def test_an_order_that_is_not_covered_is_refused_and_leaves_no_trace() -> None:
    desk = Desk(STORY, usdt=100)
    for attempt in (
        lambda: desk.place("BUY", 1.002, 99.9),
        lambda: desk.place("BUY", 1.001),
        lambda: desk.place("SELL", 0.1, 101),
        lambda: desk.place("BUY", 1.001, 103, stop=102),
    ):
        with pytest.raises(ApiError, match="insufficient balance") as refusal:
            attempt()
        assert refusal.value.code == -2010
    assert desk.exchange.orders == []
    assert desk.free("USDT") == 100


def test_the_last_unit_can_be_ordered_with() -> None:
    desk = Desk(STORY, usdt=99)
    desk.place("BUY", 1, 99)
    assert desk.free("USDT") == 0
    assert desk.locked("USDT") == 99


def test_a_cancelled_order_gives_back_what_it_held() -> None:
    desk = Desk(STORY)
    order = desk.place("BUY", 1, 95)
    desk.exchange.cancel(order)
    assert order.status is Status.CANCELED
    assert desk.free("USDT") == 10_000
    with pytest.raises(ApiError, match="Unknown order") as refusal:
        desk.exchange.cancel(order)
    assert refusal.value.code == -2011


def test_an_order_filled_before_its_cancellation_arrives_cannot_be_cancelled() -> None:
    desk = Desk(SWING)
    order = desk.place("BUY", 1, 95)
    desk.clock.time_ms = START_MS + CANDLE_MS
    with pytest.raises(ApiError, match="Unknown order"):
        desk.exchange.cancel(order)
    assert order.status is Status.FILLED


def test_a_client_id_is_used_once_among_open_orders() -> None:
    desk = Desk(STORY)
    order = desk.place("BUY", 1, 95)
    with pytest.raises(ApiError, match="Duplicate order"):
        desk.exchange.place(order.request)
    desk.exchange.cancel(order)
    assert desk.exchange.place(order.request).is_open


def test_orders_end_with_the_delisting_of_their_pair() -> None:
    market = Market(PAIR, "0.01", "0.001", START_MS, START_MS + 7 * 60_000, START_MS)
    desk = Desk(TableSource(STORY.rows, market))
    order = desk.place("BUY", 1, 95)
    desk.go_to(8)
    assert order.status is Status.EXPIRED
    assert order.update_ms == START_MS + 7 * 60_000
    assert desk.locked("USDT") == 0
    with pytest.raises(ApiError, match="Market is closed"):
        desk.place("BUY", 1, 95)


def test_hooks_can_hold_back_fills_and_refuse_orders() -> None:
    class Silent(Hooks):
        def fillable(self, order: Order, amount: int, time_ms: int) -> int:
            return min(amount, max(0, from_float(0.4) - order.executed))

        def before_cancel(self, order: Order) -> None:
            raise ApiError(-2011, "Unknown order sent.")

    desk = Desk(SWING, hooks=Silent())
    order = desk.place("BUY", 1, 95)
    desk.go_to(20)
    assert order.status is Status.PARTIALLY_FILLED
    assert order.executed == from_float(0.4)
    with pytest.raises(ApiError):
        desk.exchange.cancel(order)
    assert order.is_open
    assert desk.exchange.audit() == []
