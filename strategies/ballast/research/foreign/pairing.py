"""The backtests that stand for a strategy alone and under the layer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from ballast.research.backtests import Task
from ballast.research.foreign.comparison import Side, StrategyComparison, compare
from ballast.research.foreign.replay import loaded
from ballast.research.foreign.source import Source
from ballast.research.recordings import entries_of
from ballast.research.report import candles, holding
from ballast.research.report.crises import crises
from ballast.research.report.results import RunResult, read_zip
from ballast.research.stress.plan import StressRun, with_settings


@dataclass(frozen=True)
class Pairing:
    """
    One strategy's backtests.

    Parameters
    ----------
    timeframe : str
        Of the candles that are traded.
    jobs : tuple of StressRun
        Alone, under the layer, and then without each guard that was named.
    """

    name: str
    timeframe: str
    jobs: tuple[StressRun, ...]


def pairing(first: Task, source: Source, level: str, guards: Sequence[str]) -> Pairing:
    """
    Plan the backtests of a strategy; it is loaded once, to be refused before hours are spent.

    Parameters
    ----------
    first : Task
        With all that strategies share.

    Raises
    ------
    TaskError
        Where Freqtrade or the layer refuses the strategy.
    """
    under = replace(first, strategy=source.guarded, source=source.guarded_text())
    alone = replace(first, strategy=source.alone, source=source.alone_text())
    with loaded(under) as replay:
        timeframe = replay.timeframe
    config = {**first.config, "timeframe": timeframe}
    runs = [(alone, ""), (under, ""), *((under, guard) for guard in guards)]
    jobs = tuple(_job(task, config, level, guard) for task, guard in runs)
    return Pairing(source.name, timeframe, jobs)


def _job(task: Task, config: Mapping[str, object], level: str, guard: str) -> StressRun:
    return StressRun(replace(task, config=with_settings(config, level, guard)), level, guard)


def compared(pairing: Pairing, zips: Sequence[Path], datadir: Path) -> StrategyComparison:
    """
    Read the results of a pairing's backtests, in their order.

    Raises
    ------
    ResultError, RecordingError
        Where one cannot be read.
    """
    runs = [_run(path, job) for path, job in zip(zips, pairing.jobs, strict=True)]
    alone, under, *without = runs
    known, leader = candles.load(under, datadir), candles.leader(under)
    held = holding.hold(under, known, leader, 0.0)
    market = held.pairs if held is not None else None
    entries = entries_of(zips[1])
    real = candles.are_real(under, datadir)
    one, other = _side(alone, market, real=real), _side(under, market, real=real)
    return compare(pairing.name, one, other, entries, without)


def _side(run: RunResult, market: pd.Series | None, *, real: bool) -> Side:
    if market is None:
        return Side(run, [])
    return Side(run, crises(run.equity, market, run.trades, known=real))


def _run(path: Path, job: StressRun) -> RunResult:
    (run,) = read_zip(path)
    return replace(run, costs=job.level, without_guard=job.without_guard)
