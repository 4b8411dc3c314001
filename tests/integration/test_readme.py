"""What the README and the pages of docs/ show works as it is shown."""

import argparse
import importlib
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from freqtrade.commands import Arguments
from freqtrade.data.converter import ohlcv_fill_up_missing_data

from ballast.config import settings
from sandbox.clock import FixedClock
from sandbox.faults_plan import FaultPlan, faults_from_json
from sandbox.sources import GeneratedSource, frame
from tests.engine import ROOT, run_backtest
from tools.run_backtest import find_strategies

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}
PAGES |= {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")
}
PAIRS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
# Of whoever reads it, or of the system: nothing here can tell whether they are right.
OTHERS = {"git", "cp", "sudo", "docker", "source", "pip", "uv", "jq", "for", "sed", "done", "ssh"}
MODULES = {
    "ballast": "ballast.__main__",
    "sandbox": "sandbox.cli",
    "benchmarks": "benchmarks.cli",
    "tools.figures": "tools.figures",
    "tools.run_load": "tools.run_load",
    "tools.run_soak": "tools.run_soak",
    "tools.run_week": "tools.run_week",
}


def blocks(page: str, language: str) -> list[str]:
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", PAGES[page], flags=re.DOTALL | re.MULTILINE)
    return [text for named, text in fenced if named == language]


def commands() -> Iterator[tuple[str, str]]:
    """
    Page and command of every line of the blocks that name no language, and of the text where a
    command has options.
    """
    for page, text in PAGES.items():
        for command in re.findall(r"`((?:python -m|ballast|freqtrade) [^`]*--[^`]*)`", text):
            yield page, command
        for block in blocks(page, ""):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                if words and words[0] not in OTHERS:
                    yield page, shlex.join(word for word in words if word != "&")


COMMANDS = list(commands())


class Understood(Exception):
    """The arguments of a command have been taken."""


