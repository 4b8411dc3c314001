"""`python -m ballast adopt`: a strategy that exists under the layer, and whether its columns peek.

Writes the two lines beside the strategy, says what of it is kept, capped, replaced and refused, and
compares its columns on candles that are cut off with those on all of them. Where none peeks, a
backtest under the layer measures what the guard EdgeDecay compares with. Exit code 0; 1 where a
column peeks, or nothing could be compared.
"""

import argparse
import importlib.metadata
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ballast.commands import backtest_options
from ballast.commands.progress import progress
from ballast.commands.tables import table
from ballast.config import settings
from ballast.core.guards.edge_decay import EdgeDecay
from ballast.research import baseline
from ballast.research.backtests import Task, TaskError
from ballast.research.backtests import run as run_backtest
from ballast.research.foreign.lookahead import SIGNALS, Examined
from ballast.research.foreign.proof import Proof, prove
from ballast.research.foreign.replay import loaded, priced
from ballast.research.foreign.source import Source, SourceError, find
from ballast.research.report.results import ResultError, read_zip
from ballast.research.report.wording import counted
from ballast.strategy.heard import Heard, Hearing, heard
from ballast.tooling.errors import CommandError

_COLOURS = {
    Hearing.KEPT: "green",
    Hearing.CAPPED: "yellow",
    Hearing.REPLACED: "yellow",
    Hearing.REFUSED: "red",
}
_MOST_SHOWN = 40
# Below this a warm-up is not worth a line: a hundredth of a percent.
_SMALL = 1e-4

