"""What commands that run backtests ask for: strategies, candles, and an exchange's markets."""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ballast.research.backtests import markets_of
from ballast.tooling.database import read_config
from ballast.tooling.errors import CommandError


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add("-c", "--config", action="append", help="Freqtrade's configuration (config.json)")
    add("--strategy-path", metavar="FOLDER", help="strategies (that of the configuration)")
    add("--datadir", metavar="FOLDER", help="candles (user_data/data/EXCHANGE)")
    add("--offline", action="store_true", help="take markets and fees from the sandbox exchange")


def strategy_folder(options: argparse.Namespace, config: dict[str, Any]) -> Path:
    """Where the strategies are."""
    return Path(options.strategy_path or config.get("strategy_path") or "user_data/strategies")


def candle_folder(options: argparse.Namespace, config: dict[str, Any]) -> Path:
    """Where the candles are."""
    return Path(options.datadir or Path("user_data/data") / config["exchange"]["name"])


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
        return markets_of(asked, pairs)


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
