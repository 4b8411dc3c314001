"""What is wrong is said in one sentence that names it, and nothing is traded.

Every case is a real command on a sandbox's market, as a user would run it.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ballast.strategy.guarded import GuardedStrategy
from sandbox.beside import running_sandbox
from tests.processes import ROOT, run

PAIRS = ["BTC/USDT", "ETH/USDT", "SOL/USDT"]
MARKET = ["--generate", "7", "--days", "60", "--pairs", *PAIRS]


@dataclass(frozen=True)
class Answer:
    """What a command said, without Freqtrade's notes on its progress."""

    code: int
    text: str

    @property
    def errors(self) -> list[str]:
        """Sentences of the lines that report an error."""
        lines = self.text.splitlines()
        return [line.split(" - ERROR - ")[1] for line in lines if " - ERROR - " in line]

    @property
    def traded(self) -> bool:
        """Whether a backtest ran to its end and opened a trade."""
        return bool(re.search(r"TOTAL │\s+[1-9]", self.text))


@dataclass(frozen=True)
class Desk:
    """A folder with candles and a sandbox that knows their markets."""

    folder: Path
    overlay: Path

    def backtest(
        self, *arguments: str, data: str = "data", strategy: str = "DonchianTrend", **ballast: Any
    ) -> Answer:
        """Backtest with config.json, the pairs of the sandbox, and this `ballast` section."""
        data_folder = ["--datadir", str(self.folder / data), "--cache", "none"]
        return self.command("backtesting", *data_folder, *arguments, strategy=strategy, **ballast)

    def command(
        self, command: str, *arguments: str, strategy: str = "DonchianTrend", **ballast: Any
    ) -> Answer:
        """The same of another command."""
        section = {"market": {"basket": PAIRS}, **ballast}
        settings = {"exchange": {"pair_whitelist": PAIRS}, "ballast": section}
        config = self.folder / "settings.json"
        config.write_text(json.dumps(settings), encoding="utf-8")
        configs = [str(path) for path in (ROOT / "config.json", self.overlay, config)]
        named = [part for path in configs for part in ("--config", path)]
        named += ["--userdir", str(self.folder), "--strategy", strategy]
        if "--strategy-path" not in arguments:
            named += ["--strategy-path", str(ROOT / "strategies")]
        return answered(self.folder, "freqtrade", command, *named, *arguments)


def answered(folder: Path, module: str, *arguments: str) -> Answer:
    ended = run(folder, module, *arguments)
    return Answer(ended.returncode, ended.stdout + ended.stderr)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("bad-input")
    export = [*MARKET, "--export", str(folder / "data"), "--timeframes", "1h"]
    subprocess.run([sys.executable, "-m", "sandbox", *export], cwd=ROOT, check=True)
    with running_sandbox(folder, *MARKET) as sandbox:
        yield Desk(folder, sandbox.overlay)


def refused_with(answer: Answer) -> str:
    """The one sentence of a refusal."""
    assert answer.code != 0, answer.text
    assert "Traceback" not in answer.text, answer.text
    assert not answer.traded
    (sentence,) = answer.errors
    return sentence


def test_the_same_command_trades_when_nothing_is_wrong(desk: Desk) -> None:
    """Otherwise nothing below would be refused for what is said."""
    answer = desk.backtest()
    assert answer.code == 0, answer.text
    assert answer.traded
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("ballast", "sentence"),
    [
        (
            {"risk": {"per_trade_pc": 0.5}},
            "ballast.risk.per_trade_pc is not a setting: did you mean 'per_trade_pct'?",
        ),
        (
            {"risk": {"per_trade_pct": -0.5}},
            "ballast.risk.per_trade_pct is -0.5: expected a number above 0 to 2 "
            "(what one trade may lose at its stop, costs and gap included)",
        ),
    ],
    ids=["misspelled", "negative risk"],
)
def test_a_wrong_setting_is_named_with_its_value_and_range(
    desk: Desk, ballast: dict[str, Any], sentence: str
) -> None:
    assert refused_with(desk.backtest(**ballast)) == sentence


