"""Each filter lets pass what is at its limit and refuses what is one step beyond."""

import pytest

from sandbox.errors import ApiError
from tests.exchange import SYMBOL, Desk, table

FLAT = table([(100, 100, 100, 100, 6e6)] * 3)


@pytest.mark.parametrize(
    ("name", "passes", "refused"),
    [
        ("PRICE_FILTER", {"price": 99.99}, {"price": 99.995}),
        ("PRICE_FILTER", {"price": 90, "stop": 95}, {"price": 90, "stop": 95.001}),
        ("PERCENT_PRICE_BY_SIDE", {"price": 20}, {"price": 19.99}),
        ("LOT_SIZE", {"amount": 1.001}, {"amount": 1.0005}),
        ("LOT_SIZE", {"amount": 0.25}, {"amount": 900_000.001, "price": 20}),
        ("NOTIONAL", {"amount": 0.1, "price": 50}, {"amount": 0.1, "price": 49.99}),
        ("NOTIONAL", {"amount": 9e4, "price": 100}, {"amount": 90_000.001, "price": 100}),
        ("NOTIONAL", {"amount": 0.05, "price": 0}, {"amount": 0.049, "price": 0}),
        ("MARKET_LOT_SIZE", {"amount": 1e4, "price": 0}, {"amount": 10_000.001, "price": 0}),
    ],
)
def test_a_filter_holds_at_its_limit_and_not_beyond(name: str, passes: dict, refused: dict) -> None:
    desk = Desk(FLAT, usdt=1e12, coins=1e6)
    sides = {"side": "SELL" if "stop" in passes else "BUY", "amount": 1, "price": 99}
    desk.place(**(sides | passes))
    with pytest.raises(ApiError, match=f"Filter failure: {name}") as refusal:
        desk.place(**(sides | refused))
    assert refusal.value.code == -1013


def test_a_sell_may_ask_five_times_the_last_price_and_no_more() -> None:
    desk = Desk(FLAT, usdt=1e12, coins=1e6)
    desk.place("SELL", 1, 500)
    with pytest.raises(ApiError, match="PERCENT_PRICE_BY_SIDE"):
        desk.place("SELL", 1, 500.01)


def test_two_hundred_orders_may_be_open_and_five_of_them_conditional() -> None:
    desk = Desk(FLAT, usdt=1e12, coins=1e6)
    for _ in range(5):
        desk.place("SELL", 1, 90, stop=95)
    with pytest.raises(ApiError, match="MAX_NUM_ALGO_ORDERS"):
        desk.place("SELL", 1, 90, stop=95)
    for _ in range(195):
        desk.place("BUY", 1, 90)
    with pytest.raises(ApiError, match="MAX_NUM_ORDERS"):
        desk.place("BUY", 1, 90)
    desk.exchange.cancel(desk.exchange.open_orders(SYMBOL)[-1])
    assert desk.place("BUY", 1, 90).is_open
