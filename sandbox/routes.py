"""Binance's spot market-data endpoints over HTTP, and the sandbox's own.

Handlers read parameters, ask `MarketData`, and write what Binance would: numbers as text with eight
decimals, times in milliseconds. Refusals are `ApiError`; `errors_as_json` turns them into bodies.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web

from sandbox.bodies import aggregate_trade_rows, amount, kline_rows, ticker_body, trade_rows
from sandbox.candles import HOUR_MS
from sandbox.errors import ApiError, missing_parameter
from sandbox.market_data import MarketData
from sandbox.markets import exchange_info

MAX_KLINES = MAX_TRADES = 1000
MAX_DEPTH = 5000
# Longer numbers do not fit 64 bits, in which times and ids are kept.
MAX_DIGITS = 18
DEFAULT_LIMIT = 500
DEFAULT_DEPTH = 100

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def reply(body: Any, status: int = 200) -> web.Response:
    """A JSON response."""
    return web.Response(
        body=orjson.dumps(body), status=status, content_type="application/json", charset="utf-8"
    )


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every refusal in Binance's form; unknown paths too, so that clients can read it."""
    try:
        return await handler(request)
    except ApiError as error:
        return reply({"code": error.code, "msg": error.msg}, error.status)
    except web.HTTPException as error:
        message = f"{request.method} {request.path}: {error.reason}."
        return reply({"code": -1000, "msg": message}, error.status)


def _number(request: web.Request, name: str, default: int | None = None) -> int | None:
    """A whole number from the query; ApiError -1100 if it is something else."""
    text = request.query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise ApiError(
            -1100,
            f"Illegal characters found in parameter '{name}'; legal range is "
            f"'^[0-9]{{1,{MAX_DIGITS}}}$'.",
        )
    return int(text)


def _required(request: web.Request, name: str) -> str:
    text = request.query.get(name, "")
    if not text:
        raise missing_parameter(name)
    return text


def _limit(request: web.Request, default: int, maximum: int) -> int:
    """``limit``, cut to what Binance gives at most; 0 means the default."""
    return min(_number(request, "limit") or default, maximum)


def _asked_symbols(request: web.Request, market: MarketData) -> list[str]:
    """The symbols of ``symbol`` or ``symbols``, or every listed one."""
    if "symbol" in request.query and "symbols" in request.query:
        raise ApiError(-1128, "Combination of optional parameters invalid.")
    if "symbol" in request.query:
        return [_required(request, "symbol")]
    if "symbols" in request.query:
        try:
            symbols = orjson.loads(_required(request, "symbols"))
        except orjson.JSONDecodeError:
            symbols = None
        if not isinstance(symbols, list) or not all(isinstance(name, str) for name in symbols):
            raise ApiError(-1100, "Illegal characters found in parameter 'symbols'.")
        return symbols
    return [listed.symbol for listed in market.markets()]


def _per_symbol(
    request: web.Request, market: MarketData, body: Callable[[str], dict[str, Any]]
) -> web.Response:
    """One object where ``symbol`` was given, else a list."""
    bodies = [body(symbol) for symbol in _asked_symbols(request, market)]
    return reply(bodies[0] if "symbol" in request.query else bodies)


