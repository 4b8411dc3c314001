"""`python -m ballast preflight`: is the bot of this configuration fit to be started?"""

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

from freqtrade.configuration import Configuration, validate_config_consistency
from freqtrade.constants import Config
from freqtrade.enums import RunMode
from freqtrade.exceptions import FreqtradeException
from freqtrade.resolvers import StrategyResolver
from rich.console import Console

from ballast.commands.options import add_config, add_json
from ballast.core.redaction import Redactor
from ballast.core.wording import one_line
from ballast.ops.preflight import inspect
from ballast.ops.preflight.check import Bot, CheckResult, Level
from ballast.tooling.errors import CommandError
from ballast.tooling.quiet import quiet

_STYLES = {Level.PASS: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}
# What Freqtrade's `trade` is told about the same things, by the names of its arguments.
_AS_TRADE = {
    "strategy": "the strategy (that of the configuration)",
    "strategy_path": "folder of strategies (that of the configuration)",
    "user_data_dir": "Freqtrade's folder (user_data)",
    "db_url": "the database (that of the configuration)",
}

EXAMPLES = """\
ballast preflight -c config.json -c private.json
"""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_config(parser)
    for name, summary in _AS_TRADE.items():
        option = "--userdir" if name == "user_data_dir" else f"--{name.replace('_', '-')}"
        parser.add_argument(option, dest=name, help=summary)
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """
    Print what every check found; 1 if any of them failed.

    Raises
    ------
    CommandError
        If the configuration or the strategy cannot be loaded.
    """
    with quiet():
        bot = _bot(options)
        found = inspect(bot)
    level = _gravest([finding for _, finding in found])
    if options.json:
        sys.stdout.write(json.dumps(_as_json(bot, level, found), indent=2) + "\n")
    else:
        _print(bot, level, found)
    return int(level is Level.FAIL)


class _Unlogged(Configuration):
    """Opens no log: one that cannot be written is what preflight is to find, not to fail at."""

    def _process_logging_options(self, config: Config) -> None:
        config["verbosity"] = 0


def _bot(options: argparse.Namespace) -> Bot:
    given = {name: getattr(options, name) for name in _AS_TRADE}
    arguments: dict[str, Any] = {name: value for name, value in given.items() if value}
    config: dict[str, Any] = {}
    try:
        files = options.config or ["config.json"]
        config = _Unlogged({**arguments, "config": files}, None).get_config()
        # The strategy first, as `trade` does it: it states what the configuration leaves open.
        mode, config["runmode"] = config["runmode"], RunMode.UTIL_EXCHANGE
        # What it refuses to trade with, one thing at a time, is found by the checks all at once.
        strategy = StrategyResolver.load_strategy(config)
        config["runmode"] = mode
        validate_config_consistency(config)
        return Bot(config, strategy)
    except (FreqtradeException, ImportError, ValueError, OSError, KeyError) as error:
        reason = Redactor(config).text(one_line(error))
        raise CommandError(f"the bot cannot be loaded: {reason}") from None


def _gravest(findings: Sequence[CheckResult]) -> Level:
    levels = {finding.level for finding in findings}
    return next(level for level in (Level.FAIL, Level.WARN, Level.PASS) if level in levels)


def _as_json(bot: Bot, level: Level, found: Sequence[tuple[str, CheckResult]]) -> dict[str, Any]:
    checks = [
        {"check": name, "level": one.level, "what": one.what, "todo": one.todo}
        for name, one in found
    ]
    return {"level": level, "live": bot.live, "checks": checks}


def _print(bot: Bot, level: Level, found: Sequence[tuple[str, CheckResult]]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    title = "L I V E :  R E A L   M O N E Y" if bot.live else "P A P E R   T R A D I N G"
    style = "bold white on red" if bot.live else "bold"
    console.print(f"\n    {title}\n", style=style, markup=False)
    for name, finding in found:
        text = f"{finding.level.upper():<5} {name}: {finding.what}"
        console.print(text, style=_STYLES[finding.level], markup=False)
        if finding.todo:
            console.print(f"      -> {finding.todo}", markup=False)
    said = {
        Level.PASS: "fit to start",
        Level.WARN: "may start; see the warnings",
        Level.FAIL: "must NOT start",
    }
    console.print(f"\n{said[level]}", style=_STYLES[level], markup=False)
