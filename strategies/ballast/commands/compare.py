"""`python -m ballast compare`: strategies alone and under the layer, on the same candles.

Both pay the same: fees, and the cost model on every fill. Every run is a real Freqtrade backtest
whose result is kept as those of `stress` are, so that a second run only does what is missing.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from ballast.commands import backtest_options
from ballast.commands.progress import progress
from ballast.commands.tables import table
from ballast.config import settings
from ballast.core.costs import LEVELS
from ballast.research.backtests import Task, TaskError
from ballast.research.foreign import page, wording
from ballast.research.foreign.comparison import StrategyComparison
from ballast.research.foreign.pairing import Pairing, compared, pairing
from ballast.research.foreign.source import SourceError, find
from ballast.research.recordings import RecordingError
from ballast.research.report.results import ResultError
from ballast.research.stress.candles import require_candles
from ballast.research.stress.plan import guards_on
from ballast.research.stress.runner import run_all
from ballast.research.stress.store import Store
from ballast.tooling.errors import CommandError
from ballast.tooling.files import write
from ballast.tooling.pages.page import PlotlyMissing

EXAMPLES = """\
ballast compare MACDStrategy --timerange 20240101-20240601
ballast compare EmaCross RsiDip --offline        on the sandbox's markets
"""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add("strategies", nargs="+", metavar="STRATEGY", help="names of their classes")
    backtest_options.add_to(parser)
    backtest_options.add_choice(parser)
    add("--level", choices=LEVELS, default="base", help="of costs, on both (%(default)s)")
    add("--without-guards", action="store_true", help="once more without each guard that is on")
    add("--html", type=Path, default=Path("compare.html"), help="page to write (%(default)s)")
    add("--output", default="user_data/compare", metavar="FOLDER", help="results (%(default)s)")
    backtest_options.add_jobs(parser)
    add("--scheduler", metavar="ADDRESS", help="of a Dask cluster to run on")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """
    Run what is missing, and show both sides of each strategy.

    Raises
    ------
    CommandError
        With one sentence for what cannot be used.
    """
    backtest_options.check_numbers(options, jobs=1)
    try:
        pairings = _pairings(options)
        jobs = [job for each in pairings for job in each.jobs]
        store = Store(Path(options.output))
        with progress("backtests", len(jobs)) as done:
            ran = run_all(jobs, store, options.jobs, options.scheduler, done)
        paths = iter([store.path(key) for key in ran.keys])
        datadir = Path(jobs[0].task.datadir)
        found = [compared(each, [next(paths) for _ in each.jobs], datadir) for each in pairings]
        text = page.page(found).html()
    except (
        SourceError,
        TaskError,
        ResultError,
        RecordingError,
        PlotlyMissing,
        settings.SettingsError,
    ) as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"--output {options.output}: {error.strerror}") from None
    write(options.html, text)
    _show(found, Console())
    Console().print(f"As a page, with the curves: {options.html}", markup=False, soft_wrap=True)


def _pairings(options: argparse.Namespace) -> list[Pairing]:
    config = backtest_options.read_choice(options)
    folder = backtest_options.strategy_folder(options, config)
    sources = [find(name, folder) for name in dict.fromkeys(options.strategies)]
    datadir = backtest_options.candle_folder(options, config)
    exchange = config["exchange"]
    pairs = list(exchange["pair_whitelist"])
    markets = backtest_options.markets(options, config, datadir, pairs)
    config["exchange"] = {"name": exchange["name"], "pair_whitelist": pairs}
    guards = guards_on(config) if options.without_guards else []
    period = {f"--timerange {options.timerange}": options.timerange} if options.timerange else {}
    first = Task(
        config,
        markets,
        "",
        str(folder.resolve()),
        str(datadir.resolve()),
        options.timerange,
        tuple(pairs),
    )
    found = []
    for source in sources:
        made = pairing(first, source, options.level, guards)
        require_candles(datadir, pairs, made.timeframe, period)
        found.append(made)
    return found


def _show(found: Sequence[StrategyComparison], console: Console) -> None:
    for each in found:
        numbers = ("alone", "under the layer")
        figures = table("", *numbers, numbers=numbers, title=escape(each.name))
        for figure in wording.figures(each):
            style = _style(figure)
            figures.add_row(escape(figure.name), figure.alone, f"[{style}]{figure.under}[/]")
        console.print(figures)
        for sentence in wording.differences(each):
            console.print(f"- {sentence}", markup=False)
        console.print()


def _style(figure: Any) -> str:
    if not figure.better:
        return "default"
    return "green" if figure.better > 0 else "red"
