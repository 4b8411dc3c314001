"""`python -m ballast report`: what speaks against a backtest, as a page, as data and in short."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ballast.commands.options import add_json, add_userdir
from ballast.commands.tables import table
from ballast.research.report import report
from ballast.research.report.candles import GENERATED
from ballast.research.report.drawdowns import max_drawdown
from ballast.research.report.findings import Severity
from ballast.research.report.report import Judged
from ballast.research.report.results import ResultError, RunResult, read_all
from ballast.research.report.sensitivity import over_drawdown
from ballast.research.report.study import Options
from ballast.research.report.trials import HYPEROPT_FOLDER
from ballast.research.report.wording import counted, number, percent, share
from ballast.tooling.errors import CommandError
from ballast.tooling.files import write
from ballast.tooling.pages.page import PlotlyMissing

_DEFAULT_PAGE = Path("report.html")
_WORDS = {
    Severity.ALARM: ("serious", "bold red"),
    Severity.WARNING: ("warning", "yellow"),
    Severity.NOTE: ("note", "cyan"),
}

EXAMPLES = """\
ballast report                        the newest backtest, with its candles
ballast report user_data/stress --html stress.html
"""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add(
        "results",
        nargs="*",
        type=Path,
        metavar="RESULT",
        help="zip of `freqtrade backtesting`, or folder of `stress` (the newest zip)",
    )
    add("--html", type=Path, default=_DEFAULT_PAGE, help="page to write (%(default)s)")
    add_json(parser)
    add_userdir(parser)
    add("-d", "--datadir", type=Path, metavar="FOLDER", help="candles (USERDIR/data/EXCHANGE)")
    add(
        "--drawdown-limit",
        type=float,
        default=12.0,
        metavar="PCT",
        help="drawdown that must not be, percent of the account (%(default)g)",
    )
    add(
        "--trials",
        type=int,
        default=0,
        metavar="N",
        help="sets of parameters tried before, of which nothing is left (%(default)s)",
    )
    add(
        "--hyperopt-results",
        type=Path,
        default=HYPEROPT_FOLDER,
        metavar="DIR",
        help="its epochs count as trials (%(default)s)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """
    Read, judge, write and say it in short.

    Raises
    ------
    CommandError
        With one sentence for what cannot be used.
    """
    _check(options)
    results = options.results or [newest(Path(options.userdir or "user_data"))]
    try:
        runs = read_all(results)
    except ResultError as error:
        raise CommandError(str(error)) from None
    wanted = Options(
        datadir=options.datadir or usual_folder(runs[0], results[0]),
        drawdown_limit=options.drawdown_limit / 100,
        hyperopt=options.hyperopt_results,
        added_trials=options.trials,
    )
    try:
        judged = report.judge(runs, wanted)
        write(options.html, report.page(judged).html())
    except (ResultError, PlotlyMissing) as error:
        raise CommandError(str(error)) from None
    if options.json:
        sys.stdout.write(json.dumps(report.as_data(judged), indent=2) + "\n")
        return
    _show(judged, Console())
    Console().print(f"The whole report: {options.html}", markup=False, soft_wrap=True)


def newest(userdir: Path) -> Path:
    """
    The zip that Freqtrade wrote last.

    Raises
    ------
    CommandError
        If it has written none.
    """
    folder = userdir / "backtest_results"
    try:
        told = json.loads((folder / ".last_result.json").read_text(encoding="utf-8"))
        path = folder / str(told["latest_backtest"])
    except (OSError, ValueError, KeyError, TypeError):
        raise CommandError(
            f"{folder} has no newest result: expected RESULT, the zip of a backtest"
        ) from None
    return path


def usual_folder(run: RunResult, source: Path) -> Path | None:
    """Where the candles of a result lie, beside it in Freqtrade's folder; None for elsewhere."""
    exchange = (run.config.get("exchange") or {}).get("name", "binance")
    folder = source.resolve().parent.parent / "data" / (GENERATED if run.generated else exchange)
    return folder if folder.is_dir() else None


def _check(options: argparse.Namespace) -> None:
    if not 0 < options.drawdown_limit < 100:
        raise CommandError(
            f"--drawdown-limit is {options.drawdown_limit:g}: expected percent, above 0 and below "
            "100"
        )
    if options.trials < 0:
        raise CommandError(f"--trials is {options.trials}: expected a whole number from 0")
    if options.datadir is not None and not options.datadir.is_dir():
        raise CommandError(f"--datadir {options.datadir} is not a folder")


def _show(judged: Sequence[Judged], console: Console) -> None:
    for each in judged:
        done = each.study
        console.print(f"\n[bold]{escape(done.name)}[/bold]")
        for text in done.notices:
            console.print(text, markup=False)
        found = Table.grid(padding=(0, 2))
        for finding in each.findings:
            if finding.severity is not Severity.FINE:
                word, style = _WORDS[finding.severity]
                found.add_row(f"[{style}]{word}[/]", escape(finding.text))
        console.print(found)
        held = sum(finding.severity is Severity.FINE for finding in each.findings)
        console.print(f"{counted(held, 'check')} held.", style="dim")
    console.print(_figures(judged))


def _figures(judged: Sequence[Judged]) -> Table:
    numbers = ("return", "drawdown", "ratio", "Sharpe", "trades")
    figures = table("strategy", "costs", *numbers, numbers=numbers)
    for each in judged:
        done = each.study
        for row, level in enumerate(done.runs.costs):
            figures.add_row(
                escape(done.name) if row == 0 else "",
                escape(level.costs),
                percent(level.total_return),
                share(max_drawdown(level.equity), 1),
                number(over_drawdown(level), 1),
                number(done.sharpe) if level is done.base else "",
                f"{len(level.trades):,}",
            )
    return figures
