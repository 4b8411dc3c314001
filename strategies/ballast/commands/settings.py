"""`python -m ballast settings`: which settings hold, where each comes from, what it may be."""

import argparse
import json
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console

from ballast.commands.options import add_config, add_json
from ballast.config import settings
from ballast.config.described import Described, described
from ballast.config.market import MarketSettings
from ballast.tooling.config_files import read_config, sources
from ballast.tooling.errors import CommandError

EXAMPLES = """\
ballast settings                      what is set otherwise than by default
ballast settings --all                every one
ballast settings heat DailyLoss       those with one of these in their names
"""
_DEFAULT = "default"


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("words", nargs="*", metavar="WORD", help="only settings with it in them")
    parser.add_argument("--all", action="store_true", help="those that are as by default, too")
    add_config(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """
    Print them.

    Raises
    ------
    CommandError
        With one sentence for each setting that is wrong.
    """
    paths = options.config or ["config.json"]
    config = read_config(paths)
    try:
        loaded = settings.load(config.get(settings.SECTION))
    except settings.SettingsError as error:
        raise CommandError(str(error)) from None
    came = sources(paths, settings.SECTION)
    known = list(described(loaded, settings.Settings()))
    is_narrowed = options.all or options.words or options.json
    shown = [each for each in known if is_narrowed or _source(each, came) != _DEFAULT]
    if options.words:
        shown = _with_words(shown, options.words)
    if options.json:
        rows = {each.name: {**_data(each), "source": _source(each, came)} for each in shown}
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
        return
    console = Console(highlight=False)
    for each in shown:
        _show(console, each, _source(each, came))
    left = len(known) - len(shown)
    if left:
        console.print(f"{left} others are not shown (--all shows them)", style="dim")
    _show_market(console, loaded.market, config)


def _with_words(known: Sequence[Described], words: Sequence[str]) -> list[Described]:
    found = [each for each in known if any(word.lower() in each.name.lower() for word in words)]
    if not found:
        raise CommandError(f"{' '.join(words)} is in no setting's name: --all shows every one")
    return found


def _source(each: Described, came: Mapping[tuple[str, ...], str]) -> str:
    """A part of a setting may come from elsewhere than another; the last one is told."""
    found = [source for path, source in came.items() if path[: len(each.path)] == each.path]
    return found[-1] if found else _DEFAULT


def _data(each: Described) -> dict[str, Any]:
    return {
        "value": each.value,
        "default": each.default,
        "accepted": each.accepted,
        "meaning": each.meaning,
    }


def _show(console: Console, each: Described, source: str) -> None:
    value = json.dumps(each.value)
    usual = "" if each.value == each.default else f", by default {json.dumps(each.default)}"
    indent = " " * 4
    named = textwrap.fill(f"{each.name} = {value}", console.width, subsequent_indent=indent)
    console.print(named, style="bold", markup=False)
    told = f"{source}{usual}; {each.accepted}{f': {each.meaning}' if each.meaning else ''}"
    text = textwrap.fill(told, console.width, initial_indent=indent, subsequent_indent=indent)
    console.print(text, markup=False)


def _show_market(console: Console, market: MarketSettings, config: Mapping[str, Any]) -> None:
    """What the whitelist means for the market that rules are judged by."""
    whitelist = (config.get("exchange") or {}).get("pair_whitelist") or []
    leader = market.leading(config.get("stake_currency") or "USDT")
    basket = "the whitelist" if market.basket is None else f"{len(market.basket)} pairs of its own"
    console.print(f"\nmarket: leader {leader}, basket {basket}; {len(whitelist)} pairs are traded")
    differs = market.unlike(whitelist)
    if differs:
        console.print(f"warning: {differs}", style="yellow", markup=False)