class MarketRoutes:
    """Handlers of the market-data endpoints; `table` lists them for an application."""

    def __init__(self, market: MarketData) -> None:
        self._market = market

    def table(self) -> list[web.RouteDef]:
        """Paths and their handlers."""
        return [
            web.get("/api/v3/ping", self.ping),
            web.get("/api/v3/time", self.time),
            web.get("/api/v3/exchangeInfo", self.info),
            web.get("/api/v3/klines", self.klines),
            web.get("/api/v3/uiKlines", self.klines),
            web.get("/api/v3/ticker/24hr", self.day_ticker),
            web.get("/api/v3/ticker/price", self.price),
            web.get("/api/v3/ticker/bookTicker", self.best),
            web.get("/api/v3/avgPrice", self.average_price),
            web.get("/api/v3/depth", self.depth),
            web.get("/api/v3/trades", self.recent_trades),
            web.get("/api/v3/historicalTrades", self.historical_trades),
            web.get("/api/v3/aggTrades", self.aggregate_trades),
            web.get("/sapi/v1/spot/delist-schedule", self.delistings),
            web.get("/sandbox/labels", self.labels),
            web.get("/sandbox/clock", self.clock),
        ]

    async def ping(self, request: web.Request) -> web.Response:
        return reply({})

    async def time(self, request: web.Request) -> web.Response:
        return reply({"serverTime": self._market.clock.now_ms()})

    async def info(self, request: web.Request) -> web.Response:
        markets = [self._market.market(name) for name in _asked_symbols(request, self._market)]
        return reply(exchange_info(markets, self._market.clock.now_ms()))

    async def klines(self, request: web.Request) -> web.Response:
        candles = self._market.klines(
            _required(request, "symbol"),
            _required(request, "interval"),
            _number(request, "startTime"),
            _number(request, "endTime"),
            _limit(request, DEFAULT_LIMIT, MAX_KLINES),
        )
        return reply(kline_rows(candles))

    async def day_ticker(self, request: web.Request) -> web.Response:
        return _per_symbol(
            request, self._market, lambda symbol: ticker_body(self._market.ticker(symbol))
        )

    async def price(self, request: web.Request) -> web.Response:
        return _per_symbol(
            request,
            self._market,
            lambda symbol: {
                "symbol": symbol,
                "price": amount(self._market.last_price(symbol)),
            },
        )

    async def best(self, request: web.Request) -> web.Response:
        def body(symbol: str) -> dict[str, Any]:
            day = ticker_body(self._market.ticker(symbol))
            return {key: day[key] for key in ("symbol", "bidPrice", "bidQty", "askPrice", "askQty")}

        return _per_symbol(request, self._market, body)

    async def average_price(self, request: web.Request) -> web.Response:
        price = self._market.last_price(_required(request, "symbol"))
        now_ms = self._market.clock.now_ms()
        return reply({"mins": 5, "price": amount(price), "closeTime": now_ms})

    async def depth(self, request: web.Request) -> web.Response:
        symbol = _required(request, "symbol")
        book = self._market.book(symbol, _limit(request, DEFAULT_DEPTH, MAX_DEPTH))
        return reply(
            {
                "lastUpdateId": book.update_id,
                "bids": [[amount(price), amount(size)] for price, size in book.bids],
                "asks": [[amount(price), amount(size)] for price, size in book.asks],
            }
        )

    async def recent_trades(self, request: web.Request) -> web.Response:
        symbol = _required(request, "symbol")
        limit = _limit(request, DEFAULT_LIMIT, MAX_TRADES)
        return reply(trade_rows(self._market.trades_latest(symbol, limit)))

    async def historical_trades(self, request: web.Request) -> web.Response:
        symbol = _required(request, "symbol")
        limit = _limit(request, DEFAULT_LIMIT, MAX_TRADES)
        first_id = _number(request, "fromId")
        if first_id is None:
            return reply(trade_rows(self._market.trades_latest(symbol, limit)))
        return reply(trade_rows(self._market.trades_from(symbol, first_id, limit)))

    async def aggregate_trades(self, request: web.Request) -> web.Response:
        symbol = _required(request, "symbol")
        limit = _limit(request, DEFAULT_LIMIT, MAX_TRADES)
        first_id, start_ms = _number(request, "fromId"), _number(request, "startTime")
        if first_id is not None:
            trades = self._market.trades_from(symbol, first_id, limit)
        elif start_ms is not None:
            end_ms = _number(request, "endTime", start_ms + HOUR_MS) or 0
            trades = self._market.trades_between(symbol, start_ms, end_ms, limit)
        else:
            trades = self._market.trades_latest(symbol, limit)
        return reply(aggregate_trade_rows(trades))

    async def delistings(self, request: web.Request) -> web.Response:
        return reply(
            [
                {"delistTime": time_ms, "symbols": symbols}
                for time_ms, symbols in self._market.delistings()
            ]
        )

    async def labels(self, request: web.Request) -> web.Response:
        return reply([label.as_json() for label in self._market.source.labels()])

    async def clock(self, request: web.Request) -> web.Response:
        return reply({"now_ms": self._market.clock.now_ms()})
