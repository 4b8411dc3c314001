"""`python -m ballast costs`: the cost model against the fills that a bot's journal accounts for."""

import argparse
from datetime import timedelta

from rich.console import Console

from ballast.commands import drift
from ballast.commands.tables import table
from ballast.research.backtests import TaskError
from ballast.research.drift.calibration import calibrated
from ballast.tooling.config_files import read_config
from ballast.tooling.errors import CommandError

EXAMPLES = """\
ballast costs                         the bot of config.json
ballast costs --level stressed
"""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments: those that say which bot, and which level it is held against."""
    drift.add_bot(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """
    Show recorded and modelled costs of the fills that were in time.

    Raises
    ------
    CommandError
        With one sentence for what cannot be used.
    """
    try:
        found = drift.studied(options, read_config(options.config or ["config.json"]))
    except TaskError as error:
        raise CommandError(str(error)) from None
    late = timedelta(seconds=options.late)
    fills = [fill for fill in found.matched.fills() if fill.in_time(late)]
    if not fills:
        raise CommandError("the bot has no fill in time that its replay has as well")
    shown = table("fills", "count", "recorded, bps", "modelled, bps", "difference, 90 %", "so")
    for row in calibrated(fills):
        interval = f"{row.low:+.1f} to {row.high:+.1f}" if row.low == row.low else ""
        means = (f"{row.recorded:.1f}", f"{row.modelled:.1f}")
        shown.add_row(row.name, str(row.fills), *means, interval, row.says)
    Console().print(shown)