def test_a_timeframe_too_long_for_the_windows_is_named(desk: Desk) -> None:
    sentence = refused_with(desk.backtest("--timeframe", "1d"))
    said = "DonchianTrend cannot run on timeframe 1d: atr('1d'): window '1d' is shorter than two"
    assert sentence.startswith(said)


ODD = """
from ballast import GuardedStrategy, StopRules, above, sell

class Odd(GuardedStrategy):
    timeframe = "1h"
    stops = StopRules({stops})
    size = {size}

    def entry_rules(self, pair, market):
        return {{"up": above(pair.close, pair.mean("2d"))}}

    def exit_rules(self, pair, market):
        return {{"target": sell({sale})}}
"""


@pytest.mark.parametrize(
    ("stops", "size", "sale", "sentence"),
    [
        ("-3", 1, "at='2R'", "Odd.stops.initial_atr is -3: expected a number from 0.5 to 20"),
        (
            "4, time_stop='10 d'",
            1,
            "at='2R'",
            "Odd.stops.time_stop is '10 d': expected a length of time such as '36h' or '10d' "
            "(m, h, d or w), not '10 d'",
        ),
        (
            "4",
            3,
            "at='2R'",
            "Odd.size is 3: expected a number above 0 to 1, the share of the usual risk",
        ),
        (
            "4",
            1,
            "at='2 ATR'",
            "Odd cannot run on timeframe 1h: sell(at='2 ATR'): expected a profit such as '2R' or "
            "'5%', up to 100R or 1000%",
        ),
    ],
    ids=["negative distance", "no length of time", "three times the risk", "no profit"],
)
def test_a_strategys_own_stops_and_size_are_named_with_what_is_accepted(
    desk: Desk, stops: str, size: float, sale: str, sentence: str
) -> None:
    own = desk.folder / "own"
    own.mkdir(exist_ok=True)
    (own / "Odd.py").write_text(ODD.format(stops=stops, size=size, sale=sale), encoding="utf-8")
    assert refused_with(desk.backtest("--strategy-path", str(own), strategy="Odd")) == sentence


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"trading_mode": "futures", "margin_mode": "isolated"},
            "trading_mode is futures: expected spot, Ballast does not trade futures yet",
        ),
        (
            {"minimal_roi": {"0": 0.04}},
            "minimal_roi is {0: 0.04}: expected {'0': 10}, which is never: positions are left by "
            "exit_rules and stops",
        ),
        ({"stoploss": -0.5}, "stoploss is -0.5: expected a disaster stop from -0.3 to -0.02"),
    ],
    ids=lambda settings: ",".join(settings) if isinstance(settings, dict) else "",
)
def test_a_setting_under_which_the_layer_would_not_hold_is_named(
    desk: Desk, settings: dict[str, Any], sentence: str
) -> None:
    more = desk.folder / "more.json"
    more.write_text(json.dumps(settings), encoding="utf-8")
    assert refused_with(desk.backtest("--config", str(more))) == sentence


def test_what_hyperopt_has_left_beside_a_strategy_is_named(desk: Desk) -> None:
    folder = desk.folder / "tuned"
    shutil.copytree(ROOT / "strategies", folder, ignore=shutil.ignore_patterns("__pycache__"))
    found = {"strategy_name": "DonchianTrend", "params": {"stoploss": {"stoploss": -0.99}}}
    (folder / "DonchianTrend.json").write_text(json.dumps(found), encoding="utf-8")
    sentence = refused_with(desk.backtest("--strategy-path", str(folder)))
    assert sentence == "stoploss is -0.99: expected a disaster stop from -0.3 to -0.02"


