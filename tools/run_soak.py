"""`make soak`: days of live trading on an exchange that fails all the time, with a bot that dies.

Freqtrade runs in a process of its own, is killed at random moments and started again on the same
database; the exchange steps its clock. At the end what happened is read from the exchange's orders
and ledger, and compared with the bot's database.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import random
import socket
import sys
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from freqtrade.exchange import timeframe_to_seconds

from sandbox.account import ClientAccount
from sandbox.candles import DAY_MS, HOUR_MS, MINUTE_MS
from sandbox.clock import FixedClock
from sandbox.exchange import Exchange
from sandbox.faults import Fault
from sandbox.faults_plan import FaultPlan
from sandbox.ledger import Ledger
from sandbox.market_data import MarketData
from sandbox.overlay import overlay
from sandbox.rehearsal import build_rehearsal_app
from sandbox.routes import reply
from sandbox.signing import ApiKey
from sandbox.sources import GeneratedSource
from sandbox.units import from_float
from tools import soak_bot, soak_truth
from tools.soak_beside import OTHER_PAIR, Beside, Others, who
from tools.soak_plan import FAULTS, PATIENCE_MS, Killer, kill_moments
from tools.soak_report import Figures, figures, print_table
from tools.soak_visitor import Visitor, api_section

ROOT = Path(__file__).resolve().parents[1]
PAIRS = ("BTC/USDT", "ETH/USDT", "BNB/USDT", "SOL/USDT", "XRP/USDT", "ADA/USDT")
DEPOSIT = 10_000.0
# A rising stretch of the generated market, some weeks after its beginning.
BEGIN = datetime(2024, 2, 20, 0, 0, 1, tzinfo=UTC)
# A dead bot is started again after this long [s].
RESTART_AFTER_S = (10, 600)
# At the end faults stop, and what was left open may be put in order for this long.
SETTLE_MS = HOUR_MS
# A bot that moves the clock no further for so long has hung [real s].
HANGS_AFTER_S = 300.0
MAX_CRASHES = 100
# Money comes or goes, or another bot trades, so often; and what a bot beside another is given.
ACTS_PER_DAY = 2
SHARE = 0.6
# Guards that would end the rehearsal of orders for what the market does.
GUARDS_OFF = (
    *("DailyLossLimit", "DrawdownLadder", "LossStreakBackoff", "MarketShockHalt"),
    *("StopCascadeHalt", "VolatilityCooldown", "WeeklyLossLimit"),
)


@dataclass(frozen=True)
class Setting:
    """
    What is tried.

    Parameters
    ----------
    timeframe : of the bot's candles.
    guards_off : names of guards that are off.
    """

    strategy: str = "Clockwork"
    timeframe: str = "1h"
    guards_off: tuple[str, ...] = GUARDS_OFF


USUAL = Setting()


@dataclass
class Soak:
    """One run: its exchange, its faults, the lives of its bot, and who looks at it meanwhile."""

    exchange: Exchange
    plan: FaultPlan
    clock: FixedClock
    killer: Killer
    folder: Path
    stream: random.Random
    visitor: Visitor
    others: Others
    setting: Setting
    crashes: list[str] = field(default_factory=list)
    # Freqtrade gives up where the exchange does not answer while it starts; it is started again.
    failed_starts: int = 0
    # Whether the bot that lives now has come as far as its first loop.
    has_looped: bool = False
    # Faults until the last loop.
    struck: int = 0
    # When no bot was alive, (start, end) [Unix ms].
    away: list[tuple[int, int]] = field(default_factory=list)

    @property
    def database(self) -> Path:
        return self.folder / "trades.sqlite"

    @property
    def candle_s(self) -> int:
        """Length of the bot's candles [s]."""
        return timeframe_to_seconds(self.setting.timeframe)

    @property
    def output(self) -> Path:
        """What the bot said, in all its lives."""
        return self.folder / "bot.log"


