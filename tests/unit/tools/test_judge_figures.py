"""Figures of a backtest from small accounts whose answers can be worked out by hand."""

import math
from datetime import UTC, datetime

import pandas as pd
import pytest
from freqtrade.data.metrics import calculate_max_drawdown_from_balance
from hypothesis import given
from hypothesis import strategies as st

from tools.judge_figures import (
    Window,
    by_window,
    by_year,
    change,
    max_drawdown,
    measure,
    profit_factor,
    worst_day,
)


def account(*values: float, start: str = "2021-01-01", step: str = "1D") -> pd.Series:
    index = pd.date_range(start, periods=len(values), freq=step, tz="UTC")
    return pd.Series([float(value) for value in values], index=index)


def test_drawdown_is_a_share_of_the_peak_before_it() -> None:
    assert max_drawdown(account(100, 120, 90, 200, 180)) == pytest.approx(0.25)


def test_account_that_only_rises_has_no_drawdown_and_no_ratio() -> None:
    equity = account(100, 101, 102)
    assert max_drawdown(equity) == 0
    figures = measure(equity, 0 * equity, pd.Series([1.0, 1.0]), 0.0)
    assert math.isnan(figures.return_over_drawdown)
    assert math.isnan(figures.profit_factor)


@given(st.lists(st.floats(1, 1e6), min_size=2, max_size=40))
def test_drawdown_is_the_one_that_freqtrade_calls_max_underwater(values: list[float]) -> None:
    equity = account(*values)
    wallet = pd.DataFrame({"date": equity.index, "total_quote": equity.to_numpy()})
    theirs = calculate_max_drawdown_from_balance(wallet, relative=True).relative_account_drawdown
    assert max_drawdown(equity) == pytest.approx(theirs)


def test_worst_day_runs_from_midnight_to_midnight() -> None:
    # Down 10 within the first day and up again before it ends; down 5 % over the second.
    equity = account(100, 90, 100, 98, 95, 95, step="12h")
    assert worst_day(equity) == pytest.approx(95 / 100 - 1)


def test_last_day_counts_although_it_has_no_midnight_after_it() -> None:
    assert worst_day(account(100, 100, 100, 80, step="12h")) == pytest.approx(-0.2)


def test_account_that_never_loses_has_a_worst_day_of_zero() -> None:
    assert worst_day(account(100, 101, 103)) == 0


def test_years_multiply_to_the_total() -> None:
    equity = account(*(100 + day for day in range(800)), start="2020-06-01")
    years = by_year(equity)
    assert list(years) == [2020, 2021, 2022]
    total = math.prod(1 + year for year in years.values()) - 1
    assert total == pytest.approx(change(equity))


def test_year_that_only_holds_the_last_value_is_no_year() -> None:
    assert list(by_year(account(100, 101, 102, start="2020-12-30"))) == [2020]


def test_window_gives_change_over_it_and_drawdown_within_it() -> None:
    window = Window("fall", datetime(2021, 1, 3, tzinfo=UTC), datetime(2021, 1, 4, tzinfo=UTC))
    found = by_window(account(100, 200, 150, 180, 50), [window])
    assert found["fall"].change == pytest.approx(-0.1)
    assert found["fall"].drawdown == pytest.approx(0.25)


def test_window_that_begins_with_a_gap_counts_the_gap() -> None:
    window = Window("gap", datetime(2021, 1, 2, tzinfo=UTC), datetime(2021, 1, 3, tzinfo=UTC))
    found = by_window(account(100, 60, 66), [window])
    assert found["gap"].drawdown == pytest.approx(0.4)


def test_window_that_is_not_covered_as_a_whole_is_left_out() -> None:
    window = Window("later", datetime(2021, 1, 2, tzinfo=UTC), datetime(2021, 2, 1, tzinfo=UTC))
    assert by_window(account(100, 200, 150), [window]) == {}


def test_profit_factor_is_profits_over_losses() -> None:
    assert profit_factor(pd.Series([30.0, -10.0, 0.0, 10.0, -10.0])) == 2.0


def test_exposure_is_the_mean_share_in_positions() -> None:
    equity, invested = account(100, 200, 100), account(0, 100, 100)
    figures = measure(equity, invested, pd.Series([1.0]), 0.5)
    assert figures.exposure == pytest.approx((0 + 0.5 + 1) / 3)


def test_trades_a_year_are_by_the_length_of_the_history() -> None:
    half = account(*([100.0] * 184), start="2021-01-01")
    figures = measure(half, 0 * half, pd.Series([1.0] * 10), 0.0)
    assert figures.trades_a_year == pytest.approx(10 * 365.25 / 183)


def test_history_of_one_value_is_refused() -> None:
    with pytest.raises(ValueError, match="at least two"):
        measure(account(100), account(0), pd.Series([], dtype=float), 0.0)