@pytest.fixture
def parsed_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever parses its arguments ends there."""
    parse = argparse.ArgumentParser.parse_args

    def parse_and_end(*arguments: Any, **named: Any) -> None:
        parse(*arguments, **named)
        raise Understood

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", parse_and_end)


@pytest.mark.usefixtures("parsed_only")
@pytest.mark.parametrize(("page", "command"), COMMANDS)
def test_every_command_is_one_that_takes_these_arguments(page: str, command: str) -> None:
    program, *arguments = shlex.split(command.removeprefix(".venv/bin/"))
    if program == "ballast":
        program, arguments = "python", ["-m", "ballast", *arguments]
    if program == "make":
        targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
        assert arguments[0] in targets
        return
    if program == "touch":
        assert Path(arguments[0]).name == settings.Settings().kill.file
        return
    if program == "freqtrade":
        with pytest.raises(Understood):
            Arguments(arguments).get_parsed_arg()
        return
    assert (program, arguments[0]) == ("python", "-m")
    if arguments[1] == "pytest":
        assert all((ROOT / path).exists() for path in arguments if path.startswith("tests"))
        return
    with pytest.raises(Understood):
        importlib.import_module(MODULES[arguments[1]]).main(arguments[2:])


def test_the_configurations_strategy_is_the_one_that_the_readme_recommends() -> None:
    """Or `why` without a journal would answer by the rules of another than the reader tried."""
    named = re.findall(r"^freqtrade .*--strategy (\w+)", (ROOT / "README.md").read_text(), re.M)
    assert named
    config = json.loads((ROOT / "config.json").read_text())
    assert set(named) == {config["strategy"]}


def test_commands_are_found() -> None:
    """Otherwise the test above would hold of an empty list."""
    found = [command for _, command in COMMANDS]
    assert ("README.md", "make backtest") in COMMANDS
    assert sum(command.startswith("python -m ballast") for command in found) > 10
    assert sum(command.startswith("freqtrade") for command in found) > 4


@pytest.mark.parametrize("page", PAGES)
def test_every_tool_and_command_in_the_text_is_there(page: str) -> None:
    text = PAGES[page]
    for target in re.findall(r"`make (\w+)`", text):
        assert f"\n{target}:" in (ROOT / "Makefile").read_text(encoding="utf-8")
    for module in re.findall(r"`python -m (\w+\.\w+)", text):
        assert (ROOT / (module.replace(".", "/") + ".py")).exists()
    known = importlib.import_module("ballast.__main__").COMMANDS
    for command in re.findall(r"`(?:python -m )?ballast (\w+)", text):
        assert command in {*known, "COMMAND"}


@pytest.mark.parametrize("page", PAGES)
def test_every_file_and_folder_in_the_text_is_there(page: str) -> None:
    """Paths of the repository, and within `strategies` or `strategies/ballast`."""
    homes = (ROOT, ROOT / "strategies", ROOT / "strategies" / "ballast")
    for name in re.findall(r"`((?:[a-z_]+/)+(?:\w+(?:\.\w+)?)?)`", PAGES[page]):
        made = name.startswith(("user_data/", "site/")) or name == "strategies/Momentum.py"
        assert made or any((home / name).exists() for home in homes), name


def test_the_readme_is_read_in_five_minutes() -> None:
    assert len(README.split()) <= 1300


def test_the_example_strategy_is_complete_and_short_and_trades(tmp_path: Path) -> None:
    example, under = blocks("README.md", "python")
    assert "class GuardedMACD(guarded(MACDStrategy)): ..." in under
    assert len(example.splitlines()) < 40
    path = tmp_path / "Momentum.py"
    path.write_text(example, encoding="utf-8")
    source = GeneratedSource(7, days=150)
    candles = {
        pair: ohlcv_fill_up_missing_data(frame(source, pair, "1h"), "1h", pair) for pair in PAIRS
    }
    pricing = {"entry_pricing": {"price_side": "other"}, "exit_pricing": {"price_side": "other"}}
    outcome = run_backtest(str(path), candles, timeframe="1h", config=pricing)
    assert len(outcome.trades) > 0
    assert outcome.trades["enter_tag"].str.startswith("Momentum: market_up + strong").all()
    assert not outcome.strategy.incidents.counts


@pytest.mark.parametrize(
    "example", [text for page in ("settings.md", "protections.md") for text in blocks(page, "json")]
)
def test_the_example_settings_are_accepted(example: str) -> None:
    section = json.loads("{" + example + "}")["ballast"]
    assert settings.load(section) != settings.Settings()


def test_every_guard_is_in_the_table_with_its_code() -> None:
    # One that has its baseline: without it the guard is off.
    guards = settings.load({"guards": {"EdgeDecay": {"mean_r": 1}}}).guards
    codes = {name: guard.code for name, guard in guards.build(60).items()}
    for name in guards.names():
        (row,) = re.findall(rf"^\| `{name}` \|.*$", PAGES["guards.md"], flags=re.MULTILINE)
        assert name == "PortfolioHeat" or f"`{codes[name]}`" in row


def test_every_strategy_is_in_the_table() -> None:
    for name in find_strategies(ROOT / "strategies"):
        assert f"| `{name}` |" in README


def test_the_example_of_faults_is_accepted() -> None:
    (example,) = blocks("sandbox.md", "json")
    seed, faults = faults_from_json(json.loads(example))
    assert len(FaultPlan(FixedClock(0), seed, faults).planned) == 3


def test_the_picture_of_the_packages_has_the_order_that_the_linter_holds() -> None:
    picture = (ROOT / "docs" / "packages.svg").read_text(encoding="utf-8")
    drawn = re.findall(r'<text class="name"[^>]*>(\w+)</text>', picture)
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    held = " ".join(contracts["importlinter"]["contracts"][0]["layers"]).replace("|", "").split()
    packages = {path.parent.name for path in (ROOT / "strategies/ballast").glob("*/__init__.py")}
    assert drawn == [name for name in held if name in packages]
    assert set(drawn) == packages


def test_every_module_in_the_pictures_is_there() -> None:
    picture = (ROOT / "docs" / "candle.svg").read_text(encoding="utf-8")
    named = re.findall(r"\b[a-z]+/\w+\.py", picture)
    assert len(named) > 10
    assert all((ROOT / "strategies" / "ballast" / name).exists() for name in named)
