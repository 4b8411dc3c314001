"""One backtest in a process of its own, so that its time and its memory are nobody else's.

`python -m benchmarks.worker JOB RESULT` reads a `Job` and writes a `Measured`, both JSON. Time is
the CPU time of this process; the peak of memory is what the operating system has noted of it. It
stands still before its loop until it is let go on.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
from freqtrade.misc import deep_merge_dicts
from freqtrade.optimize.backtesting import Backtesting
from freqtrade.strategy import IStrategy
from freqtrade.system import gc_set_threshold

from ballast.strategy.layer import Layer
from benchmarks import ROOT, strategies
from benchmarks.errors import BenchmarkError
from benchmarks.market import Candles
from tests.engine import base_config, offline_exchange, resolvable

# One thread each: two would be counted twice and depend on what else runs.
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NUMEXPR_NUM_THREADS": "1"}
# Seconds: less than a machine's speed takes to move, more than a cache takes to fill again.
TURN_S = 0.05
# Freqtrade asks for these prices where exits are market orders.
_PRICING = {"price_side": "other", "use_order_book": False}
_TRADE = ("pair", "open_date", "close_date", "open_rate", "close_rate", "exit_reason")


@dataclass(frozen=True)
class Job:
    """
    A backtest to measure.

    Parameters
    ----------
    strategy : str
        A class of `benchmarks.strategies`, or a file of the pack ('strategies/DonchianTrend.py').
    settings : dict
        Merged over the bare configuration.
    every : int or None
        For strategies that trade by number: on every how many candles.
    startup : int or None
        Start-up candles of strategies that have none of their own, so that all go through the same.
    replay : list of dict
        For those that replay: the trades.
    """

    strategy: str
    folder: str
    pairs: tuple[str, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    every: int | None = None
    startup: int | None = None
    replay: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def on(cls, candles: Candles, strategy: str, **more: Any) -> "Job":
        """A job on these candles."""
        return cls(strategy, str(candles.folder), candles.pairs, **more)


@dataclass(frozen=True)
class Measured:
    """
    What a backtest took.

    Parameters
    ----------
    seconds : dict of str to float
        CPU seconds by phase: load, indicators, signals (entry and exit columns, and Freqtrade's
        conversion to lists) and loop, the candle by candle part.
    peak_mb : float
        Most memory the process ever held, megabytes (2^20 bytes).
    rows : int
        Candles that the loop went through, all pairs together.
    trades : list of dict
        Closed trades: pair, dates (ISO 8601), rates and exit reason.
    locks : int
        Locks made.
    startup : int
        Candles before the first that could be traded.
    incidents : int
        Failures inside Ballast's callbacks; anything but 0 means that it was not measured at work.
    """

    seconds: dict[str, float]
    peak_mb: float
    rows: int
    trades: list[dict[str, Any]]
    locks: int
    startup: int
    incidents: int


class _Timed(Backtesting):
    """Backtesting that notes when its phases end."""

    # Whether somebody lets it go on into the loop.
    waits = False

    def __init__(self, config: dict[str, Any], exchange: Any) -> None:
        super().__init__(config, exchange)
        self.seconds: dict[str, float] = {}
        self.rows = 0
        self._mark = time.process_time()

    def note(self, phase: str) -> None:
        """End a phase."""
        now = time.process_time()
        self.seconds[phase] = now - self._mark
        self._mark = now

    def _get_ohlcv_as_lists(self, processed: dict) -> dict:
        self.note("indicators")
        lists = super()._get_ohlcv_as_lists(processed)
        self.rows = sum(map(len, lists.values()))
        self.note("signals")
        if self.waits:
            os.kill(os.getpid(), signal.SIGSTOP)
        return lists

    def backtest(self, processed: dict, start_date: datetime, end_date: datetime) -> Any:
        result = super().backtest(processed, start_date, end_date)
        self.note("loop")
        return result


def measure(job: Job) -> Measured:
    """Run a job in this process."""
    with tempfile.TemporaryDirectory() as folder, resolvable(_strategy(job)) as names:
        own = {"timeframe": "1h", "datadir": Path(job.folder), "exit_pricing": _PRICING}
        config = deep_merge_dicts(
            {**own, **names, **job.settings}, base_config(Path(folder), job.pairs)
        )
        exchange = offline_exchange(config, job.pairs)
        try:
            backtesting = _Timed(config, exchange)
            (strategy,) = backtesting.strategylist
            data, timerange = backtesting.load_bt_data()
            backtesting.note("load")
            backtesting.backtest_one_strategy(strategy, data, timerange)
            result = backtesting.all_bt_content[strategy.get_strategy_name()]
        finally:
            Backtesting.cleanup()
            exchange.close()
    return Measured(
        seconds=backtesting.seconds,
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        rows=backtesting.rows,
        trades=_trades(result["results"]),
        locks=len(result["locks"]),
        startup=backtesting.required_startup,
        incidents=_incidents(strategy),
    )


def measure_apart(job: Job) -> Measured:
    """
    Run a job in a fresh process.

    Raises
    ------
    BenchmarkError
        If it fails; its own output says why.
    """
    return measure_in_turns([job])[0]


def measure_in_turns(jobs: Sequence[Job], turns: Sequence[float] = ()) -> list[Measured]:
    """
    Run the loops of jobs in fresh processes of which one goes on at a time: on a machine whose
    speed moves, all of them are measured at the same speeds.

    Parameters
    ----------
    turns : sequence of float
        Seconds that each goes on for (see `even_turns`); without them `TURN_S` for all.

    Raises
    ------
    BenchmarkError
        If one fails; its own output says why.
    """
    with tempfile.TemporaryDirectory() as folder:
        runs: list[_Run] = []
        try:
            for job, turn in zip(jobs, turns or [TURN_S] * len(jobs), strict=True):
                runs.append(_Run(job, Path(folder, str(len(runs))), turn))
            waiting = list(runs)
            while waiting:
                waiting = [run for run in waiting if run.goes_on(alone=len(waiting) == 1)]
        finally:
            for run in runs:
                run.process.kill()
                run.process.wait()
        return [run.measured() for run in runs]


def even_turns(measured: Sequence[Measured]) -> list[float]:
    """Turns, `TURN_S` in the mean, with which loops that took as long as these end together."""
    loops = [found.seconds["loop"] for found in measured]
    return [TURN_S * len(loops) * loop / sum(loops) for loop in loops]


class _Run:
    """A job in a process, which has come to its loop and stands still until it is let go on."""

    def __init__(self, job: Job, files: Path, turn: float) -> None:
        self._job = job
        self._turn = turn
        order = files.with_suffix(".job")
        order.write_text(json.dumps(asdict(job)), encoding="utf-8")
        self._answer, self._said = files.with_suffix(".result"), files.with_suffix(".said")
        command = [sys.executable, "-m", "benchmarks.worker", str(order), str(self._answer)]
        environment = {**os.environ, **_ENVIRONMENT}
        with self._said.open("w") as said:
            self.process = subprocess.Popen(  # noqa: S603
                command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=said
            )
        # It is left for `wait` to take note of its end.
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def goes_on(self, *, alone: bool) -> bool:
        """Let it run for its turn, or to its end where no other waits; whether it has not ended."""
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.wait(None if alone else self._turn)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGSTOP)
            return True
        return False

    def measured(self) -> Measured:
        """What it wrote."""
        if self.process.returncode:
            said = self._said.read_text(encoding="utf-8")[-2000:]
            raise BenchmarkError(f"The backtest of {self._job.strategy} failed:\n{said}")
        return Measured(**json.loads(self._answer.read_text(encoding="utf-8")))


def _strategy(job: Job) -> type[IStrategy] | str:
    if job.strategy.endswith(".py"):
        return job.strategy
    base: type[IStrategy] = getattr(strategies, job.strategy)
    members: dict[str, Any] = {"__module__": strategies.__name__}
    if job.every is not None:
        members["every"] = job.every
    if job.startup is not None:
        members["startup_candle_count"] = job.startup
    if job.replay:
        frame = pd.DataFrame(job.replay)
        dates = {name: pd.to_datetime(frame[name], utc=True) for name in _TRADE[1:3]}
        members["trades"] = frame.assign(**dates)
    return type(job.strategy, (base,), members)


def _incidents(strategy: IStrategy) -> int:
    return sum(strategy._ballast.incidents.counts.values()) if isinstance(strategy, Layer) else 0


def _trades(results: pd.DataFrame) -> list[dict[str, Any]]:
    trades = results[list(_TRADE)].sort_values(["open_date", "pair"])
    for name in ("open_date", "close_date"):
        trades[name] = trades[name].map(lambda moment: moment.isoformat())
    return trades.to_dict("records")


def main(arguments: list[str]) -> int:
    """Run the job of a file and write the result to another."""
    order, answer = map(Path, arguments)
    # As the command `freqtrade` does: its own setting of the garbage collector.
    gc_set_threshold()
    _Timed.waits = True
    job = Job(**json.loads(order.read_text(encoding="utf-8")))
    answer.write_text(json.dumps(asdict(measure(job))), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
