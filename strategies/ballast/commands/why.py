"""`python -m ballast why`: what was decided about a pair at a candle, and how far it was from the
other answer; or the life of one trade."""

import argparse
import sys
from datetime import UTC, datetime, timedelta

from rich.console import Console

from ballast.commands import life, show
from ballast.commands.journals import journal_file, opened, pair_of, parse_time
from ballast.commands.options import add_journal, config_of
from ballast.core.times import candle_border
from ballast.core.windows import minutes
from ballast.journal.reader import Reader, Row
from ballast.tooling.errors import CommandError

EXAMPLES = """\
ballast why SOL/USDT                        by the last candle
ballast why sol --at '2024-02-27 23:00'     by the candle that had ended then
ballast why --trade 3                       the life of a trade
"""
_SHOWN = "%Y-%m-%d %H:%M"


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("pair", metavar="PAIR", nargs="?", help="such as BTC/USDT, or BTC")
    parser.add_argument(
        "--at", metavar="TIME", help="by the candle that had ended then (UTC), '2024-03-01 14:00'"
    )
    parser.add_argument("--trade", metavar="ID", type=int, help="the life of this trade instead")
    parser.add_argument(
        "--recompute", action="store_true", help="from stored candles, not from the journal"
    )
    parser.add_argument("-d", "--datadir", metavar="FOLDER", help="candles for --recompute")
    add_journal(parser)
    parser.set_defaults(run=run)


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
    moment = _moment(options.at)
    config = config_of(options)
    console = Console(highlight=False)
    if options.trade is not None:
        with opened(options, config) as reader:
            life.show(console, reader, options.trade)
        return
    path = journal_file(options, config)
    is_asked_for = options.journal or options.backtest or options.db_url
    if options.recompute or not (is_asked_for or path.is_file()):
        if not options.recompute:
            sys.stderr.write(f"there is no journal {path}: working it out from stored candles\n")
        row, candles = _recomputed(options, moment)
        rules = f"worked out from {candles} by the rules of {row.strategy}; "
        rules += "guards of the account are not known"
        show.decision(console, row, rules)
        return
    with opened(options, config) as reader:
        show.decision(console, _from_journal(reader, options.pair, moment), f"journal {path.name}")


def _moment(asked: str | None) -> datetime | None:
    if asked is None:
        return None
    moment, now = parse_time(asked), datetime.now(UTC)
    if moment > now:
        raise CommandError(
            f"--at {asked} is in the future: expected a moment up to now, {now:{_SHOWN}} UTC"
        )
    return moment


def _from_journal(reader: Reader, asked: str, moment: datetime | None) -> Row:
    pair = pair_of(reader, asked)
    covered = reader.pairs()[pair]
    candle = timedelta(minutes=minutes(covered.timeframe))
    wanted = covered.last if moment is None else candle_border(moment, candle) - candle
    row = reader.row(pair, wanted)
    if row is None or row.decision.candle != wanted:
        ends = f"{covered.first + candle:{_SHOWN}} to {covered.last + candle:{_SHOWN}}"
        raise CommandError(
            f"--at: the journal has no row of {pair} for the candle that ended "
            f"{wanted + candle:{_SHOWN}} UTC; it covers {ends} (--recompute works it out from "
            "stored candles)"
        )
    return row


def _recomputed(options: argparse.Namespace, moment: datetime | None) -> tuple[Row, str]:
    """The decision, and the candles that it is worked out from."""
    # Freqtrade and pandas are imported where they are needed alone.
    from ballast.commands.backtest_options import candle_folder, is_generated
    from ballast.commands.recompute import load_config, of_stored_pairs, recomputed

    folder = candle_folder(options, config_of(options))
    wanted = {"config": options.config or ["config.json"]}
    given = {
        "strategy": options.strategy,
        "user_data_dir": options.userdir,
        "datadir": str(folder),
    }
    config = load_config(wanted | {name: value for name, value in given.items() if value})
    # `make backtest` traded all of that market, and judged it by all of it.
    config, missing = of_stored_pairs(config, every=is_generated(folder))
    whitelist = config["exchange"]["pair_whitelist"]
    if missing and whitelist:
        sys.stderr.write(f"no candles are stored of {', '.join(missing)}: they are left out\n")
    pair = _listed([*whitelist, *missing], options.pair)
    candles = "candles of the generated market" if is_generated(folder) else "stored candles"
    return recomputed(config, pair, moment), candles


def _listed(whitelist: list[str], asked: str) -> str:
    """A pair as Freqtrade writes it: of the whitelist where only its currency was said."""
    wanted = asked.strip().upper()
    if "/" in wanted:
        return wanted
    found = [pair for pair in whitelist if pair.partition("/")[0] == wanted]
    if len(found) != 1:
        known = ", ".join(whitelist)
        raise CommandError(f"{asked} is not one pair of the whitelist: expected one of {known}")
    return found[0]