def prepare(seed: int, days: float, kills: int, folder: Path, setting: Setting) -> Soak:
    """An exchange with a market, a wallet and a plan of faults, and when its bot is to die."""
    source = GeneratedSource(seed, pairs=(*PAIRS, OTHER_PAIR))
    clock = FixedClock(round(BEGIN.timestamp() * 1000))
    account = ClientAccount(Ledger())
    account.deposit(clock.time_ms, "USDT", from_float(DEPOSIT))
    exchange = Exchange(MarketData(source, clock), account)
    faults = [Fault.from_json(fault, "Fault") for fault in FAULTS]
    stream = random.Random(f"soak {seed}")  # noqa: S311
    end_ms = clock.time_ms + round(days * DAY_MS)
    # The last one must have the time to wait for its order.
    begin_ms = clock.time_ms + 20 * MINUTE_MS
    moments = kill_moments(stream, kills, begin_ms, end_ms - PATIENCE_MS - 20 * MINUTE_MS)
    killer = Killer(clock, moments, stream)
    plan = FaultPlan(clock, seed, faults)
    # Every one: when nothing was answered is read from them.
    plan.strikes = deque()
    visitor = Visitor(_free_port(), PAIRS, setting.timeframe, folder / "trades.sqlite")
    acts = kill_moments(stream, round(ACTS_PER_DAY * days), begin_ms, end_ms)
    others = Others(who(seed), exchange, acts, random.Random(f"beside {seed}"))  # noqa: S311
    return Soak(exchange, plan, clock, killer, folder, stream, visitor, others, setting)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def run(soak: Soak, end_ms: int) -> None:
    """Trade until a moment, with faults and kills, and then a little longer without."""
    pace = web.get("/sandbox/pace", _pace(soak))
    app = build_rehearsal_app(soak.exchange, soak.plan, extra=[pace], sleep=_stepping(soak.clock))
    app.middlewares.insert(0, soak.killer.middleware())
    app.middlewares.insert(0, soak.others.middleware())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        arguments = _arguments(soak, url)
        soak.visitor.start()
        await _live(soak, url, arguments, end_ms)
        soak.plan.remove()
        await _live(soak, url, arguments, end_ms + SETTLE_MS)
    finally:
        await asyncio.to_thread(soak.visitor.stop)
        await runner.cleanup()


