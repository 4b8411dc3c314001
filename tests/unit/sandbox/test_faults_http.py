"""Requests fail as a plan says, and the exchange itself stays right behind them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from sandbox.candles import HOUR_MS, MINUTE_MS
from sandbox.clock import FixedClock
from sandbox.faults import Fault, Kind
from sandbox.faults_answers import Answers
from sandbox.faults_candles import CLOSE, HIGH, LOW, OPEN_MS
from sandbox.faults_http import misbehave
from sandbox.faults_plan import FaultPlan
from sandbox.faults_routes import FaultRoutes
from sandbox.market_data import MarketData
from sandbox.routes import reply
from sandbox.server import build_app
from sandbox.sources import GeneratedSource, span_ms

SOURCE = GeneratedSource(7, days=45)
START_MS, END_MS = span_ms(SOURCE)
NOW_MS = END_MS - 100 * HOUR_MS
KLINES = "/api/v3/klines?symbol=BTCUSDT&interval=5m&limit=20"


class Rehearsal:
    """An application with a plan; `placed` are the orders that its handler has taken."""

    def __init__(self, *faults: dict[str, Any], now_ms: int = NOW_MS) -> None:
        self.clock = FixedClock(now_ms)
        self.market = MarketData(SOURCE, self.clock)
        given = [Fault.from_json(fault, "Fault") for fault in faults]
        self.plan = FaultPlan(self.clock, 1, given)
        self.placed: list[dict[str, Any]] = []
        self.slept: list[float] = []
        self.free = 100

    async def place(self, request: web.Request) -> web.Response:
        self.placed.append(dict(await request.post()))
        return reply({"orderId": len(self.placed)})

    async def account(self, request: web.Request) -> web.Response:
        return reply({"balances": [{"asset": "USDT", "free": str(self.free)}]})

    async def socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str("hello")
        async for _ in socket:
            pass
        return socket

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def run(self, talk: Callable[[TestClient[Any, Any]], Awaitable[None]]) -> None:
        """Talk to the application with a client."""
        routes = [
            web.post("/api/v3/order", self.place),
            web.get("/api/v3/account", self.account),
            web.get("/echo", self.socket),
        ]

        async def session() -> None:
            middleware = misbehave(self.plan, Answers(self.plan, self.market), self.sleep)
            app = build_app(self.market, [*routes, *FaultRoutes(self.plan).table()], [middleware])
            async with TestClient(TestServer(app)) as client:
                await talk(client)

        asyncio.run(session())

    def get(self, path: str) -> tuple[int, Any]:
        """Status and body of one GET."""
        answers: list[tuple[int, Any]] = []

        async def talk(client: TestClient[Any, Any]) -> None:
            async with client.get(path) as answer:
                answers.append((answer.status, await answer.json()))

        self.run(talk)
        return answers[0]

    def rows(self, path: str = KLINES) -> list[list[Any]]:
        return self.get(path)[1]


@pytest.mark.parametrize(
    ("kind", "status", "text"), [("rate_limited", 429, "Too many"), ("banned", 418, "IP banned")]
)
def test_too_many_requests_say_how_long_to_wait(kind: str, status: int, text: str) -> None:
    rehearsal = Rehearsal({"kind": kind, "retry_after_s": 7})

    async def talk(client: TestClient[Any, Any]) -> None:
        async with client.post("/api/v3/order", data={"symbol": "BTCUSDT"}) as answer:
            assert answer.status == status
            assert answer.headers["Retry-After"] == "7"
            body = await answer.json()
            assert body["code"] == -1003
            assert text in body["msg"]

    rehearsal.run(talk)
    assert not rehearsal.placed


def test_a_server_error_does_nothing() -> None:
    rehearsal = Rehearsal({"kind": "server_error", "status": 502})
    assert rehearsal.get("/api/v3/time")[0] == 502


@pytest.mark.parametrize(("status", "placed"), [(504, 1), (0, 1)])
def test_a_lost_answer_leaves_the_order_accepted(status: int, placed: int) -> None:
    rehearsal = Rehearsal({"kind": "answer_lost", "status": status})

    async def talk(client: TestClient[Any, Any]) -> None:
        sent = client.post("/api/v3/order", data={"symbol": "BTCUSDT", "side": "BUY"})
        if status:
            async with sent as answer:
                assert answer.status == status
                assert (await answer.json())["code"] == -1007
        else:
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await sent

    rehearsal.run(talk)
    assert rehearsal.placed == [{"symbol": "BTCUSDT", "side": "BUY"}] * placed


@pytest.mark.parametrize("fault", [{"kind": "down"}, {"kind": "timeout", "hold_s": 0.01}])
def test_a_cut_connection_gives_no_answer_and_does_nothing(fault: dict[str, Any]) -> None:
    rehearsal = Rehearsal(fault)

    async def talk(client: TestClient[Any, Any]) -> None:
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await client.post("/api/v3/order", data={"symbol": "BTCUSDT"})

    rehearsal.run(talk)
    assert not rehearsal.placed


def test_down_for_an_hour_is_an_hour_of_the_exchange() -> None:
    rehearsal = Rehearsal({"kind": "down", "lasts_s": 3600})

    async def talk(client: TestClient[Any, Any]) -> None:
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await client.get("/api/v3/ping")
        rehearsal.clock.time_ms += HOUR_MS
        async with client.get("/api/v3/ping") as answer:
            assert answer.status == 200

    rehearsal.run(talk)


def test_a_slow_answer_is_the_right_one_later() -> None:
    rehearsal = Rehearsal({"kind": "slow", "delay_s": 3})
    assert rehearsal.get("/api/v3/time") == (200, {"serverTime": NOW_MS})
    assert rehearsal.slept == [3]


def test_a_fault_of_a_pair_finds_it_in_the_body_of_an_order() -> None:
    rehearsal = Rehearsal({"kind": "server_error", "pair": "ETH/USDT"})

    async def talk(client: TestClient[Any, Any]) -> None:
        for symbol in ("BTCUSDT", "ETHUSDT"):
            async with client.post("/api/v3/order", data={"symbol": symbol}) as answer:
                assert answer.status == (200 if symbol == "BTCUSDT" else 503)

    rehearsal.run(talk)
    assert rehearsal.placed == [{"symbol": "BTCUSDT"}]


@pytest.mark.parametrize(("skew_s", "code"), [(1.5, -1021), (0.5, None), (-4, None), (-6, -1021)])
def test_a_wrong_clock_shows_in_signed_requests(skew_s: float, code: int | None) -> None:
    rehearsal = Rehearsal({"kind": "clock_skew", "skew_s": skew_s})
    _, body = rehearsal.get(f"/api/v3/account?timestamp={NOW_MS}")
    assert body.get("code") == code


def test_a_client_that_asks_for_the_time_can_make_good_for_a_wrong_clock() -> None:
    rehearsal = Rehearsal({"kind": "clock_skew", "skew_s": 30})
    _, body = rehearsal.get("/api/v3/time")
    assert body["serverTime"] == NOW_MS - 30_000
    assert "code" not in rehearsal.get(f"/api/v3/account?timestamp={body['serverTime']}")[1]


def test_balances_come_late() -> None:
    rehearsal = Rehearsal({"kind": "balance_late", "late_s": 30})

    async def free(client: TestClient[Any, Any]) -> int:
        async with client.get("/api/v3/account") as answer:
            return int((await answer.json())["balances"][0]["free"])

    async def talk(client: TestClient[Any, Any]) -> None:
        assert await free(client) == 100
        rehearsal.free = 40
        rehearsal.clock.time_ms += 10_000
        assert await free(client) == 100
        rehearsal.clock.time_ms += 29_999
        assert await free(client) == 100
        rehearsal.clock.time_ms += 1
        assert await free(client) == 40

    rehearsal.run(talk)


def test_a_websocket_is_cut_when_the_fault_begins_and_refused_while_it_lasts() -> None:
    rehearsal = Rehearsal({"kind": "websocket_drop", "after_s": 60, "lasts_s": 60})

    async def talk(client: TestClient[Any, Any]) -> None:
        async with client.ws_connect("/echo") as socket:
            assert await socket.receive_str() == "hello"
            rehearsal.clock.time_ms += 60_000
            message = await asyncio.wait_for(socket.receive(), 2)
            assert message.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR)
        with pytest.raises((aiohttp.ClientError, OSError)):
            await client.ws_connect("/echo")
        rehearsal.clock.time_ms += 60_000
        async with client.ws_connect("/echo") as socket:
            assert await socket.receive_str() == "hello"

    rehearsal.run(talk)
    assert rehearsal.plan.counts == {"websocket_drop": 2}


def test_the_sandboxs_own_paths_answer_whatever_the_faults() -> None:
    rehearsal = Rehearsal({"kind": "down"}, {"kind": "server_error"})
    assert rehearsal.get("/sandbox/clock") == (200, {"now_ms": NOW_MS})


def test_faults_are_injected_shown_and_ended_over_http() -> None:
    rehearsal = Rehearsal()

    async def talk(client: TestClient[Any, Any]) -> None:
        fault = {"kind": "server_error", "endpoint": "GET /api/v3/time"}
        async with client.post("/sandbox/faults", json=fault) as answer:
            assert await answer.json() == {"added": [1]}
        async with client.get("/api/v3/time") as answer:
            assert answer.status == 503
        async with client.get("/sandbox/faults") as answer:
            body = await answer.json()
        assert body["counts"] == {"server_error": 1}
        assert body["faults"][0]["struck"] == 1
        assert body["strikes"] == [
            {"time_ms": NOW_MS, "fault": 1, "kind": "server_error"}
            | {"method": "GET", "path": "/api/v3/time", "symbol": None}
        ]
        async with client.delete("/sandbox/faults/1") as answer:
            assert await answer.json() == {"ended": 1}
        async with client.get("/api/v3/time") as answer:
            assert answer.status == 200
        async with client.delete("/sandbox/faults/1") as answer:
            assert answer.status == 404
        async with client.delete("/sandbox/faults") as answer:
            assert await answer.json() == {"ended": 0}

    rehearsal.run(talk)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [("{", "The body must be JSON."), ('{"kind": "gremlin"}', "Fault 1: kind must be one of ")],
)
def test_an_injection_that_cannot_be_used_is_refused(body: str, sentence: str) -> None:
    rehearsal = Rehearsal()

    async def talk(client: TestClient[Any, Any]) -> None:
        async with client.post("/sandbox/faults", data=body) as answer:
            assert answer.status == 400
            assert sentence in (await answer.json())["msg"]

    rehearsal.run(talk)
    assert not rehearsal.plan.planned


def border() -> int:
    return NOW_MS // HOUR_MS * HOUR_MS


def honest(now_ms: int) -> list[list[Any]]:
    return Rehearsal(now_ms=now_ms).rows()


def test_without_a_fault_candles_are_the_exchanges_own() -> None:
    assert Rehearsal({"kind": "bad_tick", "pair": "ETH/USDT"}).rows() == honest(NOW_MS)


def test_a_missing_candle_comes_late_with_the_one_after_it() -> None:
    now_ms = border() + 2_000
    late = Rehearsal({"kind": "candle_missing", "late_s": 60}, now_ms=now_ms).rows()
    assert late == honest(now_ms)[:-2]
    now_ms = border() + 60_000
    come = Rehearsal({"kind": "candle_missing", "late_s": 60}, now_ms=now_ms).rows()
    assert come == honest(now_ms)[:-1]


def test_an_unfinished_candle_looks_closed_and_is_mended_later() -> None:
    fault = {"kind": "candle_unfinished", "early_s": 120, "late_s": 30}
    now_ms = border() + 2_000
    rows, sound = Rehearsal(fault, now_ms=now_ms).rows(), honest(now_ms)
    earlier = honest(border() - 120_000)[-1]
    assert rows[-2] == earlier
    assert rows[-2] != sound[-2]
    assert [*rows[:-2], rows[-1]] == [*sound[:-2], sound[-1]]
    now_ms = border() + 31_000
    assert Rehearsal(fault, now_ms=now_ms).rows() == honest(now_ms)


def test_disordered_candles_are_the_right_ones_and_one_comes_twice() -> None:
    rows, sound = Rehearsal({"kind": "candles_disordered"}).rows(), honest(NOW_MS)
    times = [row[OPEN_MS] for row in rows]
    assert times != sorted(times)
    assert len(rows) == len(sound) + 1
    assert sorted({row[OPEN_MS]: row for row in rows}.values()) == sorted(sound)


def test_frozen_candles_go_on_in_time_alone() -> None:
    rehearsal = Rehearsal({"kind": "candles_frozen"}, now_ms=border() + 1_000)
    rehearsal.clock.time_ms += 20 * MINUTE_MS
    rows, sound = rehearsal.rows(), honest(rehearsal.clock.time_ms)
    assert [row[OPEN_MS] for row in rows] == [row[OPEN_MS] for row in sound]
    assert rows[:-5] == sound[:-5]
    assert {tuple(row[1:6]) for row in rows[-6:]} == {tuple(sound[-6][1:6])}


@pytest.mark.parametrize(("ratio", "column"), [(0.5, LOW), (2.0, HIGH)])
def test_a_bad_tick_ends_the_newest_closed_candle(ratio: float, column: int) -> None:
    rows, sound = Rehearsal({"kind": "bad_tick", "ratio": ratio}).rows(), honest(NOW_MS)
    price = float(sound[-2][CLOSE]) * ratio
    assert float(rows[-2][CLOSE]) == float(rows[-2][column]) == pytest.approx(price)
    assert rows[-1] == sound[-1]
    assert rows[:-2] == sound[:-2]


def test_a_delisted_pair_is_announced_then_closed_with_its_candles_and_book() -> None:
    delisting = {"kind": "delisting", "pair": "BTC/USDT", "after_s": 3600, "notice_s": 3600}
    rehearsal = Rehearsal(delisting, now_ms=border())

    def states() -> dict[str, str]:
        body = rehearsal.get("/api/v3/exchangeInfo")[1]
        return {entry["symbol"]: entry["status"] for entry in body["symbols"]}

    assert states()["BTCUSDT"] == "TRADING"
    assert rehearsal.get("/sapi/v1/spot/delist-schedule")[1] == [
        {"delistTime": border() + HOUR_MS, "symbols": ["BTCUSDT"]}
    ]
    rehearsal.clock.time_ms += 2 * HOUR_MS
    assert states()["BTCUSDT"] == "BREAK"
    assert states()["ETHUSDT"] == "TRADING"
    assert rehearsal.rows()[-1][OPEN_MS] == border() + HOUR_MS - 5 * MINUTE_MS
    depth = rehearsal.get("/api/v3/depth?symbol=BTCUSDT")[1]
    assert depth["bids"] == depth["asks"] == []
    assert rehearsal.get("/sapi/v1/spot/delist-schedule")[1] == []


def test_the_exchange_itself_knows_nothing_of_spoiled_candles() -> None:
    """Orders are matched by the truth, and the ticker tells it."""
    rehearsal = Rehearsal({"kind": "bad_tick"}, {"kind": "candles_frozen"})
    rehearsal.rows()
    price = rehearsal.get("/api/v3/ticker/price?symbol=BTCUSDT")[1]["price"]
    assert float(price) == rehearsal.market.last_price("BTCUSDT")
    assert rehearsal.plan.counts == {Kind.BAD_TICK: 1, Kind.CANDLES_FROZEN: 1}
