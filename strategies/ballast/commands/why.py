"""`python -m ballast why`: what was decided about a pair at a candle, and how far it was from the
other answer; or the life of one trade."""

import argparse
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from freqtrade.exceptions import FreqtradeException
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from ballast.commands import life, show
from ballast.commands.recompute import load_config, recomputed
from ballast.core.times import candle_border
from ballast.core.windows import minutes
from ballast.journal.file import journal_path
from ballast.journal.reader import Reader, Row
from ballast.tooling.errors import CommandError
from ballast.tooling.journals import bot_journal, journal_settings


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("pair", metavar="PAIR", nargs="?", help="such as BTC/USDT")
    parser.add_argument(
        "--at", metavar="TIME", help="by the candle that had ended then (UTC), '2024-03-01 14:00'"
    )
    parser.add_argument("--trade", metavar="ID", type=int, help="the life of this trade instead")
    parser.add_argument("--backtest", action="store_true", help="of the last backtest, not the bot")
    parser.add_argument(
        "--recompute", action="store_true", help="from stored candles even if there is a journal"
    )
    add_places(parser)
    parser.set_defaults(run=run)


def add_places(parser: argparse.ArgumentParser) -> None:
    """Where the bot is; as for Freqtrade's own commands."""
    parser.add_argument("-c", "--config", action="append", help="Freqtrade's (config.json)")
    parser.add_argument("--strategy", help="that of the configuration")
    parser.add_argument("--userdir", dest="user_data_dir", help="Freqtrade's folder (user_data)")
    parser.add_argument("--datadir", help="folder of stored candles (that of the configuration)")
    parser.add_argument("--db", metavar="URL", help="the bot's database (the configuration's)")
    parser.add_argument("--journal", metavar="FILE", help="another journal than the bot's")


def run(options: argparse.Namespace) -> None:
    """
    Print the answer.

    Raises
    ------
    CommandError
        With one sentence for what cannot be used.
    """
    if (options.pair is None) == (options.trade is None):
        raise CommandError("expected a PAIR such as BTC/USDT, or --trade ID")
    config = config_of(options)
    console = Console(highlight=False)
    if options.trade is not None:
        reader = open_journal(options, config)
        try:
            life.show(console, reader, options.trade)
        finally:
            reader.close()
        return
    moment = parse_time(options.at) if options.at else None
    row = None if options.recompute else _from_journal(options, config, moment)
    source = "from the journal"
    if row is None:
        row, source = recomputed(config, options.pair, moment), "worked out from stored candles"
    show.decision(console, row, source)


def config_of(options: argparse.Namespace) -> dict[str, Any]:
    """The bot's configuration."""
    wanted = {"config": options.config or ["config.json"]}
    for path in wanted["config"]:
        if not Path(path).is_file():
            raise CommandError(f"--config {path} is not a file: expected Freqtrade's config.json")
    for name in ("strategy", "user_data_dir", "datadir"):
        if getattr(options, name):
            wanted[name] = getattr(options, name)
    return load_config(wanted)


def journal_file(options: argparse.Namespace, config: dict[str, Any]) -> Path:
    """Where the journal that is asked for lies."""
    if options.journal:
        return Path(options.journal)
    if options.backtest:
        return journal_path(config, journal_settings(config), None, backtest=True)
    return bot_journal(options.db, config)


def open_journal(options: argparse.Namespace, config: dict[str, Any]) -> Reader:
    """
    The journal that is asked for.

    Raises
    ------
    CommandError
        If there is none, or it cannot be read.
    """
    path = journal_file(options, config)
    if not path.is_file():
        raise CommandError(
            f"there is no journal {path}: expected that of a bot that has run, or of a backtest "
            'with "ballast": {"journal": {"backtest": true}}'
        )
    try:
        # A bot is often started with another strategy than the configuration's.
        return Reader(path, options.strategy)
    except SQLAlchemyError as error:
        raise CommandError(
            f"the journal {path} cannot be read: {str(error).splitlines()[0]}"
        ) from None


def parse_time(text: str) -> datetime:
    """
    A moment in UTC.

    Raises
    ------
    CommandError
        If it is none.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(
            f"{text!r} is no time: expected one such as '2024-03-01 14:00' (UTC)"
        ) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _from_journal(
    options: argparse.Namespace, config: dict[str, Any], moment: datetime | None
) -> Row | None:
    """The row of exactly the candle that is asked for, or None."""
    if not journal_file(options, config).is_file():
        return None
    reader = open_journal(options, config)
    try:
        newest = reader.row(options.pair, None)
        if newest is None or moment is None:
            return newest
        candle = timedelta(minutes=minutes(newest.timeframe))
        wanted = candle_border(moment, candle) - candle
        row = reader.row(options.pair, wanted)
        return row if row is not None and row.decision.candle == wanted else None
    except (SQLAlchemyError, FreqtradeException) as error:
        raise CommandError(f"the journal cannot be read: {str(error).splitlines()[0]}") from None
    finally:
        reader.close()
