"""Kline streams over websockets, as Binance's ``<symbol>@kline_<interval>``.

A client subscribes by message, or by the address it opens. It then gets every candle that closes,
and the forming one as often as it has changed.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

import orjson
from aiohttp import WSMsgType, web

from sandbox.bodies import kline_rows
from sandbox.candles import TIMEFRAMES_MS
from sandbox.errors import ApiError
from sandbox.market_data import MarketData

# Binance pushes a forming candle about once a second [real s].
PUSH_EVERY_S = 1.0
MAX_STREAMS = 1024
_MAX_CANDLES = 1000
_STREAM = re.compile(r"^(?P<symbol>[a-z0-9]{2,20})@kline_(?P<interval>[0-9]{1,2}[mhdw])$")

Row = list[Any]


class KlineStreams:
    """Handlers of the websocket addresses; `table` lists them for an application."""

    def __init__(self, market: MarketData) -> None:
        self._market = market
        self._connected: set[web.WebSocketResponse] = set()

    def table(self) -> list[web.RouteDef]:
        """Paths and their handlers; ccxt takes for spot what has /stream in its address."""
        return [
            web.get("/ws", self.connect),
            web.get("/ws/{streams}", self.connect),
            web.get("/stream", self.connect),
            web.get("/stream/ws/{number}", self.connect),
        ]

    async def close(self, app: web.Application) -> None:
        """Close every connection, so that the server can stop at once."""
        for socket in list(self._connected):
            await socket.close()

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=None)
        await socket.prepare(request)
        asked = request.query.get("streams") or request.match_info.get("streams", "")
        streams: dict[str, list[Row]] = {
            name: [] for name in asked.split("/") if self._exists(name)
        }
        # Where several streams share an address, each message names its own.
        combined = request.path == "/stream"
        self._connected.add(socket)
        pushing = asyncio.create_task(self._push(socket, streams, combined=combined))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await socket.send_bytes(orjson.dumps(self._answer(message.data, streams)))
        finally:
            pushing.cancel()
            self._connected.discard(socket)
        return socket

    def _answer(self, text: str, streams: dict[str, list[Row]]) -> dict[str, Any]:
        """Do what a message asks for; what to reply."""
        try:
            message = orjson.loads(text)
            method, names = str(message["method"]), [str(name) for name in message["params"]]
        except (orjson.JSONDecodeError, TypeError, KeyError):
            return _refusal(3, "Invalid JSON: expected are method, params and id.", None)
        number = message.get("id")
        if method == "UNSUBSCRIBE":
            for name in names:
                streams.pop(name, None)
        elif method != "SUBSCRIBE":
            return _refusal(1, "Unknown method.", number)
        elif not all(map(self._exists, names)) or len({*streams, *names}) > MAX_STREAMS:
            return _refusal(2, "Invalid request: unknown stream, or too many.", number)
        else:
            streams |= {name: [] for name in names if name not in streams}
        return {"result": None, "id": number}

    def _exists(self, name: str) -> bool:
        found = _STREAM.match(name)
        if not found or found["interval"] not in TIMEFRAMES_MS:
            return False
        try:
            self._market.klines(found["symbol"].upper(), found["interval"], limit=1)
        except ApiError:
            return False
        return True

    async def _push(
        self, socket: web.WebSocketResponse, streams: dict[str, list[Row]], *, combined: bool
    ) -> None:
        """Send what is new on every stream, again and again until the connection is closed."""
        while not socket.closed:
            for name in list(streams):
                for event in self._news(name, streams):
                    body = {"stream": name, "data": event} if combined else event
                    await socket.send_bytes(orjson.dumps(body))
            await asyncio.sleep(PUSH_EVERY_S)

    def _news(self, name: str, streams: dict[str, list[Row]]) -> list[dict[str, Any]]:
        """Candles of a stream that are new or have changed since they were sent."""
        _, _, interval = name.partition("@kline_")
        symbol = name.partition("@")[0].upper()
        sent = streams[name]
        start_ms = sent[-1][0] if sent else None
        limit = _MAX_CANDLES if sent else 1
        rows = kline_rows(self._market.klines(symbol, interval, start_ms, limit=limit))
        now_ms = self._market.clock.now_ms()
        closed = [row[0] + TIMEFRAMES_MS[interval] <= now_ms for row in rows]
        marked = [[*row, ended] for row, ended in zip(rows, closed, strict=True)]
        streams[name] = marked[-1:] or sent
        return [_event(symbol, interval, row, now_ms) for row in marked if row not in sent]


def _refusal(code: int, message: str, number: Any) -> dict[str, Any]:
    return {"error": {"code": code, "msg": message}, "id": number}


def _event(symbol: str, interval: str, row: Row, now_ms: int) -> dict[str, Any]:
    return {
        "e": "kline",
        "E": now_ms,
        "s": symbol,
        "k": {
            "t": row[0],
            "T": row[6],
            "s": symbol,
            "i": interval,
            "f": -1,
            "L": -1,
            "o": row[1],
            "c": row[4],
            "h": row[2],
            "l": row[3],
            "v": row[5],
            "n": row[8],
            "x": row[-1],
            "q": row[7],
            "V": row[9],
            "Q": row[10],
            "B": "0",
        },
    }
