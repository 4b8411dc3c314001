"""Parameters of an order are read exactly, or refused with Binance's code."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import ApiError
from sandbox.order_requests import order_request
from sandbox.orders import OrderType, Side, TimeInForce
from sandbox.units import UNIT, parse, text

LIMIT = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.5",
    "price": "40000.01",
}
MARKET = {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "0.5"}
STOP = LIMIT | {"side": "SELL", "type": "STOP_LOSS_LIMIT", "stopPrice": "40500"}


def test_a_limit_order_is_read_in_units() -> None:
    order = order_request(LIMIT, "given")
    assert (order.side, order.type) == (Side.BUY, OrderType.LIMIT)
    assert order.time_in_force is TimeInForce.GTC
    assert order.amount == UNIT // 2
    assert order.price == 40_000 * UNIT + UNIT // 100
    assert order.client_id == "given"
    assert order_request(LIMIT | {"newClientOrderId": "mine"}, "given").client_id == "mine"


def test_a_stop_and_a_market_order_take_what_their_type_takes() -> None:
    assert order_request(STOP, "x").stop_price == 40_500 * UNIT
    assert order_request(MARKET, "x").price == 0
    quote = {key: value for key, value in MARKET.items() if key != "quantity"}
    assert order_request(quote | {"quoteOrderQty": "100"}, "x").quote_amount == 100 * UNIT


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        (LIMIT | {"side": "HOLD"}, -1117),
        (LIMIT | {"type": "GUESS"}, -1116),
        (LIMIT | {"timeInForce": "GTX"}, -1115),
        (LIMIT | {"quantity": "0"}, -1013),
        (LIMIT | {"quantity": "1e3"}, -1100),
        (LIMIT | {"quantity": "-1"}, -1100),
        (LIMIT | {"price": "0.123456789"}, -1111),
        (LIMIT | {"stopPrice": "1"}, -1106),
        (LIMIT | {"icebergQty": "1"}, -1106),
        (LIMIT | {"newClientOrderId": "no spaces"}, -1100),
        (MARKET | {"price": "1"}, -1106),
        (MARKET | {"timeInForce": "GTC"}, -1106),
        (MARKET | {"quoteOrderQty": "5"}, -1106),
        *(({k: v for k, v in STOP.items() if k != name}, -1102) for name in STOP),
    ],
)
def test_what_cannot_be_an_order_is_refused_with_its_code(parameters: dict, code: int) -> None:
    with pytest.raises(ApiError) as refusal:
        order_request(parameters, "x")
    assert refusal.value.code == code


@given(st.integers(0, 10**19))
def test_units_survive_being_written_and_read(units: int) -> None:
    assert parse("quantity", text(units)) == units


def test_zeros_beyond_the_eighth_decimal_are_no_precision() -> None:
    assert parse("quantity", "1.10000000000") == UNIT + UNIT // 10
