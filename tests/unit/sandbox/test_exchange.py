"""Orders are filled where the price path and the book allow it, and the account is always right."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.errors import ApiError
from sandbox.hooks import Hooks
from sandbox.ledger import Account
from sandbox.markets import Market
from sandbox.orders import Order, OrderType, Side, Status
from sandbox.units import UNIT, from_float
from tests.exchange import CANDLE_MS, PAIR, START_MS, SYMBOL, Desk, Row, TableSource, table

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


def test_a_take_profit_sells_when_the_price_has_risen() -> None:
    desk = Desk(SWING, coins=1)
    order = desk.place("SELL", 1, stop=107, kind="TAKE_PROFIT")
    desk.go_to(5)
    assert order.status is Status.FILLED


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


PRICES = st.floats(60, 140).map(lambda price: round(price, 2))
AMOUNTS = st.sampled_from([0.05, 0.1, 0.333, 1, 3, 17.5, 400])
ACTIONS = st.one_of(
    st.tuples(st.just("wait"), st.floats(0.0, 7.0)),
    st.tuples(st.just("cancel"), st.integers(0, 20)),
    st.tuples(
        st.just("place"),
        st.sampled_from(["BUY", "SELL"]),
        AMOUNTS,
        st.sampled_from([kind.value for kind in OrderType]),
        PRICES,
        PRICES,
        st.sampled_from(["GTC", "IOC", "FOK"]),
    ),
)


@st.composite
def markets(draw: Callable) -> TableSource:
    """Candles that jump, swing, stand still, go missing or trade nothing."""
    rows: list[Row] = []
    for _ in range(8):
        low, high = sorted(draw(st.tuples(PRICES, PRICES)))
        inside = st.floats(low, high).map(lambda price: round(price, 2))
        volume = draw(st.sampled_from([0, 0.001, 1, 250, 3000]))
        row = (draw(inside), high, low, draw(inside), volume)
        rows.append(None if rows and draw(st.integers(0, 5)) == 0 else row)
    return table(rows)


def act(desk: Desk, action: tuple, minutes: float) -> float:
    """Do one thing; refusals are answers. Returns the minute it is then."""
    try:
        if action[0] == "wait":
            minutes += action[1]
            desk.go_to(minutes)
        elif action[0] == "cancel" and desk.exchange.orders:
            desk.exchange.cancel(desk.exchange.orders[action[1] % len(desk.exchange.orders)])
        elif action[0] == "place":
            _, side, amount, kind, price, stop, lasts = action
            limit = price if "LIMIT" in kind else 0
            trigger = stop if kind.startswith(("STOP", "TAKE")) else 0
            desk.place(side, amount, limit, stop=trigger, kind=kind, lasts=lasts)
    except ApiError:
        pass
    return minutes


@settings(max_examples=150, deadline=None)
@given(markets(), st.lists(ACTIONS, max_size=25))
def test_whatever_happens_value_is_kept_and_locks_are_those_of_open_orders(
    source: TableSource, actions: list
) -> None:
    desk = Desk(source, coins=50)
    minutes = 0.0
    for action in actions:
        minutes = act(desk, action, minutes)
        assert desk.exchange.audit() == []
        held = desk.exchange.account.ledger.balances()
        for account in (Account.FREE, Account.LOCKED, Account.FEES):
            assert all(amount > 0 for amount in held[account].values())
        for asset in ("USDT", "AAA"):
            assert sum(account.get(asset, 0) for account in held.values()) == 0
    for order in desk.exchange.orders:
        for fill in order.fills:
            assert order.accepts(fill.price)
        assert order.executed <= order.amount
    desk.clock.time_ms += CANDLE_MS
    for order in desk.exchange.open_orders():
        desk.exchange.advance()
        if order.is_open:
            desk.exchange.cancel(order)
    assert desk.locked("USDT") == desk.locked("AAA") == 0


@settings(max_examples=60, deadline=None)
@given(
    markets(),
    st.lists(st.tuples(st.sampled_from(Side), AMOUNTS, PRICES, PRICES, st.booleans()), max_size=4),
    st.lists(st.floats(0.0, 40.0), max_size=30),
)
def test_how_often_one_looks_changes_nothing(
    source: TableSource, orders: list, looks: list[float]
) -> None:
    results = []
    for moments in ([40.0], [*sorted(looks), 40.0]):
        desk = Desk(source, usdt=1e6, coins=2000)
        for side, amount, price, stop, conditional in orders:
            kind = "STOP_LOSS_LIMIT" if conditional else "LIMIT"
            trigger = stop if conditional else 0
            act(desk, ("place", side, amount, kind, price, trigger, "GTC"), 0)
        for minutes in moments:
            desk.go_to(minutes)
        results.append(
            [
                (order.id, order.status, order.executed, order.working_ms)
                for order in desk.exchange.orders
            ]
        )
    assert results[0] == results[1]