EXAMPLES = """\
ballast adopt MACDStrategy            writes the file; do columns peek?
"""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("strategy", metavar="STRATEGY", help="name of its class")
    backtest_options.add_places(parser)
    backtest_options.add_choice(parser)
    add = parser.add_argument
    add("--cuts", type=int, default=40, metavar="N", help="for each pair, 0 for none (%(default)s)")
    add("--no-baseline", action="store_true", help="no backtest for the guard EdgeDecay")
    backtest_options.add_jobs(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """
    Write the file, say what is heard, and look for look-ahead.

    Raises
    ------
    CommandError
        With one sentence for what cannot be used; nothing is written then.
    """
    backtest_options.check_numbers(options, cuts=0, jobs=1)
    config = backtest_options.read_choice(options)
    console = Console()
    try:
        source = find(options.strategy, backtest_options.strategy_folder(options, config))
        task = _task(source, options, config)
        found = _heard(task, config)
        _write(source, console)
        console.print(_heard_table(source, found))
        if not options.cuts:
            return 0
        with progress("look-ahead", len(task.pairs)) as done:
            proof = prove(task, options.cuts, options.jobs, done)
    except (SourceError, TaskError, settings.SettingsError) as error:
        raise CommandError(str(error)) from None
    _show(source, proof, console)
    if not options.no_baseline and proof.pairs and not proof.examined.peeks:
        risk = settings.load(config.get(settings.SECTION)).risk
        # Pairs without candles would count as a market in disorder, in which nothing is bought.
        judged = replace(task, pairs=proof.pairs)
        _show_baseline(priced(judged, risk.fee_pct / 100), console)
    return int(bool(proof.examined.peeks) or not proof.pairs)


def _task(source: Source, options: argparse.Namespace, config: dict[str, Any]) -> Task:
    datadir = backtest_options.candle_folder(options, config).resolve()
    exchange = config["exchange"]
    pairs = tuple(exchange["pair_whitelist"])
    return Task(
        {**config, "exchange": {"name": exchange["name"], "pair_whitelist": list(pairs)}},
        {},
        source.guarded,
        str(source.folder.resolve()),
        str(datadir),
        options.timerange,
        pairs,
        source=source.guarded_text(),
    )


def _heard(task: Task, config: dict[str, Any]) -> list[Heard]:
    """What is heard of the strategy; it is refused here where Freqtrade or the layer refuses it."""
    section = settings.load(config.get(settings.SECTION))
    with loaded(task) as replay:
        return heard(replay.strategy, section.additions.most)


def _write(source: Source, console: Console) -> None:
    path, text = source.guarded_path, source.two_lines()
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
        said = f"{path} is written: run {source.guarded} as you would {source.name}."
    except FileExistsError:
        own = "" if path.read_text(encoding="utf-8") == text else ", with lines of its own: left so"
        said = f"{path} is there already{own}."
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None
    console.print(said, markup=False, soft_wrap=True)
    if not _importable_from(source.folder):
        here = Path(__file__).resolve().parents[1]
        console.print(
            f"Freqtrade finds no ballast there: copy {here} into {source.folder}, or install it.",
            markup=False,
            soft_wrap=True,
            style="yellow",
        )


def _importable_from(folder: Path) -> bool:
    """Whether a bot finds the layer: beside the strategies, or installed."""
    if (folder / "ballast").is_dir():
        return True
    try:
        return bool(importlib.metadata.version("ballast"))
    except importlib.metadata.PackageNotFoundError:
        return False


def _heard_table(source: Source, found: list[Heard]) -> Table:
    heard = table(f"of {source.name}", "it says", "", "why", title="What is heard, and how")
    for each in found:
        style = _COLOURS[each.how]
        heard.add_row(
            escape(each.what), escape(each.value), f"[{style}]{each.how}[/]", escape(each.why)
        )
    return heard


def _show(source: Source, proof: Proof, console: Console) -> None:
    examined = proof.examined
    for pair, why in proof.failed.items():
        said = f"{pair} could not be compared: {why}"
        console.print(said, markup=False, soft_wrap=True, style="yellow")
    if not proof.pairs:
        console.print("Nothing could be compared.", style="bold red")
        return
    looked = f"{counted(examined.cuts, 'cut')} of {counted(len(proof.pairs), 'pair')}"
    if examined.peeks:
        signals = [name for name in SIGNALS if name in examined.peeks]
        console.print(_peeks(examined))
        said = f"{source.name} peeks: {counted(len(examined.peeks), 'column')} of it changed when "
        said += f"later candles came, in {looked}"
        reach = f"; so did its signals ({', '.join(signals)})" if signals else ""
        console.print(f"{said}{reach}.", markup=False, style="bold red")
    else:
        console.print(
            f"No column of {source.name} peeks: in {looked} none changed when later candles came.",
            markup=False,
            style="bold green",
        )
    if examined.unstable:
        names = ", ".join(sorted(examined.unstable))
        console.print(
            f"Not comparable, different on the very same candles: {names}.",
            markup=False,
            style="yellow",
        )
    _show_history(examined, console)


def _show_baseline(task: Task, console: Console) -> None:
    """What EdgeDecay compares with; a backtest that has seen the future is asked for none."""
    name = f"The guard {EdgeDecay.__name__} stays off under {task.strategy}"
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "backtest.zip"
            path.write_bytes(run_backtest(task).zipped)
            (result,) = read_zip(path)
        text = baseline.text(baseline.section(result))
    except (TaskError, ResultError, baseline.NoBaseline) as error:
        console.print(f"{name}: {error}", markup=False, soft_wrap=True, style="yellow")
        return
    said = f"{name} until the configuration has what {counted(len(result.trades), 'trade')} of a "
    said += "backtest under the layer came to, their amounts not rounded to an exchange's lots:"
    console.print(f"{said}\n{text}", markup=False, soft_wrap=True)
    if backtest_options.is_generated(Path(task.datadir)):
        warning = "These are figures of the generated market: a bot needs those of its exchange's."
        console.print(warning, markup=False, soft_wrap=True, style="yellow")


def _peeks(examined: Examined) -> Table:
    heads = ("column", "pair", "first differing candle", "then", "with later candles", "cuts")
    peeks = table(*heads, title="Columns that peek", style="bold red")
    ordered = sorted(examined.peeks.items(), key=lambda item: (item[0] not in SIGNALS, item[0]))
    for name, peek in ordered[:_MOST_SHOWN]:
        peeks.add_row(
            escape(name),
            peek.pair,
            f"{peek.candle:%Y-%m-%d %H:%M}",
            _value(peek.known),
            _value(peek.later),
            f"{peek.cuts} of {examined.cuts}",
        )
    if len(ordered) > _MOST_SHOWN:
        peeks.add_row(f"and {len(ordered) - _MOST_SHOWN} more", *[""] * 5)
    return peeks


def _show_history(examined: Examined, console: Console) -> None:
    """Differences that come of how much history there is: no look-ahead, and worth knowing."""
    settling = [name for name in examined.history if examined.settles(name)]
    large = {name for name in settling if examined.history[name][0] > _SMALL}
    tied = sorted(set(examined.history) - set(settling))
    if not examined.history:
        return
    numbers = [f"{count:,} candles" for count in examined.histories]
    title = "Depends on the history, which is no look-ahead"
    depends = table("column", *numbers, "", numbers=numbers, title=title)
    for name in [*sorted(large, key=lambda each: -examined.history[each][0]), *tied][:_MOST_SHOWN]:
        word = "warm-up" if name in large else "tied to the first candle"
        depends.add_row(escape(name), *map(_size, examined.history[name]), word)
    if large or tied:
        console.print(depends)
    if left := len(settling) - len(large):
        within = f"to within {100 * _SMALL:g} %"
        console.print(f"{counted(left, 'more column')} settled {within} after the warm-up.")


def _size(difference: float) -> str:
    percent = 100 * difference
    if 0 < percent < 0.001:
        return "under 0.001 %"
    return f"{percent:.0f} %" if percent >= 1 else f"{percent:.2g} %"


def _value(value: Any) -> str:
    if isinstance(value, float):
        return "-" if value != value else f"{value:.6g}"
    return escape(str(value)) if value is not None else "-"
