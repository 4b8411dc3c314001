"""Candles over a websocket, as ccxt pro and Freqtrade take them from Binance."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import ccxt.pro
import pytest
from aiohttp.test_utils import TestClient, TestServer

from sandbox.beside import running_sandbox
from sandbox.candles import MINUTE_MS
from sandbox.clock import FixedClock
from sandbox.market_data import MarketData
from sandbox.overlay import overlay
from sandbox.server import build_app
from tests.exchange import START_MS, table
from tests.integration.test_sandbox_ccxt import CONFIG, SEES
from tests.processes import freqtrade

SOURCE = table([(100, 101, 99, 100, 50), (100, 110, 100, 108, 60), (108, 109, 107, 108, 70)])
STREAM = "aaausdt@kline_5m"


async def listening(clock: FixedClock, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setattr("sandbox.websocket.PUSH_EVERY_S", 0.01)
    client: TestClient = TestClient(TestServer(build_app(MarketData(SOURCE, clock))))
    await client.start_server()
    return client


async def said(socket: Any) -> Any:
    return json.loads((await asyncio.wait_for(socket.receive(), 2)).data)


def test_every_closed_candle_comes_once_and_the_forming_one_as_it_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def run() -> None:
        clock = FixedClock(START_MS + 60_000)
        client = await listening(clock, monkeypatch)
        async with client.ws_connect("/ws") as socket:
            await socket.send_json({"method": "SUBSCRIBE", "params": [STREAM], "id": 5})
            assert await said(socket) == {"result": None, "id": 5}
            forming = (await said(socket))["k"]
            assert (forming["t"], forming["x"]) == (START_MS, False)
            clock.time_ms = START_MS + 11 * MINUTE_MS
            news = [(await said(socket))["k"] for _ in range(3)]
            opened = [(kline["t"] - START_MS) // MINUTE_MS for kline in news]
            assert opened == [0, 5, 10]
            assert [kline["x"] for kline in news] == [True, True, False]
            assert (news[1]["h"], news[1]["c"]) == ("110.00000000", "108.00000000")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(socket.receive(), 0.1)
        await client.close()

    asyncio.run(run())


def test_streams_named_in_the_address_come_with_their_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def run() -> None:
        client = await listening(FixedClock(START_MS + 60_000), monkeypatch)
        async with client.ws_connect(f"/stream?streams={STREAM}") as socket:
            message = await said(socket)
            assert message["stream"] == STREAM
            assert message["data"]["e"] == "kline"
        await client.close()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("nonsense", 3),
        ('{"method": "SUBSCRIBE"}', 3),
        ('{"method": "GUESS", "params": [], "id": 1}', 1),
        ('{"method": "SUBSCRIBE", "params": ["foousdt@kline_5m"], "id": 1}', 2),
        ('{"method": "SUBSCRIBE", "params": ["aaausdt@kline_1m"], "id": 1}', 2),
        ('{"method": "SUBSCRIBE", "params": ["aaausdt@depth"], "id": 1}', 2),
    ],
)
def test_what_cannot_be_subscribed_to_is_refused(
    monkeypatch: pytest.MonkeyPatch, message: str, code: int
) -> None:
    async def run() -> None:
        client = await listening(FixedClock(START_MS), monkeypatch)
        async with client.ws_connect("/ws") as socket:
            await socket.send_str(message)
            assert (await said(socket))["error"]["code"] == code
        await client.close()

    asyncio.run(run())


def test_nothing_comes_after_unsubscribing(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        clock = FixedClock(START_MS)
        client = await listening(clock, monkeypatch)
        async with client.ws_connect("/ws") as socket:
            for method in ("SUBSCRIBE", "UNSUBSCRIBE"):
                await socket.send_json({"method": method, "params": [STREAM], "id": 1})
                while "result" not in await said(socket):
                    pass
            clock.time_ms += MINUTE_MS
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(socket.receive(), 0.1)
        await client.close()

    asyncio.run(run())


@pytest.mark.usefixtures("any_hour")
def test_ccxt_pro_watches_candles(tmp_path: Path) -> None:
    line = ["--generate", "7", "--days", "30", "--pairs", "BTC/USDT", "--shift-to-now"]
    line += ["--timeframe", "1m"]

    async def watched(url: str) -> list:
        config = overlay(url, websocket=True)["exchange"]["ccxt_config"]
        exchange = ccxt.pro.binance(config)
        try:
            return await asyncio.wait_for(exchange.watch_ohlcv("BTC/USDT", "1m"), 20)
        finally:
            await exchange.close()

    with running_sandbox(tmp_path, *line) as sandbox:
        *_, candle = asyncio.run(watched(sandbox.url))
        (row,) = sandbox.get("/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=1")
    assert row[0] - candle[0] in (0, MINUTE_MS)
    assert len(candle) == 6


@pytest.mark.slow
@pytest.mark.usefixtures("any_hour")
def test_freqtrade_watches_candles_over_the_websocket(tmp_path: Path) -> None:
    (tmp_path / "user_data" / "strategies").mkdir(parents=True)
    (tmp_path / "user_data" / "strategies" / "sees.py").write_text(SEES)
    (tmp_path / "config.json").write_text(json.dumps(CONFIG | {"max_open_trades": 0}))
    line = ["--generate", "7", "--days", "30", "--timeframe", "1m", "--shift-to-now"]
    with running_sandbox(tmp_path, *line, "--websocket") as sandbox:
        configs = ["-c", "config.json", "-c", str(sandbox.overlay), "-vv"]
        freqtrade(
            tmp_path,
            *("trade", *configs, "--strategy", "Sees", "--db-url", "sqlite://"),
            stop_after="watch done BTC/USDT, 1m, data 1",
        )
