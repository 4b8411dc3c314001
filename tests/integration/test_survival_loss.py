"""The documented `freqtrade hyperopt` command, in a folder as a user has it."""

import json
import shlex
import shutil
from pathlib import Path

import pytest

from ballast.research.report.trials import read_hyperopt
from sandbox.beside import running_sandbox
from sandbox.files import export
from sandbox.sources import GeneratedSource
from tests.engine import ROOT
from tests.processes import freqtrade

LOSS = ROOT / "user_data" / "hyperopts" / "SurvivalLoss.py"
DAYS = 75
WORST = 100_000.0


def documented() -> list[str]:
    """The command in the docstring of the loss function, without the program's name."""
    quoted = LOSS.read_text(encoding="utf-8").split("`")[3]
    program, *arguments = shlex.split(quoted)
    assert program == "freqtrade"
    return arguments


TUNED = """
from freqtrade.strategy import CategoricalParameter, DecimalParameter, IntParameter

from ballast import GuardedStrategy, StopRules, above, at_most, below, within


class Tuned(GuardedStrategy):
    timeframe = "1h"
    stops = StopRules(initial_atr=4)
    period = IntParameter(5, 30, default=14, space="buy")
    longer = CategoricalParameter(["4h", "12h"], default="4h", space="buy")
    lately = IntParameter(1, 24, default=6, space="buy")
    fall = DecimalParameter(0.0, 0.1, default=0.02, decimals=2, space="sell")

    def entry_rules(self, pair, market):
        strong = above(pair.ta("RSI", self.period.value), 55)
        return {
            "strong": within(self.lately.value, strong),
            "longer": above(pair.on(self.longer.value).roc(2), 0),
            "ranked": at_most(market.rank(pair, lambda coin: coin.own.roc(self.period.value)), 4),
        }

    def exit_rules(self, pair, market):
        return {"fell": below(pair.own.roc(self.period.value), -self.fall.value)}
"""


@pytest.mark.slow
def test_parameters_are_tuned_in_rules_windows_and_views(tmp_path: Path) -> None:
    """In worker processes, which make every view anew; each epoch has trades of its own."""
    shutil.copytree(ROOT / "strategies", tmp_path / "strategies")
    (tmp_path / "strategies" / "Tuned.py").write_text(TUNED, encoding="utf-8")
    freqtrade(tmp_path, "create-userdir", "--userdir", "user_data")
    shutil.copy(LOSS, tmp_path / "user_data" / "hyperopts")
    source, candles = GeneratedSource(7, days=DAYS), tmp_path / "candles"
    export(source, candles, ["1h", "4h"])
    pairs = [market.pair for market in source.markets()]
    listed = {"exchange": {"pair_whitelist": pairs}, "ballast": {"market": {"basket": pairs}}}
    (tmp_path / "pairs.json").write_text(json.dumps(listed), encoding="utf-8")

    arguments = ["hyperopt", "--strategy", "Tuned", "--hyperopt-loss", "SurvivalLoss"]
    arguments += ["--spaces", "buy", "sell", "--epochs", "4", "--disable-param-export", "-j", "2"]
    with running_sandbox(tmp_path, "--data", str(candles)) as sandbox:
        configs = (ROOT / "config.json", sandbox.overlay, tmp_path / "pairs.json")
        arguments += [part for path in configs for part in ("-c", str(path))]
        path = str(tmp_path / "strategies")
        arguments += ["--strategy-path", path, "--datadir", str(candles)]
        output = freqtrade(tmp_path, *arguments, "--random-state", "5", timeout=300)

    (results,) = (tmp_path / "user_data" / "hyperopt_results").glob("*.fthypt")
    epochs = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    trades = [epoch["results_metrics"]["total_trades"] for epoch in epochs]
    assert len(epochs) == 4
    assert all(trades), output
    assert len(set(trades)) > 1
    assert {"period", "longer", "lately", "fall"} <= set(epochs[0]["params_dict"])


@pytest.mark.slow
def test_documented_command_runs_and_leaves_the_strategies_alone(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "strategies", tmp_path / "strategies")
    shutil.copy(ROOT / "config.json", tmp_path)
    freqtrade(tmp_path, "create-userdir", "--userdir", "user_data")
    shutil.copy(LOSS, tmp_path / "user_data" / "hyperopts")
    source, candles = GeneratedSource(7, days=DAYS), tmp_path / "candles"
    export(source, candles, ["1h"])
    listed = {"exchange": {"pair_whitelist": [market.pair for market in source.markets()]}}
    pairs = tmp_path / "pairs.json"
    pairs.write_text(json.dumps(listed), encoding="utf-8")

    arguments = documented()
    arguments[arguments.index("-e") + 1] = "2"
    with running_sandbox(tmp_path, "--data", str(candles)) as sandbox:
        more = ["-c", str(sandbox.overlay), "-c", str(pairs), "--datadir", str(candles)]
        freqtrade(tmp_path, *arguments, *more, "-j", "2", timeout=300)

    (results,) = (tmp_path / "user_data" / "hyperopt_results").glob("*.fthypt")
    epochs = [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]
    # Two months are few trades, or enough; they are not an undefined result.
    assert len(epochs) == 2
    assert all(epoch["loss"] < WORST for epoch in epochs)
    assert all("channel_days" in epoch["params_dict"] for epoch in epochs)
    assert not list((tmp_path / "strategies").glob("*.json"))
    # The report counts them as trials.
    name = epochs[0]["results_metrics"]["strategy_name"]
    assert read_hyperopt(results.parent, name).epochs == 2
