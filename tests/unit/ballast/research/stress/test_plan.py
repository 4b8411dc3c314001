"""Which backtests a stress is made of, and what the key of a result depends on."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import ballast
from ballast.research.backtests import Task
from ballast.research.stress import plan
from ballast.research.stress.plan import StressRun
from tests.engine import ROOT, candle_frame, flat

PAIRS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")


@pytest.fixture
def task(tmp_path: Path) -> Task:
    strategies = tmp_path / "strategies"
    (strategies / "ballast" / "core").mkdir(parents=True)
    (strategies / "ballast" / "commands").mkdir()
    for name in ("Some.py", "ballast/core/rules.py", "ballast/commands/report.py"):
        (strategies / name).write_text("before")
    shutil.copy(ROOT / "strategies" / "ballast" / "__init__.py", strategies / "ballast")
    for pair in PAIRS:
        frame = candle_frame(flat(3), "1h")
        frame.to_feather(tmp_path / f"{pair.replace('/', '_')}-1h.feather")
    config = {"timeframe": "1h", "exchange": {"name": "binance", "key": "k"}, "ballast": {}}
    markets = {pair: {"taker": 0.001} for pair in PAIRS}
    path = str(strategies)
    return Task(config, markets, "Some", path, str(tmp_path), "20240101-20240201", PAIRS)


def key(task: Task) -> str:
    plan._sources.cache_clear()
    return StressRun(task, "base").key()


def _config(**changes: Any) -> Callable[[Task], Task]:
    return lambda task: replace(task, config={**task.config, **changes})


CHANGES: dict[str, Callable[[Task], Task]] = {
    "strategy": lambda task: replace(task, strategy="Other"),
    "settings": _config(ballast={"risk": {"per_trade_pct": 0.4}}),
    "stake": _config(dry_run_wallet=5),
    "timerange": lambda task: replace(task, timerange="20240101-20240202"),
    "order of pairs": lambda task: replace(task, pairs=PAIRS[::-1]),
    "fees": lambda task: replace(task, markets={pair: {"taker": 0.002} for pair in PAIRS}),
    "parameters": lambda task: replace(task, parameters={"days": 3}),
    "costs": lambda task: replace(task, config=plan.with_settings(task.config, "worst")),
    "guards": lambda task: replace(
        task, config=plan.with_settings(task.config, "base", "DrawdownLadder")
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_key_changes_with_what_the_result_depends_on(
    task: Task, change: Callable[[Task], Task]
) -> None:
    assert key(change(task)) != key(task)


@pytest.mark.parametrize("name", ["Some.py", "ballast/core/rules.py", "Some.json"])
def test_key_changes_with_the_sources(task: Task, name: str) -> None:
    before = key(task)
    (Path(task.strategy_path) / name).write_text("after")
    assert key(task) != before


def test_key_changes_with_the_candles(task: Task) -> None:
    before = key(task)
    path = Path(task.datadir) / "SOL_USDT-1h.feather"
    frame = pd.read_feather(path)
    frame.loc[1, "close"] += 0.01
    frame.to_feather(path)
    assert key(task) != before


@pytest.fixture
def made_up(task: Task) -> Task:
    """A task whose strategy is a file that is made up, and imports from the folder."""
    deep = Path(task.strategy_path) / "deep"
    deep.mkdir()
    (deep / "Theirs.py").write_text("before")
    text = "from ballast import guarded\nfrom deep.Theirs import Theirs\n"
    return replace(task, strategy="GuardedTheirs", source=text)


def test_key_changes_with_all_that_a_made_up_strategy_may_read(made_up: Task) -> None:
    folder = Path(made_up.strategy_path)
    keys = [key(made_up), key(replace(made_up, source=made_up.source + "# other stops\n"))]
    for name in ("deep/Theirs.py", "deep/Theirs.json", "GuardedTheirs.json", "helper.py"):
        (folder / name).write_text("after")
        keys.append(key(made_up))
    other = Path(made_up.datadir) / "OTHER_USDT-5m.feather"
    candle_frame(flat(3), "5m").to_feather(other)
    keys.append(key(made_up))
    assert len(set(keys)) == len(keys)


def test_key_changes_with_the_layer_where_it_is_not_beside_the_strategies(
    made_up: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "apart"
    shutil.copytree(made_up.strategy_path, folder, ignore=shutil.ignore_patterns("ballast"))
    layer = Path(made_up.strategy_path) / "ballast"
    monkeypatch.setattr(ballast, "__file__", str(layer / "__init__.py"))
    apart = replace(made_up, strategy_path=str(folder))
    before = key(apart)
    (layer / "core" / "rules.py").write_text("after")
    assert key(apart) != before


def test_key_does_not_change_with_what_decides_nothing(task: Task) -> None:
    before = key(task)
    (Path(task.strategy_path) / "ballast" / "commands" / "report.py").write_text("after")
    other = replace(
        task,
        config={
            **task.config,
            "telegram": {"enabled": True},
            "exchange": {"name": "binance", "key": "other"},
        },
    )
    assert key(other) == before


def test_what_decides_nothing_is_what_the_contract_of_imports_puts_above_the_strategy() -> None:
    """A package that moves there, or is added, is neither forgotten in the key nor needed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    above = " | ".join(layers[: layers.index("strategy")]).split(" | ")
    assert sorted(plan.ABOVE_STRATEGY) == sorted(above)


def test_every_combination_is_planned(task: Task) -> None:
    choices = [PAIRS, *plan.subsets(PAIRS, 2, 2, seed=1)]
    planned = plan.jobs(task, ["A", "B"], ["1", "2"], ["none", "base"], choices)
    assert len(planned) == 2 * 2 * 2 * 3
    assert {job.level for job in planned} == {"none", "base"}


def test_guards_and_parameters_are_varied_on_all_pairs_at_the_base_level(task: Task) -> None:
    trials = {"A": [{"days": 3}]}
    planned = plan.jobs(task, ["A"], ["1"], ["none", "base"], [PAIRS], ["DrawdownLadder"], trials)
    without, moved = planned[-2:]
    assert (without.without_guard, without.level) == ("DrawdownLadder", "base")
    assert without.task.config["ballast"]["guards"]["off"] == ["DrawdownLadder"]
    assert moved.parameters == moved.task.parameters == {"days": 3}


def test_choices_of_pairs_keep_their_order_and_follow_from_the_seed() -> None:
    many = tuple(f"{letter}/USDT" for letter in "ABCDEFGH")
    first = plan.subsets(many, 5, 4, seed=3)
    assert first == plan.subsets(many, 5, 4, seed=3) != plan.subsets(many, 5, 4, seed=4)
    assert all(list(chosen) == sorted(chosen) and len(chosen) == 4 for chosen in first)


def test_orders_keep_the_pairs_and_follow_from_the_seed() -> None:
    many = tuple(f"{letter}/USDT" for letter in "ABCDEFGH")
    first = plan.orders(many, 5, seed=3)
    assert first == plan.orders(many, 5, seed=3) != plan.orders(many, 5, seed=4)
    assert len(set(first)) == 5
    assert all(sorted(order) == sorted(many) for order in first)


def test_a_setting_that_is_tried_is_in_the_configuration_of_its_run(task: Task) -> None:
    trials = {"A": [{"ballast.risk.per_trade_pct": 0.3}]}
    *_, moved = plan.jobs(task, ["A"], ["1"], ["base"], [PAIRS], trials=trials)
    assert moved.task.config["ballast"]["risk"] == {"per_trade_pct": 0.3}
    assert "risk" not in task.config["ballast"]
    assert moved.entry("k").parameters == trials["A"][0]
