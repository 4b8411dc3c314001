"""
A bot on short candles asks for hourly ones at its start, and not at the full hour.

What Freqtrade knows of candles that a loop does not ask for stays known.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from ballast.core.frames import grouped
from sandbox.sources import GeneratedSource
from tests.behaviour.test_random_faults import Busy
from tests.live_run import live_run

PAIRS = ["BTC/USDT", "ETH/USDT"]
BEGIN = datetime(2024, 1, 25, 0, 50, 1, tzinfo=UTC)


def test_hourly_candles_are_read_once_and_hours_are_known_at_the_full_hour(tmp_path: Path) -> None:
    asked: Counter[str] = Counter()

    @web.middleware
    async def counting(request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path == "/api/v3/klines":
            asked[request.query["interval"]] += 1
        return await handler(request)

    source = GeneratedSource(5, days=40, pairs=PAIRS)
    with live_run(
        Busy, source, tmp_path, BEGIN, middlewares=[counting], stake_amount="unlimited"
    ) as run:
        run.minutes(1)
        started = asked.copy()
        run.minutes(20)
        dp = run.bot.dataprovider
        own, older = (dp.ohlcv(PAIRS[0], timeframe) for timeframe in ("5m", "1h"))
        assert asked["1h"] == started["1h"] > 0
        assert asked["5m"] > started["5m"]
        assert older["date"].iloc[-1] == BEGIN.replace(hour=23, minute=0, second=0) - timedelta(1)
        assert grouped(own, "5m", "1h", older)["date"].iloc[-1] == BEGIN.replace(minute=0, second=0)
        assert not run.bot.strategy.incidents.counts
