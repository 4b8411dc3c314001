"""Options that several commands have, each by one name: Freqtrade's where it has one."""

import argparse
from pathlib import Path
from typing import Any

from ballast.tooling.config_files import read_config


def add_config(parser: argparse.ArgumentParser, default: Any = None) -> None:
    """Freqtrade's configuration, as often as for `trade`."""
    parser.add_argument(
        "-c",
        "--config",
        action="append",
        default=default,
        metavar="FILE",
        help="Freqtrade's configuration, as often as for `trade` (config.json)",
    )


def add_database(parser: argparse.ArgumentParser, default: Any = None) -> None:
    """The bot's database."""
    parser.add_argument(
        "--db-url",
        default=default,
        metavar="URL",
        help="the bot's database (that of the configuration)",
    )


def add_userdir(parser: argparse.ArgumentParser) -> None:
    """Freqtrade's folder."""
    parser.add_argument(
        "--userdir", "--user-data-dir", metavar="FOLDER", help="Freqtrade's own (user_data)"
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """An answer for programs."""
    parser.add_argument("--json", action="store_true", help="print the answer for programs")


def add_since(parser: argparse.ArgumentParser, usual: str) -> None:
    """From when on, as `journals.parse_since` reads it."""
    parser.add_argument(
        "--since", metavar="TIME", help=f"a moment (UTC), or a length such as 12h or 7d ({usual})"
    )


def add_journal(parser: argparse.ArgumentParser) -> None:
    """Which journal: that of a bot, of the last backtest, or a file."""
    add_config(parser)
    add_userdir(parser)
    add_database(parser)
    parser.add_argument("--journal", metavar="FILE", help="another journal than the bot's")
    parser.add_argument("--strategy", metavar="NAME", help="which, where the journal has several")
    parser.add_argument("--backtest", action="store_true", help="of the last backtest, not the bot")


def config_of(options: argparse.Namespace) -> dict[str, Any]:
    """
    The bot's configuration; with a journal that is named none is needed.

    Raises
    ------
    CommandError
        If it cannot be read.
    """
    is_named = options.config is None and getattr(options, "journal", None)
    if is_named and not Path("config.json").is_file():
        return {}
    config = read_config(options.config or ["config.json"])
    if getattr(options, "userdir", None):
        config["user_data_dir"] = options.userdir
    return config
