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
