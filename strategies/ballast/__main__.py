"""`ballast`, or `python -m ballast`: tools that read what a run left behind or watch one that runs.

Exit code 0, or 2 with one sentence on standard error for anything that cannot be used; a command
that judges (`preflight`, `health`, `doctor`) answers 1 where its judgement is no. 130 after Ctrl+C.
"""

import argparse
import difflib
import sys
import textwrap
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NoReturn

from ballast.tooling.errors import CommandError
from ballast.version import __version__

# Modules of `ballast.commands`, imported only when they are asked for: a health check is run every
# minute.
COMMANDS = {
    "adopt": "a strategy that exists, under the layer, and whether its columns peek",
    "baseline": "what the guard EdgeDecay compares with, from a backtest",
    "compare": "strategies alone and under the layer, on the same candles",
    "completions": "commands and options that a shell completes",
    "costs": "the cost model against the fills of a bot",
    "doctor": "whether the installed Freqtrade keeps what is leaned on",
    "drift": "what a bot did against a backtest of the same candles",
    "drill": "how long each way of switching off takes, on the sandbox exchange",
    "export": "the journal as a table for a spreadsheet",
    "guards": "what the guards remember, and re-arming one by hand",
    "health": "whether a running bot still decides",
    "holdings": "which coins are yours and not the bot's",
    "latency": "how long entries took, and positions had no stop",
    "metrics": "what Prometheus is told about a running bot",
    "new": "a strategy and its test, to go on with",
    "panel": "the bot as a page on this machine",
    "preflight": "whether a bot is fit to be started",
    "report": "what speaks against a backtest, as a page, as data and in short",
    "review": "what was unusual since a moment",
    "settings": "which settings hold, where each comes from, what it may be",
    "status": "where the bot stands, on one screen",
    "stress": "strategies over periods, levels of costs and choices of pairs",
    "why": "what was decided about a pair, and how far it was from the other answer",
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise CommandError(f"{message.rstrip('.')} (see --help)")


class _Version(argparse.Action):
    """Asked for alone: Freqtrade's is looked up, not imported."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        try:
            freqtrade = version("freqtrade")
        except PackageNotFoundError:
            freqtrade = "not installed"
        sys.stdout.write(f"ballast {__version__}, Freqtrade {freqtrade}\n")
        parser.exit()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code, 130 where somebody has ended it by Ctrl+C."""
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        sys.stderr.write("\nballast: interrupted\n")
        return 130


def _run(arguments: Sequence[str] | None) -> int:
    parser = _Parser(
        prog="ballast",
        description="Tools of the risk layer.",
        epilog="`ballast COMMAND --help` has examples of each.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="of Ballast and Freqtrade")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    asked = sys.argv[1:] if arguments is None else arguments
    for name, summary in COMMANDS.items():
        command = commands.add_parser(
            name,
            help=summary,
            description=summary,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name in asked[:1]:
            module = import_module(f"ballast.commands.{name}")
            module.add_to(command)
            command.epilog = f"examples:\n{textwrap.indent(module.EXAMPLES, '  ')}"
    if not asked:
        parser.print_help(sys.stderr)
        return 2
    try:
        _check_command(asked[0])
        options = parser.parse_args(asked)
        return options.run(options) or 0
    except CommandError as error:
        sys.stderr.write(f"ballast: {error}\n")
        return 2


def _check_command(asked: str) -> None:
    if asked.startswith("-") or asked in COMMANDS:
        return
    near = difflib.get_close_matches(asked, COMMANDS, n=1, cutoff=0.5)
    meant = f": did you mean {near[0]}?" if near else ""
    raise CommandError(f"{asked} is no command{meant} (ballast --help lists all)")


# Freqtrade loads every file below a strategy folder where it is told to search all of it, this one
# by the name `__main__` too.
if __name__ == "__main__" and __package__ == "ballast":
    sys.exit(main())
