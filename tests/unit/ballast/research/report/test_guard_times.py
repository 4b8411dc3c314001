"""When guards locked, and what the account would have been without them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ballast.research.report.guard_times import activity, prices
from ballast.research.report.results import RunResult, read_zip
from tests.unit.ballast.research.report.made import START, trade, write_zip


def lock(pair: str, first_day: float, last_day: float, reason: str) -> dict[str, Any]:
    def stamp(day: float) -> int:
        return int((START + pd.Timedelta(days=day)).timestamp() * 1000)

    return {
        "pair": pair,
        "lock_timestamp": stamp(first_day),
        "lock_end_timestamp": stamp(last_day),
        "reason": reason,
    }


def run_with(folder: Path, *locks: dict[str, Any], **more: Any) -> RunResult:
    return read_zip(write_zip(folder / "a.zip", days=10, locks=list(locks), **more))[0]


def test_overlapping_locks_of_a_guard_are_one_time(tmp_path: Path) -> None:
    run = run_with(
        tmp_path,
        lock("BTC/USDT", 1, 3, "VOLATILITY value=1.6 limit=1"),
        lock("ETH/USDT", 2, 4, "VOLATILITY value=1.2 limit=1"),
        lock("*", 6, 7, "VOLATILITY value=1.2 limit=1"),
    )
    (found,) = activity(run)
    assert found.name == "VolatilityCooldown"
    assert found.locks == 3
    spans = [((a - START).days, (b - START).days) for a, b in found.spans]
    assert spans == [(1, 4), (6, 7)]
    assert found.pairs == ("BTC/USDT, ETH/USDT", "all pairs")
    assert found.share == pytest.approx(0.4)
    assert found.share_all == pytest.approx(0.1)


def test_the_most_active_comes_first_and_others_keep_their_own_words(tmp_path: Path) -> None:
    run = run_with(tmp_path, lock("*", 1, 2, "Cooldown period"), lock("*", 3, 6, "DRAWDOWN v"))
    assert [found.name for found in activity(run)] == ["DrawdownLadder", "Cooldown"]


def test_a_lock_that_outlasts_the_run_ends_with_it(tmp_path: Path) -> None:
    (found,) = activity(run_with(tmp_path, lock("*", 8, 99, "")))
    assert (found.name, found.share) == ("?", pytest.approx(0.2))


def test_no_locks_no_activity(tmp_path: Path) -> None:
    assert activity(run_with(tmp_path)) == []


def test_a_guard_is_priced_by_the_run_without_it(tmp_path: Path) -> None:
    def run(equity: list[float], trades: int, without: str) -> RunResult:
        rows = [trade(1.0, day=n) for n in range(trades)]
        made = read_zip(write_zip(tmp_path / "b.zip", rows, equity))[0]
        return replace(made, without_guard=without)

    base = run([100, 110, 104.5, 110], 2, "")
    costly = run([100, 120, 114, 120], 3, "DailyLossLimit")
    useful = run([100, 100, 80, 90], 4, "DrawdownLadder")
    first, second = prices(base, [useful, costly])
    assert (first.guard, first.trades) == ("DailyLossLimit", -1)
    assert (first.total_return, first.drawdown) == pytest.approx((-0.1, 0.0))
    assert (second.guard, second.trades) == ("DrawdownLadder", -2)
    assert (second.total_return, second.drawdown) == pytest.approx((0.2, -0.15))