async def _live(soak: Soak, url: str, arguments: dict[str, Any], end_ms: int) -> None:
    """Keep a bot alive until a moment of the exchange's time."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tools.soak_bot"])
    while soak.clock.time_ms < end_ms:
        if len(soak.crashes) + soak.failed_starts > MAX_CRASHES:
            raise RuntimeError(f"The bot cannot be kept alive: {_last_words(soak.output)}.")
        killed, soak.has_looped = soak.killer.kills, False
        process = context.Process(
            target=soak_bot.run,
            args=(url, arguments, end_ms, soak.output, soak.candle_s),
            daemon=True,
        )
        process.start()
        soak.killer.process, soak.visitor.pid = process, process.pid
        await _until_dead(soak, process)
        soak.killer.process = soak.visitor.pid = None
        if soak.clock.time_ms >= end_ms:
            return
        if soak.killer.kills == killed and soak.has_looped:
            soak.crashes.append(_last_words(soak.output))
        elif soak.killer.kills == killed:
            soak.failed_starts += 1
        died_ms = soak.clock.time_ms
        soak.clock.time_ms += 1000 * soak.stream.randint(*RESTART_AFTER_S)
        soak.away.append((died_ms, soak.clock.time_ms))


async def _until_dead(soak: Soak, process: Any) -> None:
    seen_ms, seen = soak.clock.time_ms, time.monotonic()
    while process.is_alive():
        await asyncio.sleep(0.02)
        if soak.clock.time_ms != seen_ms:
            seen_ms, seen = soak.clock.time_ms, time.monotonic()
        elif time.monotonic() - seen > HANGS_AFTER_S:
            process.kill()
    process.join()


def _stepping(clock: FixedClock) -> Any:
    async def sleep(seconds: float) -> None:
        clock.time_ms += round(1000 * seconds)

    return sleep


def _pace(soak: Soak) -> Any:
    """Tells whether a loop of the bot may be left out: 'idle', 'calm', or '' where it may not."""

    async def answer(request: web.Request) -> web.Response:
        soak.has_looped = True
        soak.exchange.advance()
        before, soak.struck = soak.struck, soak.plan.counts.total()
        if soak.struck != before:
            # What a loop could not do, the next one does.
            return reply({"state": ""})
        books = soak_truth.read_books(soak.database)
        held = soak_truth.unknown_coins(soak.exchange, soak_truth.NOTHING)
        is_open = bool(soak_truth.open_orders(soak.exchange) or books.open_orders)
        if not (held or is_open or books.coins):
            return reply({"state": "idle"})
        return reply({"state": "calm" if soak_truth.is_calm(soak.exchange, books) else ""})

    return answer


def _arguments(soak: Soak, url: str) -> dict[str, Any]:
    """What the bot is started with: the configuration as it is, pointed at the sandbox."""
    own = {
        "max_open_trades": len(PAIRS),
        # Ballast sizes by risk; who does not takes a sixth of the account.
        "stake_amount": "unlimited",
        "api_server": api_section(soak.visitor.port),
        "ballast": {
            "market": {"leader": PAIRS[0], "basket": list(PAIRS)},
            "risk": {"entries_per_candle": 4},
            "guards": {"off": sorted(soak.setting.guards_off)},
        },
        "timeframe": soak.setting.timeframe,
    }
    if soak.others.who is Beside.BOT:
        own["available_capital"] = capital(soak)
    section = overlay(url, ApiKey())
    section["exchange"]["pair_whitelist"] = list(PAIRS)
    userdir = soak.folder / "user_data"
    (userdir / "data").mkdir(parents=True, exist_ok=True)
    path = soak.folder / "soak.json"
    path.write_text(json.dumps(own | section, indent=4), encoding="utf-8")
    return {
        "config": [str(ROOT / "config.json"), str(path)],
        "strategy": soak.setting.strategy,
        "strategy_path": str(ROOT / "tools"),
        "db_url": f"sqlite:///{soak.database}",
        "user_data_dir": str(userdir),
    }


def _last_words(output: Path) -> str:
    lines = output.read_text(encoding="utf-8").splitlines() if output.exists() else []
    return lines[-1] if lines else "it said nothing"


def capital(soak: Soak) -> float:
    """What the bot is given: beside another, a part of what is there [USDT]."""
    return DEPOSIT * (SHARE if soak.others.who is Beside.BOT else 1)


def soak(seed: int, days: float, kills: int, folder: Path, setting: Setting = USUAL) -> Figures:
    """One whole run; what came of it."""
    began = time.monotonic()
    prepared = prepare(seed, days, kills, folder, setting)
    end_ms = prepared.clock.time_ms + round(days * DAY_MS)
    asyncio.run(run(prepared, end_ms))
    return figures(seed, prepared, capital(prepared), time.monotonic() - began)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0 if every figure that must be zero is, else 1."""
    parser = argparse.ArgumentParser(prog="python -m tools.run_soak", description=__doc__)
    parser.add_argument("--days", type=float, default=14, help="simulated (%(default)s)")
    parser.add_argument("--kills", type=int, default=20, help="of the bot (%(default)s)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="%(default)s")
    parser.add_argument("--keep", type=Path, help="folder for logs and databases")
    parser.add_argument("--plain", action="store_true", help="Freqtrade without Ballast instead")
    parser.add_argument("--timeframe", default="1h", help="of the bot's candles (%(default)s)")
    parser.add_argument("--all-guards", action="store_true", help="those too that end a rehearsal")
    options = parser.parse_args(arguments)
    found = []
    setting = Setting(
        "PlainClockwork" if options.plain else "Clockwork",
        options.timeframe,
        () if options.all_guards else GUARDS_OFF,
    )
    with tempfile.TemporaryDirectory() as scratch:
        for seed in options.seeds:
            folder = (options.keep or Path(scratch)) / f"seed-{seed}"
            folder.mkdir(parents=True, exist_ok=True)
            begun = f"seed {seed}: {options.days:g} days, {options.kills} kills"
            told = f"{begun}, beside {who(seed)}\n"
            sys.stdout.write(told)
            sys.stdout.flush()
            found.append(soak(seed, options.days, options.kills, folder, setting))
            print_table(found)
    return 0 if all(figure.is_clean for figure in found) else 1


if __name__ == "__main__":
    sys.exit(main())
