"""What commands that run backtests ask for: strategies, candles, and an exchange's markets."""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from freqtrade.configuration import TimeRange
from freqtrade.exceptions import FreqtradeException

from ballast.commands.options import add_config, add_userdir
from ballast.research.backtests import markets_of
from ballast.research.report.candles import GENERATED
from ballast.tooling.config_files import read_config
from ballast.tooling.errors import CommandError

_PLACE = Path("user_data")


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_places(parser)
    help_text = "take markets and fees from the sandbox exchange"
    parser.add_argument("--offline", action="store_true", help=help_text)


def add_places(parser: argparse.ArgumentParser) -> None:
    """Declare where things are, by the names that Freqtrade has for it."""
    add = parser.add_argument
    add_config(parser)
    add_userdir(parser)
    add("--strategy-path", metavar="FOLDER", help="strategies (that of the configuration)")
    add("-d", "--datadir", metavar="FOLDER", help="candles (user_data/data/EXCHANGE)")


def add_choice(parser: argparse.ArgumentParser) -> None:
    """Declare which candles, by the names that Freqtrade has for it."""
    add = parser.add_argument
    add("-p", "--pairs", nargs="+", metavar="PAIR", help="these (the configuration's)")
    add("-i", "--timeframe", help="candles that are traded (the configuration's or strategy's)")
    add("--timerange", default="", metavar="RANGE", help="such as 20200101-20210101")


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """Declare how many run at a time."""
    jobs, text = os.cpu_count() or 1, "at a time (%(default)s)"
    parser.add_argument("--jobs", type=int, default=jobs, metavar="N", help=text)


def check_numbers(options: argparse.Namespace, **least: int) -> None:
    """
    Refuse numbers that are too small.

    Parameters
    ----------
    least : int
        The smallest that an option of that name takes.

    Raises
    ------
    CommandError
    """
    for name, smallest in least.items():
        value = getattr(options, name)
        if value < smallest:
            raise CommandError(f"--{name} is {value}: expected a whole number from {smallest}")


def read_choice(options: argparse.Namespace) -> dict[str, Any]:
    """
    Freqtrade's configuration, with the candles that were chosen.

    Raises
    ------
    CommandError
        If it cannot be read, or names no pair, or the range is none.
    """
    config = read_config(options.config or ["config.json"])
    exchange = config.get("exchange") or {}
    if "name" not in exchange:
        raise CommandError("the configuration's exchange.name is missing: expected one's name")
    pairs = options.pairs or exchange.get("pair_whitelist") or []
    if not pairs:
        raise CommandError(
            "the configuration's exchange.pair_whitelist is empty: expected pairs, or --pairs"
        )
    check_timerange("--timerange", options.timerange)
    if options.timeframe:
        config["timeframe"] = options.timeframe
    config["exchange"] = {**exchange, "pair_whitelist": list(dict.fromkeys(pairs))}
    return config


def check_timerange(option: str, timerange: str) -> None:
    """
    Refuse what is no time range.

    Raises
    ------
    CommandError
    """
    try:
        TimeRange.parse_timerange(timerange or None)
    except FreqtradeException:
        raise CommandError(
            f"{option} {timerange}: expected a time range such as 20200101-20210101"
        ) from None


def strategy_folder(options: argparse.Namespace, config: dict[str, Any]) -> Path:
    """Where the strategies are."""
    usual = config.get("strategy_path") or _user_folder(options, config) / "strategies"
    return Path(options.strategy_path or usual)


def candle_folder(options: argparse.Namespace, config: dict[str, Any]) -> Path:
    """Where the candles are: the generated market's where the exchange has none, which is said."""
    own = own_candles(options, config)
    if options.datadir or holds_candles(own):
        return own
    generated = own.with_name(GENERATED)
    if not holds_candles(generated):
        return own
    sys.stderr.write(f"no candles are in {own}: those of the generated market, {generated}\n")
    return generated


def own_candles(options: argparse.Namespace, config: dict[str, Any]) -> Path:
    """Where the exchange's candles are, whether there are any or not."""
    name = (config.get("exchange") or {}).get("name", "binance")
    return Path(options.datadir or _user_folder(options, config) / "data" / name.lower())


def holds_candles(folder: Path) -> bool:
    """Whether there is anything in a folder of candles."""
    return folder.is_dir() and any(folder.iterdir())


def is_generated(folder: Path) -> bool:
    """Whether a folder has candles of the generated market, which tell nothing of a real one."""
    return folder.name == GENERATED


def _user_folder(options: argparse.Namespace, config: dict[str, Any]) -> Path:
    return Path(options.userdir or config.get("user_data_dir") or _PLACE)


def markets(
    options: argparse.Namespace, config: dict[str, Any], datadir: Path, pairs: Sequence[str]
) -> dict[str, Any]:
    """
    Markets and fees of pairs; of the configured exchange, or of the sandbox.

    Raises
    ------
    CommandError, TaskError
    """
    with _asked(options.offline, config, datadir) as asked:
        known = f"the sandbox, which serves {datadir}," if options.offline else ""
        return markets_of(asked, pairs, known)


@contextmanager
def _asked(offline: bool, config: dict[str, Any], datadir: Path) -> Iterator[dict[str, Any]]:
    """The configuration whose exchange tells the markets."""
    if not offline:
        yield config
        return
    try:
        from sandbox.beside import SandboxNotReady, running_sandbox
    except ImportError:
        raise CommandError(
            "--offline needs the sandbox exchange: run it in the folder of this repository"
        ) from None
    served = ("--data", str(datadir.resolve()))
    try:
        with (
            tempfile.TemporaryDirectory() as name,
            running_sandbox(Path(name), *served) as exchange,
        ):
            yield {**config, **read_config([str(exchange.overlay)])}
    except SandboxNotReady as error:
        raise CommandError(str(error)) from None
