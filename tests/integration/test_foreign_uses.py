"""A strategy of somebody else's with two lines beside it, under the commands that users run.

It lies in a folder below the strategies, reads other timeframes and another pair, has parameters, a
start-up count and a memory of its own.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.beside import running_sandbox
from tests.integration.test_copied_folder import run
from tests.processes import ROOT

PAIRS = ["BTC/USDT", "ETH/USDT", "SOL/USDT"]
MARKET = ["--generate", "7", "--days", "75", "--pairs", *PAIRS]

THEIRS = """
import talib
from freqtrade.strategy import IntParameter, IStrategy, informative, merge_informative_pair


class Dipper(IStrategy):
    INTERFACE_VERSION = 3
    timeframe = "1h"
    stoploss = -0.2
    minimal_roi = {"0": 0.1, "720": 0.02}
    trailing_stop = True
    startup_candle_count = 60
    limit = IntParameter(25, 55, default=45, space="buy")
    bought = {}

    def informative_pairs(self):
        return [("BTC/USDT", "1d")]

    @informative("4h")
    def populate_indicators_4h(self, dataframe, metadata):
        dataframe["ema"] = talib.EMA(dataframe["close"], 10)
        return dataframe

    def populate_indicators(self, dataframe, metadata):
        dataframe["rsi"] = talib.RSI(dataframe["close"], 14)
        days = self.dp.get_pair_dataframe("BTC/USDT", "1d")
        days["up"] = (days["close"] > days["open"]).astype(int)
        return merge_informative_pair(dataframe, days, self.timeframe, "1d", ffill=True)

    def populate_entry_trend(self, dataframe, metadata):
        dip = dataframe["rsi"] < self.limit.value
        met = dip & (dataframe["close"] > 0.95 * dataframe["ema_4h"])
        dataframe.loc[met, ["enter_long", "enter_tag"]] = (1, "dip")
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        dataframe.loc[dataframe["rsi"] > 65, "exit_long"] = 1
        return dataframe

    def confirm_trade_entry(self, pair, **kwargs):
        self.bought[pair] = self.bought.get(pair, 0) + 1
        return self.bought[pair] > 0
"""
OURS = """
from ballast import StopRules, guarded
from shelf.deep.Dipper import Dipper


class GuardedDipper(guarded(Dipper)):
    stops = StopRules(initial_atr=5)
"""


@dataclass(frozen=True)
class Copied:
    """A Freqtrade folder with `strategies/` copied into it, and theirs."""

    folder: Path
    overlay: Path

    @property
    def strategies(self) -> Path:
        return self.folder / "user_data" / "strategies"

    def run(self, command: str, *arguments: str) -> str:
        """All that a command has written."""
        configs = ["--config", "config.json", "--config", str(self.overlay)]
        ended = run(self.folder, "-m", "freqtrade", command, *configs, *arguments)
        output = ended.stdout + ended.stderr
        assert ended.returncode == 0, output
        assert "BEYOND LOOPBACK" not in output, output
        assert "Traceback" not in output, output
        return output


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copied]:
    folder = tmp_path_factory.mktemp("copied")
    strategies = folder / "user_data" / "strategies"
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "strategies", strategies, ignore=ignored)
    deep = strategies / "shelf" / "deep"
    deep.mkdir(parents=True)
    (deep / "Dipper.py").write_text(THEIRS, encoding="utf-8")
    (strategies / "GuardedDipper.py").write_text(OURS, encoding="utf-8")
    config = json.loads((ROOT / "config.json").read_text(encoding="utf-8"))
    config.pop("strategy_path", None)
    config["exchange"]["pair_whitelist"] = PAIRS
    config["ballast"]["market"] = {"basket": PAIRS}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    data = folder / "user_data" / "data" / "binance"
    export = [*MARKET, "--export", str(data), "--timeframes", "1h", "4h", "1d"]
    subprocess.run([sys.executable, "-m", "sandbox", *export], cwd=ROOT, check=True)
    with running_sandbox(folder, *MARKET) as sandbox:
        yield Copied(folder, sandbox.overlay)


def test_list_of_strategies_has_it_once(copied: Copied) -> None:
    listed = copied.run("list-strategies", "-1").splitlines()
    assert listed.count("GuardedDipper") == 1
    assert "Dipper" not in listed
    assert not [name for name in listed if "Base" in name or "Layer" in name]


def test_backtest_runs_it_beside_others(copied: Copied) -> None:
    names = ["GuardedDipper", "DonchianTrend"]
    output = copied.run("backtesting", "--cache", "none", "--strategy-list", *names)
    summary = output[output.index("STRATEGY SUMMARY") :]
    rows = [line for line in summary.splitlines() if line.startswith("│")]
    trades = {row.split("│")[1].strip(): row.split("│")[2].strip() for row in rows}
    assert set(trades) >= set(names)
    assert int(trades["GuardedDipper"]) > 5


@pytest.mark.slow
def test_lookahead_analysis_finds_theirs_without_bias(copied: Copied) -> None:
    trades = ["--minimum-trade-amount", "2", "--targeted-trade-amount", "3"]
    # One pair: limits look across pairs, and the command cuts the whitelist to one.
    cut = ["--timerange", "20240130-20240312", "--pairs", "ETH/USDT"]
    output = copied.run("lookahead-analysis", "--strategy", "GuardedDipper", *trades, *cut)
    (row,) = [line for line in output.splitlines() if line.startswith("│ GuardedDipper.py")]
    assert [cell.strip() for cell in row.strip("│").split("│")][2:6] == ["No", "3", "0", "0"]


@pytest.mark.slow
def test_hyperopt_tries_their_parameters_and_proposals_and_its_file_is_taken_up(
    copied: Copied,
) -> None:
    """Two processes load the class anew; what they find is written beside the two lines."""
    pytest.importorskip("optuna", reason="hyperopt needs optuna; `make test` installs it")
    spaces = ["--spaces", "buy", "stoploss", "roi", "trailing"]
    effort = ["-e", "4", "-j", "2", "--hyperopt-loss", "SharpeHyperOptLoss", "--min-trades", "1"]
    copied.run("hyperopt", "--strategy", "GuardedDipper", *spaces, *effort)
    path = copied.strategies / "GuardedDipper.json"
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["strategy_name"] == "GuardedDipper"
    assert set(found["params"]) >= {"buy", "stoploss", "roi", "trailing"}
    found["params"]["buy"]["limit"] = 26
    found["params"]["stoploss"]["stoploss"] = -0.99
    path.write_text(json.dumps(found), encoding="utf-8")
    try:
        output = copied.run("backtesting", "--cache", "none", "--strategy", "GuardedDipper")
    finally:
        path.unlink()
    assert "Strategy Parameter: limit = 26" in output


def test_parameters_beside_theirs_are_taken_and_said_where_there_are_none_of_its_own(
    copied: Copied,
) -> None:
    path = copied.strategies / "shelf" / "deep" / "Dipper.json"
    found = {"strategy_name": "Dipper", "params": {"buy": {"limit": 27}}}
    path.write_text(json.dumps(found), encoding="utf-8")
    try:
        output = copied.run("backtesting", "--cache", "none", "--strategy", "GuardedDipper")
    finally:
        path.unlink()
    assert f"parameters of GuardedDipper are taken from {path}" in output
    assert "Strategy Parameter: limit = 27" in output
