"""`make backtest`: every strategy on a generated market, with Freqtrade's own commands.

Starts the sandbox exchange, runs `freqtrade download-data` and `freqtrade backtesting` against it
and stops it again, whatever happens in between. Candles go to `<userdir>/data/sandbox`, apart from
those of a real exchange, and what the commands say to `<userdir>/logs/backtest.log`.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from ballast.commands.progress import progress
from ballast.research.report.wording import number, percent, share
from sandbox.beside import SandboxNotReady, leave_when_told, running_sandbox
from sandbox.sources import DEFAULT_DAYS, DEFAULT_START

ROOT = Path(__file__).resolve().parents[1]
START = DEFAULT_START.date()
# What strategies look at beside the candles they trade.
HIGHER_TIMEFRAMES = ("1h", "4h", "1d")
_FRAME_DONE = re.compile(r"Downloaded data for ")
_STRATEGY_BEGUN = re.compile(r"Running backtesting for Strategy ")
# Lines of a command that fails.
_LAST_WORDS = 12


class BacktestError(Exception):
    """The run cannot go on; its text is one sentence for the user."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code, Freqtrade's own if one of its commands fails."""
    options = _parser().parse_args(arguments)
    leave_when_told()
    try:
        strategies = options.strategies or find_strategies(options.strategy_path)
        with tempfile.TemporaryDirectory() as folder, sandbox(options, Path(folder)) as overlay:
            return _backtest(options, overlay, strategies)
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
        raise BacktestError(str(error)) from None


def _backtest(options: argparse.Namespace, overlay: Path, strategies: list[str]) -> int:
    """The quiet way through: candles, results, what speaks against them, and what to do next."""
    code = download(options, overlay)
    if code:
        return code
    say(f"Backtesting {len(strategies)} strategies with `freqtrade backtesting`")
    wanted = ["backtesting", *places(options, overlay), "--cache", "none"]
    wanted += ["--timeframe", options.timeframe]
    wanted += ["--strategy-path", str(options.strategy_path), "--strategy-list", *strategies]
    code = run_quietly(
        "freqtrade", wanted, log_of(options), Steps(_STRATEGY_BEGUN, len(strategies))
    )
    return code or _judge(options)


def _judge(options: argparse.Namespace) -> int:
    """The report of the result, as a page and as one table."""
    page = options.userdir / "report.html"
    say(f"Judging them: {shown(page)}")
    where = [] if options.userdir == ROOT / "user_data" else ["--userdir", str(options.userdir)]
    wanted = ["report", *where, "--html", str(page), "--json"]
    command = [sys.executable, "-m", "ballast", *wanted]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    if told.returncode:
        sys.stderr.write(told.stderr)
        return told.returncode
    console = Console(width=80)
    console.print(_table(json.loads(told.stdout)))
    for line in _next(where, page):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return 0


def _table(judged: Mapping[str, Any]) -> Table:
    """One row a strategy."""
    table = Table(caption="a generated market; serious: what speaks against it, see the report")
    table.add_column("strategy")
    for head in ("trades", "return", "drawdown", "profit factor", "serious"):
        table.add_column(head, justify="right")
    for name, found in judged.items():
        run, factor = found["run"], found["profit_factor"]
        table.add_row(
            name,
            f"{run['trades']:,}",
            percent(run["total_return"]),
            share(run["max_drawdown"], 1),
            "-" if factor is None else number(factor, 1),
            str(sum(finding["severity"] == "alarm" for finding in found["findings"])),
        )
    return table


def _next(where: list[str], page: Path) -> list[str]:
    """What to do now, as it can be typed."""
    report = shlex.join([*ballast_command(), "report", *where, "--html", shown(page)])
    commands = {
        report: "what speaks against each",
        "make compare": "a strategy alone and under the layer",
        "make paper": "a week of paper trading in minutes, with FreqUI",
    }
    return ["", "Next:", *(f"  {command}  # {what}" for command, what in commands.items())]


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
    listed = json.loads((ROOT / "config.json").read_text(encoding="utf-8"))
    count = len(listed["exchange"]["pair_whitelist"]) * len(timeframes)
    wanted += ["--timeframes", *timeframes]
    return run_quietly("freqtrade", wanted, log_of(options), Steps(_FRAME_DONE, count), anew=True)


def log_of(options: argparse.Namespace) -> Path:
    """Where Freqtrade's commands say what they do."""
    return Path(options.userdir) / "logs" / "backtest.log"


@dataclass(frozen=True)
class Steps:
    """What a command says at each of its steps, and how many there are."""

    said: re.Pattern[str]
    count: int


def run_quietly(
    module: str, arguments: Sequence[str], log: Path, steps: Steps, *, anew: bool = False
) -> int:
    """
    Run a command of this environment with a bar; what it says goes to a log.

    Its exit code; where it fails, its last words are shown.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", module, *arguments]
    last: deque[str] = deque(maxlen=_LAST_WORDS)
    with (
        log.open("w" if anew else "a", encoding="utf-8") as kept,
        subprocess.Popen(  # noqa: S603
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
        progress("   ", steps.count) as tell,
    ):
        try:
            done = 0
            for line in process.stdout or ():
                kept.write(line)
                last.append(line)
                done += bool(steps.said.search(line))
                tell(min(done, steps.count))
        except BaseException:
            process.terminate()
            raise
    if process.returncode:
        sys.stderr.write("".join(last) + f"\nAll that it said: {shown(log)}\n")
    return process.returncode


def run_module(module: str, arguments: Sequence[str]) -> int:
    """Run a command of this environment in the repository's folder; its exit code."""
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode  # noqa: S603


def ballast_command() -> list[str]:
    """`ballast` of this environment, as it is typed from the repository's folder."""
    python = Path(sys.executable)
    script = python.with_name("ballast")
    return [shown(script)] if script.is_file() else [shown(python), "-m", "ballast"]


def shown(path: Path) -> str:
    """A path as it is typed from the repository's folder."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def say(text: str) -> None:
    """A step of the run, for who watches it."""
    print(f"==> {text}", flush=True)


def add_market(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments that say which market is generated."""
    add = parser.add_argument
    add("--port", default="0", help="where the sandbox listens (a free port)")
    add("--seed", default="7", help="which market is generated (%(default)s)")
    add("--days", type=int, default=DEFAULT_DAYS, help="how much of it (%(default)s)")
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
