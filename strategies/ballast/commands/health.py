"""`python -m ballast health`: does the running bot still decide? For Docker and for people."""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from ballast.commands.options import add_config, add_userdir
from ballast.core.reasons import Reason
from ballast.ops.liveness import Signs, faults, signs_of
from ballast.tooling.bot_api import BotApi, BotSilent
from ballast.tooling.config_files import read_config

EXAMPLES = """\
ballast health                        exit code 0 while it decides
"""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_config(parser)
    parser.add_argument("--url", help="where the bot's API is (that of the configuration)")
    add_userdir(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """
    Say in one line whether the bot decides; 1 if it does not.

    Raises
    ------
    CommandError
        If the configuration cannot be read.
    """
    config = read_config(options.config or ["config.json"])
    user_data = Path(options.userdir or config.get("user_data_dir") or "user_data")
    try:
        api = BotApi.of(config, options.url)
        signs = signs_of(api, datetime.now(UTC), user_data, config)
    except BotSilent as error:
        sys.stdout.write(f"DEAD: {Reason.API_SILENT} {error}\n")
        return 1
    found = faults(signs)
    sys.stdout.write(f"{'DEAD: ' + '; '.join(found) if found else _well(signs)}\n")
    return int(bool(found))


def _well(signs: Signs) -> str:
    if signs.state == "stopped":
        return (
            "STOPPED by a person: no entry, no exit but the stops on the exchange; "
            "the kill file is not heard, /start and /pause are"
        )
    return f"alive: {signs.state}, newest decision {signs.decided_age_s:.0f} s after its candle"
