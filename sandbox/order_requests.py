"""From the parameters of POST /api/v3/order to an order request, with Binance's refusals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

from sandbox.errors import ApiError, missing_parameter
from sandbox.orders import OrderRequest, OrderType, Side, TimeInForce
from sandbox.units import parse

_CLIENT_ID = re.compile(r"^[a-zA-Z0-9_-]{1,36}$")
_AMOUNTS = {"quantity": "Invalid quantity.", "quoteOrderQty": "Invalid quote order qty."} | {
    "price": "Invalid price.",
    "stopPrice": "Invalid stopPrice.",
}
_NOT_OFFERED = ("icebergQty", "trailingDelta", "pegPriceType", "strategyId")

Name = TypeVar("Name", Side, OrderType, TimeInForce)


def order_request(parameters: Mapping[str, str], default_client_id: str) -> OrderRequest:
    """
    Read an order.

    Raises
    ------
    ApiError
        -1102 for a parameter that is missing, -1106 for one the type does not take, -1100, -1111,
        -1115, -1116, -1117 for values that cannot be read, -1013 for an amount or price of zero.
    """
    symbol = _required(parameters, "symbol")
    side = _named(Side, parameters, "side", ApiError(-1117, "Invalid side."))
    kind = _named(OrderType, parameters, "type", ApiError(-1116, "Invalid orderType."))
    values = _values(parameters, kind)
    return OrderRequest(
        symbol=symbol,
        side=side,
        type=kind,
        time_in_force=_time_in_force(parameters, kind),
        amount=values["quantity"],
        quote_amount=values["quoteOrderQty"],
        price=values["price"],
        stop_price=values["stopPrice"],
        client_id=_client_id(parameters, default_client_id),
    )


def _required(parameters: Mapping[str, str], name: str) -> str:
    if not parameters.get(name):
        raise missing_parameter(name)
    return parameters[name]


def _named(kind: type[Name], parameters: Mapping[str, str], name: str, refusal: ApiError) -> Name:
    try:
        return kind(_required(parameters, name))
    except ValueError:
        raise refusal from None


def _time_in_force(parameters: Mapping[str, str], kind: OrderType) -> TimeInForce:
    if not kind.has_limit or kind is OrderType.LIMIT_MAKER:
        _refuse_if_sent(parameters, "timeInForce")
        return TimeInForce.GTC
    refusal = ApiError(-1115, "Invalid timeInForce.")
    return _named(TimeInForce, parameters, "timeInForce", refusal)


def _values(parameters: Mapping[str, str], kind: OrderType) -> dict[str, int]:
    """Amounts and prices [units], 0 for those the type does not take."""
    for name in _NOT_OFFERED:
        _refuse_if_sent(parameters, name)
    taken = ["price"] if kind.has_limit else []
    taken += ["stopPrice"] if kind.is_conditional else []
    by_quote = kind is OrderType.MARKET and "quantity" not in parameters
    taken += ["quoteOrderQty"] if by_quote and "quoteOrderQty" in parameters else ["quantity"]
    values = dict.fromkeys(_AMOUNTS, 0)
    for name, refusal in _AMOUNTS.items():
        if name not in taken:
            _refuse_if_sent(parameters, name)
            continue
        values[name] = parse(name, parameters.get(name, ""))
        if not values[name]:
            raise ApiError(-1013, refusal)
    return values


def _refuse_if_sent(parameters: Mapping[str, str], name: str) -> None:
    if name in parameters:
        raise ApiError(-1106, f"Parameter '{name}' sent when not required.")


def _client_id(parameters: Mapping[str, str], default: str) -> str:
    given = parameters.get("newClientOrderId", default)
    if not _CLIENT_ID.match(given):
        raise ApiError(
            -1100,
            "Illegal characters found in parameter 'newClientOrderId'; legal range is "
            "'^[a-zA-Z0-9-_]{1,36}$'.",
        )
    return given
