"""R is what the first stop put at risk; heat is the sum of it over open trades."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ballast.config.settings import RiskSettings
from ballast.core.heat import StopCosts
from ballast.research.report import trades as trade_figures
from ballast.research.report.results import RunResult, read_zip
from tests.unit.ballast.research.report.made import START, trade, write_zip


def made(folder: Path, *rows: dict[str, Any], equity: list[float] | None = None) -> RunResult:
    (run,) = read_zip(write_zip(folder / "a.zip", rows, equity))
    return run


def test_results_and_excursions_are_in_units_of_the_first_risk(tmp_path: Path) -> None:
    run = made(tmp_path, trade(10.0, min_rate=97.5, max_rate=120.0, days=2.0))
    (row,) = trade_figures.in_r(run.trades).itertuples()
    assert (row.risk, row.r, row.mae, row.mfe) == (5.0, 2.0, 0.5, 4.0)
    assert (row.hours, row.setup) == (48.0, "Made")


def test_an_excursion_that_never_came_is_zero(tmp_path: Path) -> None:
    run = made(tmp_path, trade(1.0, min_rate=100.5, max_rate=99.0))
    (row,) = trade_figures.in_r(run.trades).itertuples()
    assert (row.mae, row.mfe) == (0.0, 0.0)


def test_a_stop_that_is_not_below_the_entry_has_no_r(tmp_path: Path) -> None:
    (row,) = trade_figures.in_r(made(tmp_path, trade(1.0, stop=101.0)).trades).itertuples()
    assert math.isnan(row.r)


def test_heat_is_what_all_open_trades_risk_over_the_account(tmp_path: Path) -> None:
    run = made(tmp_path, trade(1.0, day=1, days=3), trade(1.0, day=2, days=1, stop=90.0))
    costs = StopCosts(round_trip=0.003, gap=0.002)
    found = trade_figures.heat(trade_figures.in_r(run.trades), run.equity, costs)
    by_day = [1e4 * found[START + pd.Timedelta(days=day)] for day in range(5)]
    # Distances of 5 and 10, and half a percent of 100 each.
    assert by_day == pytest.approx([0, 5.5, 16, 5.5, 0])


def test_the_costs_of_a_stop_are_those_that_the_run_was_sized_with(tmp_path: Path) -> None:
    run = made(tmp_path, trade(1.0))
    told = {"ballast": {"risk": {"fee_pct": 0.2, "slippage_bps": 10.0, "gap_pct": 1.0}}}
    costs = replace(run, config=told).stop_costs
    assert (costs.round_trip, costs.gap) == pytest.approx((0.006, 0.01))
    assert replace(run, config={}).stop_costs == RiskSettings().stop_costs()
    assert replace(run, config={"ballast": {"risk": 1}}).stop_costs == RiskSettings().stop_costs()
    charged = replace(made(tmp_path, trade(1.0, fee_open=0.004)), config=told)
    assert charged.stop_costs.round_trip == pytest.approx(0.01)


def test_a_contribution_is_the_profit_over_the_account_at_the_entry(tmp_path: Path) -> None:
    run = made(tmp_path, trade(2.0, day=2), equity=[100.0, 100.0, 200.0, 202.0])
    found = trade_figures.contributions(run.trades, run.equity)
    assert list(found) == [0.01]
    assert found.index[0] == START + pd.Timedelta(days=3)


def test_the_share_of_the_best_is_of_the_net_profit(tmp_path: Path) -> None:
    profits = pd.Series([8.0, 4.0, -2.0])
    assert trade_figures.top_share(profits, 1) == pytest.approx(0.8)
    assert trade_figures.top_share(profits, 2) == pytest.approx(1.2)
    assert math.isnan(trade_figures.top_share(pd.Series([1.0, -2.0]), 1))


def test_no_trades_are_no_figures(tmp_path: Path) -> None:
    run = made(tmp_path)
    table = trade_figures.in_r(run.trades)
    assert len(table) == 0
    assert trade_figures.heat(table, run.equity, run.stop_costs).max() == 0.0
