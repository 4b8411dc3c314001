"""`make load`: fifty pairs on one-minute candles: how long a loop takes, and Ballast's share of it.

The exchange runs in a process of its own. Time stands still except where Freqtrade sleeps, so that
a candle's work is measured by the machine's own clock: from the beginning of the loop, one second
after the candle's end, to the last order that was sent.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import json
import multiprocessing
import pstats
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from aiohttp import web
from freqtrade.exchange import Exchange as FreqtradeExchange
from freqtrade.worker import Worker
from rich.console import Console
from rich.table import Table

from sandbox.account import ClientAccount
from sandbox.candles import Candles
from sandbox.clock import FixedClock
from sandbox.exchange import Exchange
from sandbox.ledger import Ledger
from sandbox.market_data import MarketData
from sandbox.markets import Market
from sandbox.overlay import overlay
from sandbox.regimes import Label
from sandbox.server import build_exchange_app
from sandbox.signing import ApiKey
from sandbox.sources import GeneratedSource
from sandbox.units import from_float
from tools import soak_bot
from tools.load_strategy import CANDLE_S

ROOT = Path(__file__).resolve().parents[1]
PAIRS, DAYS, DEPOSIT = 50, 45, 1_000_000.0
BEGIN = datetime(2024, 2, 10, 12, 0, 1, tzinfo=UTC)
LEADER = "BTC/USDT"
# All pairs move together here: limits that are not about speed are out of the way.
BALLAST = {
    "market": {"leader": LEADER},
    "risk": {"per_trade_pct": 0.05, "entries_per_candle": 20, "exposure_cap_pct": 100},
    "guards": {"PortfolioHeat": {"limit_pct": 20, "cluster_pct": 20}},
}


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


def serve(pairs: int, told: Connection) -> None:
    """The exchange's process: serve until it is ended; tells its URL and its pairs."""
    clock = FixedClock(round(BEGIN.timestamp() * 1000))
    account = ClientAccount(Ledger())
    account.deposit(clock.time_ms, "USDT", from_float(DEPOSIT))
    source = Copies(GeneratedSource(7, days=DAYS, timeframe="1m"), pairs)
    exchange = Exchange(MarketData(source, clock), account)

    async def calm(request: web.Request) -> web.Response:
        return web.json_response({"state": ""})

    async def forever() -> None:
        app = build_exchange_app(exchange, extra=[web.get("/sandbox/pace", calm)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        told.send(
            (f"http://127.0.0.1:{runner.addresses[0][1]}", [m.pair for m in source.markets()])
        )
        await asyncio.Event().wait()

    asyncio.run(forever())


@dataclass
class Loops:
    """Seconds of each loop [real s]: in all, and until its last order was sent (None without)."""

    whole: list[float]
    last_order: list[float | None]

    @property
    def with_orders(self) -> list[float]:
        return [seconds for seconds in self.last_order if seconds is not None]


def measure(worker: Worker, clock: soak_bot.SteppedClock, minutes: int) -> Loops:
    """Run a bot for some candles, one loop each."""
    loops, sent = Loops([], []), [0.0]
    create = FreqtradeExchange.create_order

    def watched(self: FreqtradeExchange, **order: Any) -> Any:
        answer = create(self, **order)
        sent[0] = time.perf_counter()
        return answer

    FreqtradeExchange.create_order = watched
    state = worker._worker(old_state=None)
    try:
        for _ in range(minutes):
            clock.sleep(60 - clock.now_ms / 1000 % 60 + 1)
            sent[0], began = 0.0, time.perf_counter()
            worker._process_running()
            loops.whole.append(time.perf_counter() - began)
            loops.last_order.append(sent[0] - began if sent[0] else None)
    finally:
        FreqtradeExchange.create_order = create
    assert state is not None  # noqa: S101 - for the type checker
    return loops


def shares(profile: cProfile.Profile) -> dict[str, float]:
    """
    CPU time within Ballast by where Freqtrade enters it, of all [ratio].

    Within Ballast is what Freqtrade calls of it with all that it calls in turn, but for what it
    calls of Freqtrade; that is taken off the callback it is called from.
    """
    stats: Any = pstats.Stats(profile)
    found: dict[str, float] = {}
    for (file, _, name), (_, _, _, _, callers) in stats.stats.items():
        for (calling, _, caller), (_, _, _, spent) in callers.items():
            if _is("ballast", file) and _is("freqtrade", calling):
                found[name] = found.get(name, 0.0) + spent / stats.total_tt
            if _is("freqtrade", file) and _is("ballast", calling):
                found[caller] = found.get(caller, 0.0) - spent / stats.total_tt
    return found


def _is(package: str, file: str) -> bool:
    return f"/{package}/" in file and (package == "ballast" or "site-packages" in file)


def _configuration(folder: Path, url: str, pairs: Sequence[str]) -> dict[str, Any]:
    section = overlay(url, ApiKey())
    section["exchange"]["pair_whitelist"] = list(pairs)
    own = {"max_open_trades": len(pairs), "timeframe": "1m", "ballast": BALLAST}
    own["ballast"]["market"]["basket"] = list(pairs)  # type: ignore[index]
    (folder / "user_data" / "data").mkdir(parents=True)
    path = folder / "load.json"
    path.write_text(json.dumps(own | section), encoding="utf-8")
    return {
        "config": [str(ROOT / "config.json"), str(path)],
        "strategy": "EveryPair",
        "strategy_path": str(ROOT / "tools"),
        "db_url": f"sqlite:///{folder / 'trades.sqlite'}",
        "user_data_dir": str(folder / "user_data"),
    }


def _show(loops: Loops, share: Mapping[str, float], pairs: int) -> None:
    orders = loops.with_orders or [float("nan")]
    table = Table(title=f"{pairs} pairs, 1m candles, {len(loops.whole)} loops")
    table.add_column("")
    table.add_column("median", justify="right")
    table.add_column("worst", justify="right")
    for name, seconds in (
        ("loop, s", loops.whole),
        ("candle's end to last order sent, s (1 s of it is Freqtrade's wait)", orders),
    ):
        wait = 1.0 if "order" in name else 0.0
        values = np.asarray(seconds) + wait
        table.add_row(name, f"{np.median(values):.2f}", f"{values.max():.2f}")
    console = Console(width=120)
    console.print(table)
    console.print(f"loops with orders: {len(loops.with_orders)}")
    console.print(f"Ballast's share of the loops' CPU time: {100 * sum(share.values()):.1f} %")
    largest = sorted(share.items(), key=lambda item: -abs(item[1]))[:8]
    console.print(", ".join(f"{name} {100 * part:.1f} %" for name, part in largest))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m tools.run_load", description=__doc__)
    parser.add_argument("--pairs", type=int, default=PAIRS, help="%(default)s")
    parser.add_argument("--minutes", type=int, default=30, help="candles (%(default)s)")
    options = parser.parse_args(arguments)
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(options.pairs, there), daemon=True)
    process.start()
    url, pairs = here.recv()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        clock = soak_bot.SteppedClock(url, CANDLE_S)
        soak_bot.keep_time(clock)
        output = (folder / "bot.log").open("w", encoding="utf-8")
        shown, sys.stderr = sys.stderr, output
        worker = Worker(_configuration(folder, url, pairs))
        loops = measure(worker, clock, options.minutes)
        profile = cProfile.Profile(time.thread_time)
        profile.enable()
        measure(worker, clock, options.minutes)
        profile.disable()
        worker.exit()
        sys.stderr = shown
        output.close()
        _show(loops, shares(profile), options.pairs)
    process.kill()
    process.join()
    return 0


if __name__ == "__main__":
    sys.exit(main())
