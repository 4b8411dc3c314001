"""The exchanges of a load run, in a process of their own: one market, an account for each bot."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection

from aiohttp import web

from sandbox.account import ClientAccount
from sandbox.candles import Candles
from sandbox.clock import FixedClock
from sandbox.exchange import Exchange
from sandbox.ledger import Ledger
from sandbox.limits import Limits
from sandbox.market_data import MarketData
from sandbox.markets import Market
from sandbox.regimes import Label
from sandbox.routes import reply
from sandbox.server import build_exchange_app
from sandbox.sources import GeneratedSource
from sandbox.units import from_float

DAYS, DEPOSIT = 60, 1_000_000.0
BEGIN = datetime(2024, 2, 10, 12, 0, 1, tzinfo=UTC)


class Copies:
    """
    The pairs of a generated market, each several times under other names.

    Parameters
    ----------
    count : of pairs in all.
    """

    def __init__(self, source: GeneratedSource, count: int) -> None:
        self._source = source
        kept = [m for m in source.markets() if m.delisted_ms is None]
        self._of: dict[str, str] = {}
        self._markets: list[Market] = []
        for number in range(count):
            market = kept[number % len(kept)]
            copy = number // len(kept)
            pair = f"{market.base}{copy or ''}/{market.quote}"
            self._of[pair] = market.pair
            self._markets.append(replace(market, pair=pair))

    def markets(self) -> tuple[Market, ...]:
        return tuple(self._markets)

    def candles(self, pair: str) -> Candles:
        return self._source.candles(self._of[pair])

    def labels(self) -> tuple[Label, ...]:
        return ()


@dataclass(frozen=True)
class Served:
    """Where the exchanges are, by the name of their bot, and what they list."""

    urls: dict[str, str]
    pairs: list[str]


@contextmanager
def serving(bots: list[str], pairs: int, timeframe: str) -> Iterator[Served]:
    """Exchanges for bots, ended afterwards. `pairs` is how many; the timeframe is the finest."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(bots, pairs, timeframe, there), daemon=True)
    process.start()
    there.close()
    try:
        yield here.recv()
    finally:
        process.kill()
        process.join()


def _serve(bots: list[str], pairs: int, timeframe: str, told: Connection) -> None:
    """The process: serve until it is ended."""
    source = Copies(GeneratedSource(7, days=DAYS, timeframe=timeframe), pairs)

    async def forever() -> None:
        urls = {bot: await _begun(source) for bot in bots}
        told.send(Served(urls, [market.pair for market in source.markets()]))
        await asyncio.Event().wait()

    asyncio.run(forever())


async def _begun(source: Copies) -> str:
    """Begin to serve one bot, with the limits that an exchange has; its URL."""
    clock = FixedClock(round(BEGIN.timestamp() * 1000))
    account, limits = ClientAccount(Ledger()), Limits(clock)
    account.deposit(clock.time_ms, "USDT", from_float(DEPOSIT))

    async def told(request: web.Request) -> web.Response:
        return reply({"refused": limits.refused, "most": limits.most, "asked": limits.requests})

    async def calm(request: web.Request) -> web.Response:
        return reply({"state": ""})

    app = build_exchange_app(
        Exchange(MarketData(source, clock), account),
        extra=[web.get("/sandbox/limits", told), web.get("/sandbox/pace", calm)],
        middlewares=[limits.middleware],
    )
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"
