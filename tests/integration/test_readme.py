"""What the README shows works as it is shown."""

import json
import re
from pathlib import Path

from freqtrade.data.converter import ohlcv_fill_up_missing_data

from ballast.config import settings
from sandbox.clock import FixedClock
from sandbox.faults import KINDS
from sandbox.faults_plan import FaultPlan, faults_from_json
from sandbox.sources import GeneratedSource, frame
from tests.engine import run_backtest

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
PAIRS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def test_the_example_strategy_is_complete_and_short_and_trades(tmp_path: Path) -> None:
    (example,) = blocks("python")
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


def test_the_example_settings_are_accepted() -> None:
    (example,) = blocks("json")
    loaded = settings.load(json.loads("{" + example + "}")["ballast"])
    assert loaded.guards.off == ["StopCascadeHalt"]


def test_every_guard_is_named() -> None:
    for name in settings.Settings().guards.names():
        assert f"`{name}`" in README


def test_every_strategy_is_in_the_table() -> None:
    for path in (Path(__file__).parents[2] / "strategies").glob("*.py"):
        assert f"| `{path.stem}` |" in README


def test_every_fault_is_in_the_table_with_what_it_does_and_its_numbers() -> None:
    for kind, rule in KINDS.items():
        numbers = ", ".join(f"`{name}` {n.default:g}" for name, n in rule.numbers.items())
        assert f"| `{kind}` | {rule.what} |{f' {numbers}' if numbers else ''} |\n" in README


def test_the_example_of_faults_is_accepted() -> None:
    example = re.search(r'\{"seed".*?\]\}', README, flags=re.DOTALL)
    assert example
    seed, faults = faults_from_json(json.loads(example[0]))
    assert len(FaultPlan(FixedClock(0), seed, faults).planned) == 3
