"""`python -m ballast stress`: strategies over periods, cost levels and choices of pairs.

Every combination is a real Freqtrade backtest. Results lie in a folder under a key of all that they
depend on, so that a second run, or one that was broken off, only does what is missing; `python -m
ballast report` reads the folder.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from ballast.commands import backtest_options
from ballast.commands.progress import progress
from ballast.commands.tables import table
from ballast.config import settings
from ballast.core.costs import LEVELS
from ballast.research.backtests import Task, TaskError, statistics
from ballast.research.stress import plan
from ballast.research.stress.candles import require_candles
from ballast.research.stress.plan import StressRun
from ballast.research.stress.runner import Ran, run_all
from ballast.research.stress.store import Store
from ballast.research.stress.trials import KINDS, OWN, moved_by_a_quarter
from ballast.tooling.config_files import read_config
from ballast.tooling.errors import CommandError

_SEED = 1

EXAMPLES = """\
ballast stress --periods 20200101-20220101 20220101-20240101
"""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    backtest_options.add_to(parser)
    add("--strategies", nargs="+", metavar="NAME", help="these instead of all")
    add(
        "--periods", nargs="+", metavar="TIMERANGE", required=True, help="such as 20200101-20210101"
    )
    add(
        "--levels",
        nargs="+",
        choices=LEVELS,
        default=list(LEVELS),
        metavar="LEVEL",
        help=f"of costs: {', '.join(LEVELS)} (all)",
    )
    add(
        "--subsets", type=int, default=0, metavar="N", help="N random choices of pairs, besides all"
    )
    add("--subset-size", type=int, default=7, metavar="N", help="pairs in each (%(default)s)")
    add("--shuffles", type=int, default=0, metavar="N", help="N random orders of all pairs")
    add("--seed", type=int, default=_SEED, help="of the random choices (%(default)s)")
    add("--without-guards", action="store_true", help="once more without each guard that is on")
    add(
        "--parameters",
        nargs="?",
        const=OWN,
        choices=KINDS,
        help="once more with each parameter a quarter away; 'wide': each stop, setting of the risk "
        "layer and window of the trend, too",
    )
    add("--timeframe", help="candles that are traded (that of the configuration)")
    add("--output", default="user_data/stress", metavar="FOLDER", help="results (%(default)s)")
    backtest_options.add_jobs(parser)
    add("--scheduler", metavar="ADDRESS", help="of a Dask cluster to run on")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """
    Run what is missing, and show a line for each strategy, period and level.

    Raises
    ------
    CommandError
        With one sentence for what cannot be used.
    """
    config = read_config(options.config or ["config.json"])
    if options.timeframe:
        config["timeframe"] = options.timeframe
    try:
        jobs = _jobs(options, config)
        store = Store(Path(options.output))
        began = time.perf_counter()
        with progress("backtests", len(jobs)) as done:
            ran = run_all(jobs, store, options.jobs, options.scheduler, done)
        _show(jobs, ran, store, time.perf_counter() - began, options)
    except (TaskError, settings.SettingsError) as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"--output {options.output}: {error.strerror}") from None


def _jobs(options: argparse.Namespace, config: dict[str, Any]) -> list[StressRun]:
    _check_numbers(options)
    folder = backtest_options.strategy_folder(options, config)
    strategies = _strategies(options.strategies, folder)
    pairs = list(config["exchange"].get("pair_whitelist") or [])
    if options.subsets and not 0 < options.subset_size < len(pairs):
        raise CommandError(
            f"--subset-size is {options.subset_size}: expected a number of pairs from 1 to "
            f"{len(pairs) - 1}, fewer than are configured"
        )
    datadir = backtest_options.candle_folder(options, config)
    config.setdefault("timeframe", "1h")
    periods = {f"--periods {period}": period for period in options.periods}
    require_candles(datadir, pairs, config["timeframe"], periods)
    markets = backtest_options.markets(options, config, datadir, pairs)
    config["exchange"] = {"name": config["exchange"]["name"], "pair_whitelist": pairs}
    path = str(folder.resolve())
    first = Task(config, markets, "", path, str(datadir.resolve()), "", ())
    choices = [
        tuple(pairs),
        *plan.orders(pairs, options.shuffles, options.seed),
        *plan.subsets(pairs, options.subsets, options.subset_size, options.seed),
    ]
    guards = plan.guards_on(config) if options.without_guards else []
    tried = strategies if options.parameters else []
    trials = {name: moved_by_a_quarter(name, path, config, options.parameters) for name in tried}
    return plan.jobs(
        first,
        strategies,
        options.periods,
        list(dict.fromkeys(options.levels)),
        choices,
        guards,
        trials,
    )


def _check_numbers(options: argparse.Namespace) -> None:
    backtest_options.check_numbers(options, jobs=1, subsets=0, shuffles=0)
    for period in options.periods:
        backtest_options.check_timerange("--periods", period)


def _strategies(wanted: Sequence[str] | None, folder: Path) -> list[str]:
    known = sorted(path.stem for path in folder.glob("[!_]*.py"))
    if not known:
        raise CommandError(f"--strategy-path {folder} has no strategies")
    for name in wanted or ():
        if name not in known:
            raise CommandError(f"{name} is not a strategy in {folder}: {', '.join(known)} are")
    return list(wanted or [name for name in known if not _is_former_name(folder / f"{name}.py")])


def _is_former_name(path: Path) -> bool:
    return "renamed_to" in path.read_text(encoding="utf-8")


def _show(
    jobs: Sequence[StressRun], ran: Ran, store: Store, wall: float, options: argparse.Namespace
) -> None:
    numbers = ("trades", "return", "drawdown")
    differences = [_difference(job, jobs[0].task.pairs) for job in jobs]
    heads = ["strategy", "period", "costs", *(["what differs"] if any(differences) else [])]
    shown = table(*heads, *numbers, numbers=numbers)
    for job, key, difference in zip(jobs, ran.keys, differences, strict=True):
        found = statistics(store.path(key))
        shown.add_row(
            job.task.strategy,
            job.task.timerange,
            job.level,
            *([difference] if any(differences) else []),
            str(found["total_trades"]),
            f"{100 * found['profit_total']:+.1f} %",
            f"{100 * found['wallet_stats']['max_relative_drawdown']:.1f} %",
        )
    console = Console()
    console.print(shown)
    where = f"on {options.scheduler}" if options.scheduler else f"{options.jobs} at a time"
    console.print(
        f"{len(jobs)} backtests, {ran.reused} of them there already; {wall:.0f} s, {where}, for "
        f"{ran.seconds:.0f} s of backtests. Results: {options.output}",
        markup=False,
    )


def _difference(job: StressRun, all_pairs: tuple[str, ...]) -> str:
    parts = [f"without {job.without_guard}"] if job.without_guard else []
    for name, value in job.parameters.items():
        parts.append(f"{name} {value if isinstance(value, str) else f'{value:g}'}")
    if job.task.pairs != all_pairs:
        parts.append(" ".join(pair.split("/")[0] for pair in job.task.pairs))
    return ", ".join(parts)
