"""SurvivalLoss, the loss function for `freqtrade hyperopt`: what it likes better than what."""

import importlib.util
import math
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest
from freqtrade.resolvers.hyperopt_resolver import HyperOptLossResolver
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[3]
FILE = ROOT / "user_data" / "hyperopts" / "SurvivalLoss.py"
START, END = datetime(2021, 1, 1, tzinfo=UTC), datetime(2022, 1, 1, tzinfo=UTC)
BALANCE = 10_000.0


def _module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("SurvivalLoss", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MODULE = _module()


def loss(profits: list[float], **changes: Any) -> float:
    """Loss of one trade a day with these profits, from the first of January 2021 on."""
    closed = pd.date_range(START, periods=len(profits), freq="1D") + pd.Timedelta(hours=5)
    trades = pd.DataFrame({"close_date": closed, "profit_abs": pd.Series(profits, dtype=float)})
    arguments = {
        "results": trades,
        "trade_count": len(trades),
        "min_date": START,
        "max_date": END,
        "starting_balance": BALANCE,
        "config": {},
        "processed": {},
        "backtest_stats": {},
    }
    return MODULE.SurvivalLoss.hyperopt_loss_function(**{**arguments, **changes})


def test_known_account_gives_the_formula_of_the_docstring() -> None:
    # 100 days: +100 each but the 51st, which loses 500. 365 days in all.
    profits = [100.0] * 50 + [-500.0] + [100.0] * 49
    peak = BALANCE + 50 * 100
    yearly = (50 * 100 - 500 + 49 * 100) / BALANCE * 365.25 / 365
    drawdown = 500 / peak
    # Four days are the worst 1 % of 365: the loss, and three on which nothing happened.
    tail = (500 / peak) / 4
    assert loss(profits) == pytest.approx(100 * tail - yearly / drawdown)


def test_same_profits_with_a_deeper_drawdown_are_worse() -> None:
    # Losses in a row against the same losses spread out.
    spread = ([100.0] * 9 + [-50.0]) * 10
    in_a_row = [100.0] * 45 + [-50.0] * 10 + [100.0] * 45
    assert sum(spread) == sum(in_a_row)
    assert loss(in_a_row) > loss(spread)


def test_same_profit_and_drawdown_with_a_worse_day_is_worse() -> None:
    # Four days are the worst 1 % of a year.
    in_one_day = [100.0] * 50 + [-800.0] + [0.0] * 7 + [100.0] * 50
    in_eight_days = [100.0] * 50 + [-100.0] * 8 + [100.0] * 50
    assert loss(in_one_day) > loss(in_eight_days)


def test_among_losing_results_a_deeper_drawdown_is_worse() -> None:
    rose_first = [100.0] * 20 + [-100.0] * 21
    fell_only = [-100.0 / 41] * 41
    assert sum(rose_first) == pytest.approx(sum(fell_only))
    assert loss(rose_first) > loss(fell_only)


def test_any_profit_is_better_than_any_loss() -> None:
    assert loss([1.0] * 40) < loss([-1.0] * 40)


@given(
    st.lists(st.floats(-3_000, 3_000, allow_nan=False), min_size=30, max_size=120),
    st.integers(1, 29),
)
def test_too_few_trades_are_worse_than_any_result_with_enough(
    profits: list[float], count: int
) -> None:
    assert loss([500.0] * count) > loss(profits)
    assert math.isfinite(loss(profits))


def test_longer_histories_need_more_trades() -> None:
    assert loss([100.0] * 35) < MODULE.TOO_FEW_TRADES
    two_years = datetime(2023, 1, 1, tzinfo=UTC)
    assert loss([100.0] * 35, max_date=two_years) > MODULE.TOO_FEW_TRADES


def test_fewer_of_too_few_trades_are_worse() -> None:
    assert loss([100.0] * 5) > loss([100.0] * 6)


@pytest.mark.parametrize(
    "profits",
    [[], [math.nan] * 40, [100.0] * 39 + [math.nan], [math.inf] + [1.0] * 39],
    ids=["empty", "all undefined", "one undefined", "infinite"],
)
def test_empty_and_undefined_results_are_worst(profits: list[float]) -> None:
    assert loss(profits) == MODULE.WORST
    assert loss([100.0]) < MODULE.WORST


def test_account_without_money_is_worst() -> None:
    assert loss([100.0] * 40, starting_balance=0.0) == MODULE.WORST


def test_freqtrade_finds_the_loss_in_its_own_folder() -> None:
    config = {
        "hyperopt_loss": "SurvivalLoss",
        "user_data_dir": ROOT / "user_data",
        "timeframe": "1h",
    }
    found = HyperOptLossResolver.load_hyperoptloss(config)
    assert type(found).__name__ == "SurvivalLoss"
