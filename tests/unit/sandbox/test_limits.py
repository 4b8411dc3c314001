"""Requests are counted by their weight, and refused beyond what an exchange allows in a minute."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from sandbox import limits
from sandbox.clock import FixedClock
from sandbox.limits import Limits, weight
from sandbox.routes import reply


async def served(request: web.Request) -> web.Response:
    return reply({})


def asked(counted: Limits, paths: list[str], method: str = "GET") -> list[tuple[int, str]]:
    """Status and the header that tells what has been used, of each request in turn."""

    async def run() -> list[tuple[int, str]]:
        app = web.Application(middlewares=[counted.middleware])
        app.router.add_route("*", "/{path:.*}", served)
        found = []
        async with TestClient(TestServer(app)) as client:
            for path in paths:
                async with client.request(method, path) as answer:
                    used = answer.headers.get("X-MBX-USED-WEIGHT-1M", "")
                    found.append((answer.status, used))
        return found

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("method", "path", "query", "expected"),
    [
        ("GET", "/api/v3/klines", {"symbol": "BTCUSDT"}, 2),
        ("GET", "/api/v3/ticker/24hr", {}, 80),
        ("GET", "/api/v3/ticker/24hr", {"symbol": "BTCUSDT"}, 2),
        ("GET", "/api/v3/depth", {"symbol": "BTCUSDT"}, 5),
        ("GET", "/api/v3/depth", {"symbol": "BTCUSDT", "limit": "101"}, 25),
        ("GET", "/api/v3/order", {"symbol": "BTCUSDT"}, 4),
        ("POST", "/api/v3/order", {}, 1),
        ("GET", "/api/v3/time", {}, 1),
    ],
)
def test_a_request_weighs_what_the_exchange_says(
    method: str, path: str, query: dict[str, str], expected: int
) -> None:
    assert weight(method, path, query) == expected


def test_what_is_used_is_told_and_what_is_too_much_refused_until_the_next_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "WEIGHT_LIMIT", 5)
    clock = FixedClock(0)
    counted = Limits(clock)
    klines = "/api/v3/klines?symbol=BTCUSDT"
    assert asked(counted, [klines, klines]) == [(200, "2"), (200, "4")]
    clock.time_ms = 59_999
    assert asked(counted, [klines]) == [(429, "")]
    clock.time_ms = 60_000
    assert asked(counted, [klines]) == [(200, "2")]
    assert counted.refused == 1
    assert counted.most["weight"] == 6


def test_orders_have_a_limit_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "ORDERS_LIMIT", 2)
    statuses = [status for status, _ in asked(Limits(FixedClock(0)), ["/api/v3/order"] * 3, "POST")]
    assert statuses == [200, 200, 429]


def test_the_sandbox_itself_may_be_asked_as_often_as_wanted() -> None:
    counted = Limits(FixedClock(0))
    asked(counted, ["/sandbox/clock"] * 3)
    assert not counted.requests
