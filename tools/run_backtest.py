"""`make backtest`: every strategy on a generated market, with Freqtrade's own commands.

Starts the sandbox exchange, runs `freqtrade download-data` and `freqtrade backtesting` against it
and stops it again, whatever happens in between. Candles go to `<userdir>/data/sandbox`, apart from
those of a real exchange.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from sandbox.beside import SandboxNotReady, leave_when_told, running_sandbox

ROOT = Path(__file__).resolve().parents[1]
START = date(2024, 1, 1)
# What strategies look at beside the candles they trade.
HIGHER_TIMEFRAMES = ("1h", "4h", "1d")


class BacktestError(Exception):
    """The run cannot go on; its text is one sentence for the user."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code, Freqtrade's own if one of its commands fails."""
    options = _parser().parse_args(arguments)
    leave_when_told()
    try:
        strategies = options.strategies or find_strategies(options.strategy_path)
        with tempfile.TemporaryDirectory() as folder, sandbox(options, Path(folder)) as overlay:
            return _run_freqtrade(options, overlay, strategies)
    except BacktestError as error:
        sys.stderr.write(f"make backtest: {error}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("\nmake backtest: interrupted; the sandbox is stopped.\n")
        return 130


def find_strategies(folder: Path) -> list[str]:
    """Names of all strategies: one a file, named after its class; former names are left out."""
    names = sorted(
        path.stem
        for path in folder.glob("[!_]*.py")
        if "renamed_to" not in path.read_text(encoding="utf-8")
    )
    if not names:
        raise BacktestError(f"No strategy found in {folder}.")
    return names


@contextmanager
def sandbox(options: argparse.Namespace, folder: Path) -> Iterator[Path]:
    """Run the sandbox exchange; yields the config overlay that points Freqtrade at it.

    Raises
    ------
    BacktestError
        If it does not start; it has then said why in a sentence of its own.
    """
    served = ["--generate", options.seed, "--start", START.isoformat()]
    served += ["--days", str(options.days), "--port", options.port, "--trade-listed"]
    say(f"Starting the sandbox exchange: a market of {options.days} days from seed {options.seed}")
    try:
        with running_sandbox(folder, *served) as running:
            say(f"It is ready at {running.url}")
            yield running.overlay
    except SandboxNotReady as error:
        raise BacktestError(f"{error} If its port is taken, set PORT.") from None


def _run_freqtrade(options: argparse.Namespace, overlay: Path, strategies: list[str]) -> int:
    backtesting = ["backtesting", *places(options, overlay), "--cache", "none"]
    backtesting += ["--timeframe", options.timeframe]
    backtesting += ["--strategy-path", str(options.strategy_path), "--strategy-list", *strategies]
    code = download(options, overlay)
    if code == 0:
        say(f"Backtesting {', '.join(strategies)} with `freqtrade backtesting`")
        code = run_module("freqtrade", backtesting)
    return code


def places(options: argparse.Namespace, overlay: Path) -> list[str]:
    """Where configuration and candles are, as Freqtrade's options."""
    data = options.userdir / "data" / "sandbox"
    configs = ["--config", str(ROOT / "config.json"), "--config", str(overlay)]
    return [*configs, "--userdir", str(options.userdir), "--datadir", str(data)]


def download(options: argparse.Namespace, overlay: Path) -> int:
    """Fetch the market's candles; Freqtrade's exit code."""
    timeframes = list(dict.fromkeys((options.timeframe, *HIGHER_TIMEFRAMES)))
    period = f"{START:%Y%m%d}-{START + timedelta(days=options.days):%Y%m%d}"
    wanted = ["download-data", *places(options, overlay), "--erase", "--timerange", period]
    say("Downloading candles from it with `freqtrade download-data`")
    return run_module("freqtrade", [*wanted, "--timeframes", *timeframes])


def run_module(module: str, arguments: Sequence[str]) -> int:
    """Run a command of this environment in the repository's folder; its exit code."""
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603


def say(text: str) -> None:
    """A step of the run, for who watches it."""
    print(f"\n==> {text}", flush=True)


def add_market(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that say which market is generated."""
    add = parser.add_argument
    add("--port", default="8099", help="where the sandbox listens, 0 for a free port (%(default)s)")
    add("--seed", default="7", help="which market is generated (%(default)s)")
    add("--days", type=int, default=366, help="how much of it (%(default)s)")
    add("--timeframe", default="1h", help="candles that are traded (%(default)s)")
    add("--userdir", type=Path, default=ROOT / "user_data", help="Freqtrade's folder")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.run_backtest", description=__doc__)
    add_market(parser)
    add = parser.add_argument
    add("--strategy-path", type=Path, default=ROOT / "strategies", help="where strategies are")
    add("--strategies", nargs="+", metavar="NAME", help="these instead of all")
    return parser


if __name__ == "__main__":
    sys.exit(main())
