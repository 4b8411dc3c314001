"""`python -m ballast new`: a strategy and its test, to be gone on with."""

import argparse
import importlib.resources
import keyword
import re
import sys
from pathlib import Path
from typing import Any

import ballast
from ballast.commands import backtest_options
from ballast.tooling import files
from ballast.tooling.config_files import read_config
from ballast.tooling.errors import CommandError
from ballast.tooling.typed import here, typed

EXAMPLES = """\
ballast new Momentum                  strategies/Momentum.py and its test
ballast new MyTrend --like supertrend     from an example
"""
_EXAMPLES = Path(ballast.__file__).resolve().parents[2] / "examples"
_TEMPLATES = importlib.resources.files("ballast") / "commands" / "templates"


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("name", metavar="NAME", help="of its class and file, such as Momentum")
    parser.add_argument(
        "--like",
        metavar="EXAMPLE",
        help="begin with an example of the repository, such as supertrend",
    )
    backtest_options.add_places(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """
    Write both files, and say what to do next.

    Raises
    ------
    CommandError
        With one sentence for what cannot be used; nothing is written then.
    """
    name = options.name
    if not name.isidentifier() or keyword.iskeyword(name) or name.startswith("_"):
        raise CommandError(
            f"{name!r} names no class: expected letters, digits and underscores, such as Momentum"
        )
    if name[0].islower():
        wanted = name[0].upper() + name[1:]
        raise CommandError(
            f"{name!r} begins with a small letter: expected the name of a class, such as {wanted}"
        )
    folder = _folder(options)
    # Not below the strategies: FreqUI loads every file there.
    strategy, test = folder / f"{name}.py", folder.parent / "tests" / f"test_{name.lower()}.py"
    text = _like(options.like, name) if options.like else _filled("strategy", name)
    for path in (strategy, test):
        if path.exists():
            raise CommandError(f"{path} is there already: choose another name, or move it")
    files.write(strategy, text)
    files.write(test, _filled("test", name).replace("FOLDER", folder.name))
    sys.stdout.write(f"{strategy} and {test} are written. Next:\n")
    for command in (f"{typed('python')} -m pytest {here(test)}", _backtest(options, name, folder)):
        sys.stdout.write(f"  {command}\n")


def _backtest(options: argparse.Namespace, name: str, folder: Path) -> str:
    """A backtest of the strategy, as it can be run with the candles that there are."""
    config = _config(options)
    where = "" if folder == _usual_folder(config) else f" --strategy-path {here(folder)}"
    own = backtest_options.own_candles(options, config)
    if not backtest_options.holds_candles(own) and Path("tools/run_backtest.py").is_file():
        # In the repository without an exchange's candles: on the generated market.
        return f"{typed('python')} -m tools.run_backtest --strategies {name}{where}"
    return f"{typed('freqtrade')} backtesting -c config.json --strategy {name}{where}"


def _config(options: argparse.Namespace) -> dict[str, Any]:
    known = options.config or (["config.json"] if Path("config.json").is_file() else None)
    return read_config(known) if known else {}


def _folder(options: argparse.Namespace) -> Path:
    """Where strategies are: as the option says, or the configuration."""
    return backtest_options.strategy_folder(options, _config(options)).resolve()


def _usual_folder(config: dict[str, Any]) -> Path | None:
    """Where Freqtrade looks without being told, if the configuration says."""
    known = config.get("strategy_path")
    return Path(known).resolve() if known else None


def _like(asked: str, name: str) -> str:
    """The text of an example, under another name."""
    known = {path.stem: path for path in sorted(_EXAMPLES.glob("[A-Z]*.py"))}
    found = [stem for stem in known if stem.lower() == re.sub(r"[\W_]", "", asked).lower()]
    if not found:
        listed = ", ".join(known) or f"those of the repository, and {_EXAMPLES} has none"
        raise CommandError(f"--like {asked} is no example: expected one of {listed}")
    text = known[found[0]].read_text(encoding="utf-8")
    return re.sub(rf"\b{found[0]}\b", name, text)


def _filled(template: str, name: str) -> str:
    text = (_TEMPLATES / f"{template}.txt").read_text(encoding="utf-8")
    return text.replace("NAME", name)
