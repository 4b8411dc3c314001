"""Freqtrade's own searches for bias, run as the commands a user would run, on a generated market.

`lookahead-analysis` trades the whole market first and then single pairs of it, cut after a trade;
`recursive-analysis` starts the same candles at different places. Both look at every strategy of the
pack, whatever its name.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.beside import running_sandbox
from tests.processes import ROOT, freqtrade

STRATEGIES = sorted(path.stem for path in (ROOT / "strategies").glob("*.py"))
PAIRS = ["BTC/USDT", "ETH/USDT", "BNB/USDT", "SOL/USDT", "XRP/USDT", "ADA/USDT"]
MARKET = ["--generate", "7", "--days", "240", "--pairs", *PAIRS]
# Half a thousand candles and more before it, so that the first candle has its warm-up.
TRADED = "20240130-20240425"
TIMEFRAMES = ("1h", "4h", "1d")
EXAMPLES = {
    "1h": ["AdxMomentum", "EmaCross", "KeltnerSqueeze", "MacdCross", "Supertrend"],
    "4h": ["ConnorsRsi", "IchimokuCloud", "WeeklyRank"],
}
# Those on 4h need five weeks before it.
EXAMPLES_TRADED = {"1h": TRADED, "4h": "20240610-20240820"}


@dataclass(frozen=True)
class Desk:
    """A folder with candles, and the configurations of a sandbox that knows their markets."""

    folder: Path
    overlay: Path

    def run(self, command: str, settings: dict[str, Any], *arguments: str) -> str:
        """The command's output, with `settings` over config.json."""
        config = self.folder / "settings.json"
        exchange = {"pair_whitelist": PAIRS}
        config.write_text(json.dumps({"exchange": exchange, **settings}), encoding="utf-8")
        configs = [str(path) for path in (ROOT / "config.json", self.overlay, config)]
        common = [part for path in configs for part in ("--config", path)]
        common += ["--userdir", str(self.folder), "--datadir", str(self.folder / "data")]
        path = settings.get("strategy_path", str(ROOT / "strategies"))
        common += ["--strategy-path", path, "--timeframe", settings.get("timeframe", "1h")]
        return freqtrade(self.folder, command, *common, *arguments)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("analysis")
    export = [*MARKET, "--export", str(folder / "data"), "--timeframes", *TIMEFRAMES]
    subprocess.run([sys.executable, "-m", "sandbox", *export], cwd=ROOT, check=True)
    with running_sandbox(folder, *MARKET) as sandbox:
        yield Desk(folder, sandbox.overlay)


def rows(output: str) -> list[list[str]]:
    """The cells of the tables in an output, without their headings."""
    lines = [line for line in output.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


def named_basket() -> dict[str, Any]:
    return {"ballast": {"market": {"basket": PAIRS}}}


def lookahead(
    desk: Desk,
    settings: dict[str, Any],
    strategies: list[str],
    trades: int = 3,
    dates: str = TRADED,
) -> dict[str, list[str]]:
    """By strategy: has_bias, total_signals, biased entries, biased exits, biased indicators."""
    wanted = ["--minimum-trade-amount", "2", "--targeted-trade-amount", str(trades)]
    output = desk.run(
        "lookahead-analysis",
        settings,
        *("--strategy-list", *strategies, "--timerange", dates, *wanted),
    )
    return {row[1]: row[2:] for row in rows(output)}


@pytest.mark.slow
def test_lookahead_analysis_finds_no_bias_in_any_strategy(desk: Desk) -> None:
    """The basket is named: the command trades single pairs, and breadth is that of the market."""
    found = lookahead(desk, named_basket(), STRATEGIES)
    assert found == {name: ["No", "3", "0", "0", ""] for name in STRATEGIES}


@pytest.mark.slow
@pytest.mark.parametrize("timeframe", EXAMPLES)
def test_lookahead_analysis_finds_no_bias_in_the_examples(desk: Desk, timeframe: str) -> None:
    """Days, `technical`, functions of their own; and ranks, though pairs are traded alone."""
    path, names = str(ROOT / "examples"), EXAMPLES[timeframe]
    settings = {**named_basket(), "strategy_path": path, "timeframe": timeframe}
    found = lookahead(desk, settings, names, dates=EXAMPLES_TRADED[timeframe])
    assert found == {name: ["No", "3", "0", "0", ""] for name in names}


@pytest.mark.slow
def test_rules_of_the_account_stand_aside_and_are_no_bias_of_the_readmes_example(
    desk: Desk,
) -> None:
    """
    Entries per candle, heat and the market's guards look across pairs, and pairs are traded alone.
    """
    folder = desk.folder / "example"
    folder.mkdir()
    example, _ = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    (folder / "Momentum.py").write_text(example)
    tight = {"risk": {"entries_per_candle": 1}, "guards": {"StopCascadeHalt": {"losses": 2}}}
    settings = {"ballast": {**named_basket()["ballast"], **tight}}
    output = desk.run(
        "lookahead-analysis",
        {**settings, "strategy_path": str(folder)},
        *("--strategy", "Momentum", "--timerange", TRADED),
        *("--minimum-trade-amount", "2", "--targeted-trade-amount", "20"),
    )
    (cells,) = [row[2:] for row in rows(output)]
    assert cells == ["No", "20", "0", "0", ""]
    assert output.count("entries per candle look across pairs and stand aside") == 1


def test_the_configuration_names_its_basket() -> None:
    """A user who runs `lookahead-analysis -c config.json` gets the clean answer."""
    config = json.loads((ROOT / "config.json").read_text(encoding="utf-8"))
    assert config["ballast"]["market"]["basket"] == config["exchange"]["pair_whitelist"]


@pytest.mark.slow
def test_recursive_analysis_finds_every_indicator_settled_after_the_warm_up(desk: Desk) -> None:
    """Averages that never forget differ by less than a hundredth of a percent, on the market's too.

    A bot that has just been started, with the candles Freqtrade gives it, sees what a backtest saw.
    """
    settings = {**named_basket(), "strategy_list": STRATEGIES}
    dates = ["--timerange", "20240325-20240425", "--startup-candle", "573"]
    output = desk.run("recursive-analysis", settings, *dates)
    assert output.count("No lookahead bias on indicators found") == len(STRATEGIES)
    assert "found lookahead in indicator" not in output
    assert output.count("Start checking for recursive bias") == len(STRATEGIES)
    drifts = {row[0]: row[-1] for row in rows(output)}
    assert set(drifts) <= {"atr", "volatility", "intensity"}
    for name, drift in drifts.items():
        assert abs(float(drift.rstrip("%"))) <= 0.01, name
