"""`python -m ballast drill`: how long each way of switching off takes, on the sandbox exchange."""

import argparse
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ballast.commands.options import add_config
from ballast.commands.tables import table
from ballast.ops.drill import DrillFailed, Result, rehearse
from ballast.tooling.bot_api import BotSilent
from ballast.tooling.config_files import read_config
from ballast.tooling.errors import CommandError

_STRATEGIES = Path(__file__).resolve().parents[2]

EXAMPLES = """\
ballast drill                         every way of switching off
"""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_config(parser)
    parser.add_argument("--keep", metavar="DIR", type=Path, help="keep logs and database there")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """
    Rehearse every way and print a table; 1 if one did not do what it is meant to.

    Raises
    ------
    CommandError
        If the rehearsal cannot be carried out.
    """
    if find_spec("sandbox") is None:
        raise CommandError("the drill needs the sandbox exchange: run it in the repository")
    config = read_config(options.config or ["config.json"])
    console = Console()
    console.print("A bot buys on the sandbox and is switched off, seven times: four minutes.")
    folder = Path(tempfile.mkdtemp(prefix="ballast-drill-"))
    results: list[Result] = []
    try:
        for result in rehearse(config, _STRATEGIES, folder):
            results.append(result)
            console.print(f"  {result.way}: {_outcome(result)}", markup=False)
    except (DrillFailed, BotSilent) as error:
        raise CommandError(f"the drill ended early: {error}") from None
    finally:
        if options.keep is not None:
            shutil.copytree(folder, options.keep, dirs_exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
    console.print(_table(results))
    console.print(
        "Whether alerts reach you is rehearsed apart: docs/runbook.md, 'Is anybody told?'"
    )
    return int(not all(result.is_as_meant for result in results))


def _outcome(result: Result) -> str:
    if result.seconds is not None:
        return f"no exposure after {result.seconds:.1f} s"
    return f"{result.held} positions stay, {result.stops} stops rest on the exchange"


def _table(results: list[Result]) -> Table:
    shown = table("switched off by", "seconds until no exposure", "positions kept", "stops resting")
    for result in results:
        seconds = "-" if result.seconds is None else f"{result.seconds:.1f}"
        shown.add_row(result.way, seconds, str(result.held), str(result.stops))
    return shown
