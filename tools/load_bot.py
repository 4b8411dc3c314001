"""A bot of a load run, in a process of its own, that trades some candles whenever it is told to.

Time stands still except where Freqtrade sleeps, so that a candle's work is measured by the
machine's own clock: from the beginning of the loop, one second after the candle's end. A second
loop follows, as a bot's do every five seconds, in which nothing is new.
"""

from __future__ import annotations

import cProfile
import json
import multiprocessing
import pstats
import resource
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from freqtrade.exchange import timeframe_to_seconds
from freqtrade.system import gc_set_threshold
from freqtrade.worker import Worker

from sandbox.overlay import overlay
from sandbox.signing import ApiKey
from tools import soak_bot

ROOT = Path(__file__).resolve().parents[1]
THROTTLE_S = 5.0
# In the paths of their files, wherever the repository was cloned to.
_LAYER, _FREQTRADE = "/strategies/ballast/", "/site-packages/freqtrade/"
# Limits that are not about speed are out of the way; as many entries as the floor sends.
_RISK = {"per_trade_pct": 0.05, "entries_per_candle": 2, "exposure_cap_pct": 100}


@dataclass(frozen=True)
class Ran:
    """
    One candle of one bot; seconds of the machine, CPU where it says so.

    Parameters
    ----------
    orders : sent in both loops, stops among them.
    last_order : seconds into the loop at which its last order was sent; None without one.
    memory_mb : of the process.
    """

    candle_cpu: float
    quiet_cpu: float
    wall: float
    last_order: float | None
    orders: int
    memory_mb: float


@dataclass(frozen=True)
class Started:
    """Seconds of CPU from the process's beginning to the end of each step of a start."""

    imported: float
    constructed: float
    decided: float


class Bot:
    """
    A bot's process, from outside.

    Parameters
    ----------
    strategy : of `tools.load_bare` or `tools.load_strategy`.
    settings : of the bot's configuration, over the usual ones.
    """

    def __init__(
        self,
        strategy: str,
        url: str,
        pairs: Sequence[str],
        timeframe: str,
        folder: Path,
        settings: dict[str, Any],
    ) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, there = context.Pipe()
        arguments = _configuration(strategy, url, pairs, timeframe, folder, settings)
        target = (url, timeframe, arguments, folder / "bot.log", there)
        self._process = context.Process(target=_main, args=target, daemon=True)
        self._process.start()
        # Else the end of the process would not be noticed.
        there.close()
        self._log = folder / "bot.log"
        self.started: Started = self._answer()

    def run(self, candles: int) -> list[Ran]:
        """Let so many candles pass."""
        self._pipe.send(("run", candles))
        return self._answer()

    def profiled(self, candles: int) -> dict[str, float]:
        """Of the CPU time of so many candles what is the layer's, by where Freqtrade enters it."""
        self._pipe.send(("profile", candles))
        return self._answer()

    def end(self) -> None:
        """Be done with it."""
        self._process.kill()
        self._process.join()

    def _answer(self) -> Any:
        try:
            return self._pipe.recv()
        except EOFError:
            said = self._log.read_text(encoding="utf-8")[-4000:]
            raise RuntimeError(f"A bot of the load run has died:\n{said}") from None


def _configuration(
    strategy: str,
    url: str,
    pairs: Sequence[str],
    timeframe: str,
    folder: Path,
    settings: dict[str, Any],
) -> dict[str, Any]:
    section = overlay(url, ApiKey())
    section["exchange"]["pair_whitelist"] = list(pairs)
    market = {"leader": pairs[0], "basket": list(pairs)}
    own = {
        "max_open_trades": len(pairs),
        "timeframe": timeframe,
        "ballast": {"market": market, "risk": _RISK, **settings},
    }
    if strategy == "Bare":
        # Not in the bot's process, where the layer's modules would count to the floor.
        from ballast.strategy.state import ORDER_TYPES

        # Orders of the layer's kinds, and as large, so that as many of them are filled.
        own |= {"order_types": ORDER_TYPES, "stake_amount": 1000}
    (folder / "user_data" / "data").mkdir(parents=True)
    path = folder / "load.json"
    path.write_text(json.dumps(own | section), encoding="utf-8")
    return {
        "config": [str(ROOT / "config.json"), str(path)],
        "strategy": strategy,
        "strategy_path": str(ROOT / "tools"),
        "db_url": f"sqlite:///{folder / 'trades.sqlite'}",
        "user_data_dir": str(folder / "user_data"),
    }


def _main(url: str, timeframe: str, arguments: dict[str, Any], log: Path, told: Connection) -> None:
    """The process."""
    sys.stdout = sys.stderr = log.open("a", encoding="utf-8", buffering=1)
    sys.path[:0] = [str(ROOT / "strategies")]
    # As the command `freqtrade` does.
    gc_set_threshold()
    candle_s = timeframe_to_seconds(timeframe)
    clock = soak_bot.SteppedClock(url, candle_s)
    soak_bot.keep_time(clock)
    imported = time.process_time()
    worker = Worker(arguments)
    constructed = time.process_time()
    measured = _Measured(worker, clock, candle_s)
    told.send(Started(imported, constructed, time.process_time()))
    while True:
        what, candles = told.recv()
        if what == "run":
            told.send([measured.candle() for _ in range(candles)])
        else:
            profile = cProfile.Profile(time.thread_time)
            profile.enable()
            for _ in range(candles):
                measured.candle()
            profile.disable()
            told.send(shares(profile))


class _Measured:
    """A worker whose loops are measured, on a clock that it moves."""

    def __init__(self, worker: Worker, clock: soak_bot.SteppedClock, candle_s: int) -> None:
        self._worker, self._clock, self._candle_s = worker, clock, candle_s
        self._sent: list[float] = []
        client = worker.freqtrade.exchange._api
        create = client.create_order

        def watched(*args: Any, **order: Any) -> Any:
            answer = create(*args, **order)
            self._sent.append(time.perf_counter())
            return answer

        client.create_order = watched
        worker._worker(old_state=None)

    def candle(self) -> Ran:
        """The loop of a new candle, and one after it."""
        self._clock.sleep(self._candle_s - self._clock.now_ms / 1000 % self._candle_s + 1)
        self._sent.clear()
        began, cpu = time.perf_counter(), time.process_time()
        self._worker._process_running()
        wall, candle_cpu = time.perf_counter() - began, time.process_time() - cpu
        last = self._sent[-1] - began if self._sent else None
        self._clock.sleep(THROTTLE_S)
        cpu = time.process_time()
        self._worker._process_running()
        quiet_cpu = time.process_time() - cpu
        return Ran(candle_cpu, quiet_cpu, wall, last, len(self._sent), memory_mb())


def memory_mb() -> float:
    """Resident memory of this process now [MB]."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * resource.getpagesize() / 1e6


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
            if _LAYER in file and _FREQTRADE in calling:
                found[name] = found.get(name, 0.0) + spent / stats.total_tt
            if _FREQTRADE in file and _LAYER in calling:
                found[caller] = found.get(caller, 0.0) - spent / stats.total_tt
    return found
