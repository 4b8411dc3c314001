"""The table of a stress: what differs is said where anything does, and nowhere else."""

from __future__ import annotations

import argparse
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ballast.commands import stress
from ballast.research.backtests import Task
from ballast.research.stress.plan import StressRun
from ballast.research.stress.runner import Ran

PAIRS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
FIRST = Task({}, {}, "Some", "", "", "20240101-20240201", PAIRS)
FOUND = {
    "total_trades": 12,
    "profit_total": 0.1234,
    "wallet_stats": {"max_relative_drawdown": 0.056},
}


def shown(
    jobs: list[StressRun], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    monkeypatch.setattr(stress, "statistics", lambda path: FOUND)
    monkeypatch.setenv("COLUMNS", "200")
    store: Any = SimpleNamespace(path=Path)
    options = argparse.Namespace(scheduler=None, jobs=2, output="user_data/stress")
    ran = Ran(tuple(str(number) for number in range(len(jobs))), 1, 30.4)
    stress._show(jobs, ran, store, 16.2, options)
    return " ".join(capsys.readouterr().out.replace("─", " ").split())


def test_runs_that_differ_in_nothing_else_have_no_column_of_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = shown([StressRun(FIRST, level) for level in ("base", "worst")], monkeypatch, capsys)
    assert text == (
        "strategy period costs trades return drawdown "
        "Some 20240101-20240201 base 12 +12.3 % 5.6 % "
        "Some 20240101-20240201 worst 12 +12.3 % 5.6 % "
        "2 backtests, 1 of them there already; 16 s, 2 at a time, for 30 s of backtests. "
        "Results: user_data/stress"
    )


def test_what_differs_names_guard_parameter_and_pairs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    others = Task({}, {}, "Some", "", "", "20240101-20240201", ("SOL/USDT", "BTC/USDT"))
    jobs = [
        StressRun(FIRST, "base"),
        StressRun(FIRST, "base", without_guard="DailyLossLimit"),
        StressRun(FIRST, "base", parameters={"days": 12.50, "window": "10d"}),
        StressRun(others, "base"),
    ]
    text = shown(jobs, monkeypatch, capsys)
    assert text.startswith("strategy period costs what differs trades return drawdown ")
    assert "base 12 +12.3 %" in text
    assert "base without DailyLossLimit 12" in text
    assert "base days 12.5, window 10d 12" in text
    assert "base SOL BTC 12" in text
