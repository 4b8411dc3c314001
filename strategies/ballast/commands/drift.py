"""`python -m ballast drift`: what a bot did against a backtest of the same candles.

Exit code 0 where nothing differs, 1 where something does, 2 for what cannot be compared.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from ballast.commands import backtest_options
from ballast.commands.options import add_database, add_json
from ballast.commands.tables import table
from ballast.core.costs import LEVELS
from ballast.journal.file import read_only
from ballast.journal.identity import owner
from ballast.research.backtests import Task, TaskError
from ballast.research.drift.page import page
from ballast.research.drift.record import Record, read_journal, read_trades
from ballast.research.drift.replay import replayed, window
from ballast.research.drift.study import DriftStudy, study
from ballast.research.drift.wording import difference_row, headline
from ballast.research.stress.candles import require_candles
from ballast.research.stress.plan import with_settings
from ballast.tooling.config_files import database_url, read_config
from ballast.tooling.database import open_database
from ballast.tooling.errors import CommandError
from ballast.tooling.journals import bot_journal, identity_of
from ballast.tooling.pages.page import PlotlyMissing

_MOST_SHOWN = 20
# Between columns.
_GAP = 3

EXAMPLES = """\
ballast drift                         the bot of config.json and a backtest
ballast drift --html drift.html       and a page to look at
"""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_bot(parser)
    parser.add_argument("--html", metavar="FILE", help="write a page there")
    add_json(parser)
    parser.set_defaults(run=run)


def add_bot(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that say which bot, and what it is held against."""
    backtest_options.add_to(parser)
    add = parser.add_argument
    add_database(parser)
    add("--journal", metavar="FILE", help="the bot's journal (that of the configuration)")
    add("--strategy", metavar="NAME", help="which, where the journal has several")
    add("--level", choices=LEVELS, default="base", help="of costs of the replay (%(default)s)")
    add("--late", type=float, default=60.0, metavar="S", help="late from (%(default)g)")


def run(options: argparse.Namespace) -> int:
    """
    Compare, show, and say by the exit code whether something differs.

    Raises
    ------
    CommandError
        With one sentence for what cannot be used.
    """
    config = read_config(options.config or ["config.json"])
    try:
        found = studied(options, config)
        if options.html:
            Path(options.html).write_text(page(found).html(), encoding="utf-8")
        if options.json:
            sys.stdout.write(json.dumps(as_data(found), indent=1) + "\n")
        else:
            _show(found)
    except (TaskError, PlotlyMissing) as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"{error.filename} cannot be written: {error.strerror}") from None
    return int(found.drifted)


def studied(options: argparse.Namespace, config: dict[str, Any]) -> DriftStudy:
    """
    The bot's record, its replay, and what lies between them.

    Raises
    ------
    CommandError, TaskError
    """
    if not options.late >= 0:
        raise CommandError(f"--late is {options.late:g}: expected seconds from 0")
    bot = _bot(options, config)
    folder = backtest_options.strategy_folder(options, config)
    # A bot is held against the candles that it saw, and no others.
    datadir = backtest_options.own_candles(options, config)
    period = {"the time of the journal": window(bot)}
    require_candles(datadir, bot.pairs, bot.timeframe, period)
    markets = backtest_options.markets(options, config, datadir, bot.pairs)
    own = with_settings(config, options.level)
    own["exchange"] = {"name": config["exchange"]["name"], "pair_whitelist": list(bot.pairs)}
    own["strategy"] = bot.strategy
    task = Task(own, markets, bot.strategy, str(folder.resolve()), str(datadir.resolve()), "", ())
    return study(bot, replayed(bot, task), timedelta(seconds=options.late))


def differences(rows: Sequence[Sequence[str]], width: int) -> Table:
    """
    A table of differences that breaks lines between words: a code in two cannot be looked up.

    Parameters
    ----------
    rows : sequence of sequence of str
        See `difference_row`.
    width : int
        Of the terminal.
    """
    lines = [("layer", "pair", "candle (UTC)", "what", "bot", "replay"), *rows]
    if _left(lines, width) < 0:
        # Long codes need the room of a column: pair and candle stand below one another.
        lines = [(layer, f"{pair} {at}", *told) for layer, pair, at, *told in lines]
    heads, *told = lines
    shown = table(*heads)
    for row in told:
        shown.add_row(*row)
    left = _left(lines, width)
    if left >= 0:
        # What is left is for the sentences.
        shares = (0, 0, 0, 1, 2, 2)[-len(heads) :]
        for column, least, share in zip(shown.columns, _words(lines), shares, strict=True):
            column.width = least + left * share // 5
    return shown


def _left(lines: Sequence[Sequence[str]], width: int) -> int:
    """Letters of a line that are left beside the longest words of every column."""
    return width - _GAP * len(lines[0]) + 1 - sum(_words(lines))


def _words(lines: Sequence[Sequence[str]]) -> list[int]:
    """Letters of the longest word of every column."""
    columns = zip(*lines, strict=True)
    return [max(len(word) for cell in cells for word in cell.split()) for cells in columns]


def as_data(found: DriftStudy) -> dict[str, Any]:
    """The study as JSON values."""
    parts = found.shortfall
    return {
        "strategy": found.bot.strategy,
        "drifted": found.drifted,
        "signal_match": found.comparison.signal_match,
        "candles": found.comparison.compared,
        "layers": {layer.value: count for layer, count in found.by_layer().items()},
        "trades": {
            "both": len(found.matched.both),
            "missed": len(found.matched.missed),
            "extra": len(found.matched.extra),
        },
        "shortfall_bps": {
            "delay": parts.delay,
            "execution": parts.execution,
            "fees": parts.fees,
            "exits": parts.exits,
            "missed": parts.missed,
        },
        "differences": [difference_row(each) for each in found.differences],
        "following": [difference_row(each) for each in found.following],
    }


def _bot(options: argparse.Namespace, config: dict[str, Any]) -> Record:
    path = Path(options.journal or bot_journal(options.db_url, config))
    journal = read_journal(path, options.strategy)
    _refuse_another(path, identity_of(options.db_url, config))
    engine: Engine = open_database(database_url(options.db_url, config))
    try:
        trades = read_trades(engine, engine.url.render_as_string(), journal)
    finally:
        engine.dispose()
    return Record(journal.strategy, journal.timeframe, journal.decisions, journal.settings, trades)


def _refuse_another(path: Path, identity: str | None) -> None:
    """Trade numbers of one database say nothing about another's."""
    engine = read_only(path)
    try:
        whose = owner(engine)
    finally:
        engine.dispose()
    if whose is not None and whose != identity:
        other = f"database {identity}" if identity else "one without an identity"
        raise CommandError(
            f"--journal {path} is the journal of database {whose}, and --db-url is {other}: "
            "expected both of one bot"
        )


def _show(found: DriftStudy) -> None:
    console = Console()
    for sentence in headline(found):
        console.print(f"- {sentence}", markup=False)
    if found.differences:
        rows = [difference_row(each) for each in found.differences[:_MOST_SHOWN]]
        console.print(differences(rows, console.width))
    left = len(found.differences) - _MOST_SHOWN
    if left > 0:
        console.print(f"and {left} more: --html or --json has them all")
