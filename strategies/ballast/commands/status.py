"""`python -m ballast status`: where the bot stands, on one screen."""

import argparse
import json
import sys
from datetime import UTC, datetime

from rich.console import Console

from ballast.commands.journals import opened
from ballast.commands.options import add_journal, add_json, config_of
from ballast.core.account import State
from ballast.core.status import lines
from ballast.journal.rows import account_data
from ballast.journal.views import status_of
from ballast.tooling.errors import CommandError

EXAMPLES = """\
ballast status                        the bot of config.json
ballast status --json                 the same for programs
watch -n 60 ballast status            kept on the screen
"""
_STYLES = {State.ACTIVE: "bold green", State.REDUCING: "bold yellow", State.HALTED: "bold red"}


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_journal(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """
    Print the screen.

    Raises
    ------
    CommandError
        With one sentence for what cannot be used.
    """
    with opened(options, config_of(options)) as reader:
        status = status_of(reader, None if options.backtest else datetime.now(UTC))
    if status.account is None:
        raise CommandError(
            "the journal does not tell of the account: expected that of a bot that has judged a "
            "candle since this version"
        )
    if options.json:
        data = {"strategy": status.strategy, "timeframe": status.timeframe}
        data |= account_data(status.account)
        sys.stdout.write(json.dumps(data) + "\n")
        return
    console = Console(highlight=False)
    first, when, *rest = lines(status)
    console.print(first, style=_STYLES[status.account.state], markup=False)
    console.print(when, style="bold red" if status.late else "dim", markup=False)
    for line in rest:
        console.print(line, markup=False)
