"""Whatever orders and price paths come: value is kept, and how often one looks changes nothing."""

import dataclasses
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.errors import ApiError
from sandbox.ledger import Account
from sandbox.markets import Market
from sandbox.orders import OrderType, Side
from tests.exchange import CANDLE_MS, MARKET, Desk, Row, TableSource, table

# A market on which price times amount has more decimals than an asset has.
FINE = dataclasses.replace(MARKET, tick="0.00001", lot="0.00001")
AMOUNTS = {MARKET: [0.05, 0.1, 0.333, 1, 3, 17.5, 400], FINE: [0.06667, 0.33333, 1.00001, 90.12345]}


def prices(market: Market) -> st.SearchStrategy[float]:
    decimals = len(market.tick.partition(".")[2])
    return st.floats(60, 140).map(lambda price: round(price, decimals))


def actions(market: Market) -> st.SearchStrategy[tuple]:
    return st.one_of(
        st.tuples(st.just("wait"), st.floats(0.0, 7.0)),
        st.tuples(st.just("cancel"), st.integers(0, 20)),
        st.tuples(
            st.just("place"),
            st.sampled_from(["BUY", "SELL"]),
            st.sampled_from(AMOUNTS[market]),
            st.sampled_from([kind.value for kind in OrderType]),
            prices(market),
            prices(market),
            st.sampled_from(["GTC", "IOC", "FOK"]),
        ),
    )


@st.composite
def sources(draw: Callable, market: Market) -> TableSource:
    """Candles that jump, swing, stand still, go missing or trade nothing."""
    rows: list[Row] = []
    for _ in range(8):
        low, high = sorted(draw(st.tuples(prices(market), prices(market))))
        opened, closed = (min(max(draw(prices(market)), low), high) for _ in range(2))
        volume = draw(st.sampled_from([0, 0.001, 1, 250, 3000]))
        row = (opened, high, low, closed, volume)
        rows.append(None if rows and draw(st.integers(0, 5)) == 0 else row)
    return table(rows, market)


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


@pytest.mark.parametrize("market", [MARKET, FINE], ids=["coarse", "fine"])
@settings(max_examples=80)
@given(data=st.data())
def test_whatever_happens_value_is_kept_and_locks_are_those_of_open_orders(
    market: Market, data: st.DataObject
) -> None:
    desk = Desk(data.draw(sources(market)), coins=50)
    minutes = 0.0
    for action in data.draw(st.lists(actions(market), max_size=25)):
        minutes = act(desk, action, minutes)
        assert desk.exchange.audit() == []
        held = desk.exchange.account.ledger.balances()
        for account in (Account.FREE, Account.LOCKED, Account.FEES):
            assert all(amount > 0 for amount in held[account].values())
        for asset in ("USDT", "AAA"):
            assert sum(account.get(asset, 0) for account in held.values()) == 0
        for order in desk.exchange.open_orders():
            assert not order.price or order.locked == order.needed
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


@settings(max_examples=60)
@given(
    sources(MARKET),
    st.lists(
        st.tuples(
            st.sampled_from(Side),
            st.sampled_from(AMOUNTS[MARKET]),
            prices(MARKET),
            prices(MARKET),
            st.booleans(),
        ),
        max_size=4,
    ),
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
