"""What many backtests take on several processors, to what they take one after the other.

The jobs are those of `python -m ballast stress`: levels of costs and the whitelist in other orders.
First all of them in one process, one after the other; then in as many as there are processors,
which have been started before. Compared is CPU time, as the machine's clock tells of other work as
well: each process reads candles of its own, and whoever is done waits for one backtest at most. A
second run with one more job makes none of the others again.
"""

import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from ballast.research.backtests import Task
from ballast.research.stress import plan
from ballast.research.stress.runner import run_all
from ballast.research.stress.store import Store
from benchmarks import ROOT
from benchmarks.loop import Say
from benchmarks.market import Candles
from tests.engine import base_config, offline_exchange

# Of all processes together, to all in one.
TARGET = 1.05
_LEVELS, _ORDERS = ("none", "base", "stressed", "worst"), 1
_PERIOD, _SHORT = "20240601-20250101", "20240601-20240608"


def run(candles: Candles, strategy: str, seed: int, say: Say) -> dict[str, Any]:
    """
    Run the backtests in one process, in several, and once more with another beside them.

    Returns
    -------
    dict
        jobs, processes; alone and together (CPU seconds in one process, and in all of several);
        ratio of these; again: backtests of the second run that had been made before.
    """
    processes = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = _first(candles, folder)
        orders = [candles.pairs, *plan.orders(candles.pairs, _ORDERS, seed)]
        jobs = plan.jobs(first, [strategy], [_PERIOD], _LEVELS, orders)
        say(f"{len(jobs)} backtests of {strategy}, one after the other")
        began = time.process_time()
        run_all(jobs, Store(folder / "alone"), 1)
        alone = time.process_time() - began
        say(f"the same, {processes} at a time")
        warm_up = plan.jobs(first, [strategy], [_SHORT], _LEVELS, orders[:1])
        run_all(warm_up, Store(folder / "warm"), processes)
        together = Store(folder / "together")
        before = _taken()
        run_all(jobs, together, processes)
        after = _taken()
        took = sum(after[pid] - before.get(pid, 0.0) for pid in after)
        another = {strategy: [{"ballast.risk.per_trade_pct": 0.25}]}
        more = plan.jobs(first, [strategy], [_PERIOD], _LEVELS, orders, trials=another)
        ran = run_all(more, together, 1)
    return {
        "strategy": strategy,
        "jobs": len(jobs),
        "processes": processes,
        "alone": alone,
        "together": took,
        "ratio": took / alone,
        "again": len(jobs) - ran.reused,
    }


def _taken() -> dict[int, float]:
    """CPU seconds so far of joblib's processes, which stay for the next run, by their number."""
    times = {child.pid: child.cpu_times() for child in psutil.Process().children()}
    return {pid: taken.user + taken.system for pid, taken in times.items()}


def _first(candles: Candles, folder: Path) -> Task:
    exchange = offline_exchange(base_config(folder, candles.pairs), candles.pairs)
    markets = {pair: {**market, "info": {}} for pair, market in exchange.markets.items()}
    exchange.close()
    config = json.loads((ROOT / "config.json").read_text(encoding="utf-8"))
    pairs = list(candles.pairs)
    config |= {"timeframe": "1h", "exchange": {"name": "binance", "pair_whitelist": pairs}}
    config.setdefault("ballast", {})["market"] = {"leader": pairs[0], "basket": pairs}
    strategies = str(ROOT / "strategies")
    return Task(config, markets, "", strategies, str(candles.folder.resolve()), "", ())