@pytest.mark.parametrize("arguments", [[], ["--spaces", "buy", "trailing"]])
def test_hyperopt_that_would_move_stops_is_refused(desk: Desk, arguments: list[str]) -> None:
    """As it does by default."""
    pytest.importorskip("optuna", reason="hyperopt needs optuna; `make test` installs it")
    options = ["--hyperopt-loss", "SharpeHyperOptLoss", "-e", "1", *arguments]
    named = "buy trailing would move trailing" if arguments else "default would move stoploss, roi"
    assert refused_with(desk.command("hyperopt", *options)).startswith(f"--spaces {named}: ")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"order_types": {**GuardedStrategy.order_types, "stoploss_on_exchange": False}},
            "order_types.stoploss_on_exchange is off: expected true, a bot that is down has no "
            "stop; take order_types out of the configuration",
        ),
        (
            {"trading_mode": "futures", "margin_mode": "isolated"},
            "trading_mode is futures: expected spot, Ballast does not trade futures yet",
        ),
    ],
    ids=["stops in the bot", "futures"],
)
def test_a_bot_is_refused_what_preflight_refuses(
    desk: Desk, settings: dict[str, Any], sentence: str
) -> None:
    more = desk.folder / "more.json"
    more.write_text(json.dumps({"db_url": "sqlite://", **settings}), encoding="utf-8")
    assert refused_with(desk.command("trade", "--config", str(more))) == sentence


def test_a_log_that_cannot_be_written_is_named(desk: Desk) -> None:
    """`trade` ended in a traceback of Freqtrade's."""
    (desk.folder / "closed").touch()
    answer = desk.command("trade", log={"file": "closed/lines.jsonl"})
    path = desk.folder / "closed" / "lines.jsonl"
    assert refused_with(answer).startswith(f"the log {path} cannot be written (File exists): give")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (
            "sqlite:///{folder}/none/bot.sqlite",
            "the database {folder}/none/bot.sqlite cannot be written (unable to open database "
            "file): make room on its disk, make its folder and give it to the bot's user (chown), "
            "or name another file in db_url",
        ),
        (
            "sqlite:///{folder}/words.txt",
            "the database {folder}/words.txt cannot be written (file is not a database): make",
        ),
        ("bot.sqlite", "db_url 'bot.sqlite' is no database URL: expected one such as sqlite:///"),
    ],
)
def test_a_database_that_cannot_be_written_is_named(desk: Desk, url: str, sentence: str) -> None:
    """`trade` ended in a traceback of Freqtrade's."""
    (desk.folder / "words.txt").write_text("no database" * 100, encoding="utf-8")
    more = desk.folder / "more.json"
    settings = {"db_url": url.format(folder=desk.folder)}
    more.write_text(json.dumps(settings), encoding="utf-8")
    said = refused_with(desk.command("trade", "--config", str(more)))
    assert said.startswith(sentence.format(folder=desk.folder))


def test_an_unknown_strategy_is_named(desk: Desk) -> None:
    sentence = refused_with(desk.backtest(strategy="Donchian"))
    assert "Donchian" in sentence
    assert "does not exist" in sentence


def copied_without(desk: Desk, name: str, content: bytes | None) -> str:
    """A folder of candles in which SOL/USDT's are missing, or are something else."""
    folder = desk.folder / name
    shutil.copytree(desk.folder / "data", folder)
    file = folder / "SOL_USDT-1h.feather"
    file.unlink() if content is None else file.write_bytes(content)
    return name


@pytest.mark.parametrize("content", [None, b"not candles"], ids=["missing", "corrupt"])
def test_a_pair_without_readable_candles_is_named_and_left_out(
    desk: Desk, content: bytes | None
) -> None:
    """Freqtrade leaves the pair out of the backtest; its market says so."""
    name = "missing" if content is None else "corrupt"
    answer = desk.backtest(data=copied_without(desk, name, content))
    assert answer.code == 0, answer.text
    told = " ".join(answer.text.split())
    assert "no 1h candles of SOL/USDT: the market is judged by BTC/USDT" in told


@pytest.mark.parametrize("module", ["sandbox", "tools.run_backtest"])
def test_a_taken_port_is_named(module: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        arguments = ["--port", port, "--days", "30"]
        arguments += ["--generate", "7"] if module == "sandbox" else ["--userdir", str(tmp_path)]
        answer = answered(ROOT, module, *arguments)
    assert answer.code == 2
    assert f"Cannot listen on 127.0.0.1 port {port}: Address already in use." in answer.text
    assert "Traceback" not in answer.text
