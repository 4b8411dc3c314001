"""Binance's signed spot endpoints over HTTP.

Every handler gets the parameters of a request whose key and signature were checked; keys that may
not do what is asked are refused before the exchange hears of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from itertools import count
from typing import Any

from aiohttp import web

from sandbox.errors import ApiError, missing_parameter
from sandbox.exchange import Exchange
from sandbox.order_bodies import (
    account_body,
    cancelled_body,
    order_body,
    placed_body,
    trade_body,
)
from sandbox.order_requests import order_request
from sandbox.orders import Order
from sandbox.routes import Handler, reply
from sandbox.signing import ApiKey, Signatures, not_permitted
from sandbox.units import MILLION, UNIT, text

MAX_ROWS, DEFAULT_ROWS = 1000, 500
_MAX_DIGITS = 18

Parameters = Mapping[str, str]
Signed = Callable[[ApiKey, Parameters], Any]


class TradingRoutes:
    """Handlers of the signed endpoints; `table` lists them for an application."""

    def __init__(self, exchange: Exchange, signatures: Signatures) -> None:
        self._exchange = exchange
        self._signatures = signatures
        self._client_ids = count(1)
        self._created_ms = exchange.market.clock.now_ms()

    def table(self) -> list[web.RouteDef]:
        """Paths and their handlers."""
        trading, reading = self._trading, self._reading
        return [
            web.post("/api/v3/order", trading(self.place)),
            web.post("/api/v3/order/test", trading(self.try_out)),
            web.get("/api/v3/order", reading(self.order)),
            web.delete("/api/v3/order", trading(self.cancel)),
            web.get("/api/v3/openOrders", reading(self.open_orders)),
            web.delete("/api/v3/openOrders", trading(self.cancel_all)),
            web.get("/api/v3/allOrders", reading(self.all_orders)),
            web.get("/api/v3/myTrades", reading(self.trades)),
            web.get("/api/v3/account", reading(self.account)),
            web.get("/sapi/v1/account/apiRestrictions", reading(self.restrictions)),
            web.get("/sapi/v1/asset/tradeFee", reading(self.fees)),
            web.get("/sapi/v1/capital/config/getall", reading(self.assets)),
            web.get("/sapi/v1/margin/allPairs", self._with_key(self.no_margin)),
            web.get("/sapi/v1/margin/isolated/allPairs", self._with_key(self.no_margin)),
        ]

    def _reading(self, handler: Signed) -> Handler:
        return self._signed(handler, lambda key: key.reading)

    def _trading(self, handler: Signed) -> Handler:
        return self._signed(handler, lambda key: key.spot_trading)

    def _signed(self, handler: Signed, may: Callable[[ApiKey], bool]) -> Handler:
        async def checked(request: web.Request) -> web.Response:
            key = self._signatures.key(request.headers.get("X-MBX-APIKEY"))
            query = request.raw_path.partition("?")[2]
            now_ms = self._exchange.market.clock.now_ms()
            parameters = self._signatures.verify(key, query, await request.text(), now_ms)
            if not may(key):
                raise not_permitted()
            return reply(handler(key, parameters))

        return checked

    def _with_key(self, handler: Signed) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def checked(request: web.Request) -> web.Response:
            key = self._signatures.key(request.headers.get("X-MBX-APIKEY"))
            return reply(handler(key, request.query))

        return checked

    def place(self, key: ApiKey, parameters: Parameters) -> Any:
        order = self._exchange.place(order_request(parameters, self._client_id()))
        return placed_body(order, parameters.get("newOrderRespType", "FULL"))

    def try_out(self, key: ApiKey, parameters: Parameters) -> Any:
        self._exchange.check(order_request(parameters, self._client_id()))
        return {}

    def order(self, key: ApiKey, parameters: Parameters) -> Any:
        self._exchange.advance()
        return order_body(self._find(parameters, ApiError(-2013, "Order does not exist.")))

    def cancel(self, key: ApiKey, parameters: Parameters) -> Any:
        order = self._find(parameters, ApiError(-2011, "Unknown order sent."))
        self._exchange.cancel(order)
        return cancelled_body(order, parameters.get("newClientOrderId", self._client_id()))

    def open_orders(self, key: ApiKey, parameters: Parameters) -> Any:
        self._exchange.advance()
        symbol = self._symbol(parameters) if "symbol" in parameters else None
        return [order_body(order) for order in self._exchange.open_orders(symbol)]

    def cancel_all(self, key: ApiKey, parameters: Parameters) -> Any:
        self._exchange.advance()
        orders = self._exchange.open_orders(self._symbol(parameters))
        if not orders:
            raise ApiError(-2011, "Unknown order sent.")
        for order in orders:
            self._exchange.cancel(order)
        return [cancelled_body(order, self._client_id()) for order in orders]

    def all_orders(self, key: ApiKey, parameters: Parameters) -> Any:
        self._exchange.advance()
        symbol, first_id = self._symbol(parameters), _number(parameters, "orderId")
        found = [
            order
            for order in self._exchange.orders
            if order.symbol == symbol
            and order.id >= (first_id or 0)
            and _in_time(parameters, order.time_ms)
        ]
        from_start = first_id is not None or "startTime" in parameters
        return [order_body(order) for order in _page(found, parameters, from_start=from_start)]

    def trades(self, key: ApiKey, parameters: Parameters) -> Any:
        self._exchange.advance()
        symbol, first_id = self._symbol(parameters), _number(parameters, "fromId")
        order_id = _number(parameters, "orderId")
        found = [
            (order, fill)
            for order in self._exchange.orders
            if order.symbol == symbol and order_id in (None, order.id)
            for fill in order.fills
            if fill.trade_id >= (first_id or 0) and _in_time(parameters, fill.time_ms)
        ]
        found.sort(key=lambda pair: pair[1].trade_id)
        from_start = first_id is not None or "startTime" in parameters
        return [trade_body(*pair) for pair in _page(found, parameters, from_start=from_start)]

    def account(self, key: ApiKey, parameters: Parameters) -> Any:
        now_ms = self._exchange.advance()
        return account_body(self._exchange.account, now_ms, can_trade=key.spot_trading)

    def restrictions(self, key: ApiKey, parameters: Parameters) -> Any:
        return key.restrictions(self._created_ms)

    def fees(self, key: ApiKey, parameters: Parameters) -> Any:
        rate = text(self._exchange.account.fee_millionths * UNIT // MILLION)
        return [
            {"symbol": market.symbol, "makerCommission": rate, "takerCommission": rate}
            for market in self._exchange.market.markets()
            if parameters.get("symbol") in (None, market.symbol)
        ]

    def assets(self, key: ApiKey, parameters: Parameters) -> Any:
        self._exchange.advance()
        account, listed = self._exchange.account, set(self._exchange.account.assets())
        for market in self._exchange.market.markets():
            listed |= {market.base, market.quote}
        return [
            {
                "coin": asset,
                "name": asset,
                "free": text(account.free(asset)),
                "locked": text(account.locked(asset)),
                "depositAllEnable": True,
                "withdrawAllEnable": True,
                "isLegalMoney": False,
                "trading": True,
                "networkList": [],
            }
            for asset in sorted(listed)
        ]

    def no_margin(self, key: ApiKey, parameters: Parameters) -> Any:
        return []

    def _client_id(self) -> str:
        return f"sandbox-{next(self._client_ids)}"

    def _symbol(self, parameters: Parameters) -> str:
        if not parameters.get("symbol"):
            raise missing_parameter("symbol")
        return self._exchange.market.market(parameters["symbol"]).symbol

    def _find(self, parameters: Parameters, unknown: ApiError) -> Order:
        """The newest order of a symbol with an id, or with a client's id."""
        symbol = self._symbol(parameters)
        order_id = _number(parameters, "orderId")
        client_id = parameters.get("origClientOrderId")
        if order_id is None and not client_id:
            message = (
                "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!"
            )
            raise ApiError(-1102, message)
        for order in reversed(self._exchange.orders):
            named = order.id == order_id if order_id else order.request.client_id == client_id
            if order.symbol == symbol and named:
                return order
        raise unknown


def _number(parameters: Parameters, name: str) -> int | None:
    given = parameters.get(name, "")
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and len(given) <= _MAX_DIGITS):
        raise ApiError(-1100, f"Illegal characters found in parameter '{name}'.")
    return int(given)


def _in_time(parameters: Parameters, time_ms: int) -> bool:
    start_ms, end_ms = _number(parameters, "startTime"), _number(parameters, "endTime")
    return (start_ms is None or time_ms >= start_ms) and (end_ms is None or time_ms <= end_ms)


def _page(found: list[Any], parameters: Parameters, *, from_start: bool) -> list[Any]:
    """The first rows where a start was given, else the last ones."""
    limit = min(_number(parameters, "limit") or DEFAULT_ROWS, MAX_ROWS)
    return found[:limit] if from_start else found[-limit:]
