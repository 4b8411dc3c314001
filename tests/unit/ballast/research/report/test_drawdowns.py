"""Falls and changes of a value, on tables small enough to check by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.research.report.drawdowns import changes, falls, max_drawdown, underwater

VALUES = st.lists(st.floats(1.0, 1000.0), min_size=2, max_size=40)


def series(values: list[float], freq: str = "1D", start: str = "2021-01-01") -> pd.Series:
    return pd.Series(
        values, index=pd.date_range(start, periods=len(values), freq=freq, tz="UTC"), dtype=float
    )


def test_each_fall_has_its_peak_its_low_and_its_recovery() -> None:
    deep, shallow = falls(series([100, 90, 100, 110, 88, 99, 99]))
    assert deep.depth == pytest.approx(0.2)
    assert (deep.peak.day, deep.low.day, deep.back) == (4, 5, None)
    assert (deep.days_down, deep.days) == (1, 3)
    assert shallow.depth == pytest.approx(0.1)
    assert (shallow.peak.day, shallow.low.day, shallow.back and shallow.back.day) == (1, 2, 3)


def test_a_value_that_only_rises_never_fell() -> None:
    assert falls(series([1, 2, 2, 3])) == []
    assert max_drawdown(series([1, 2, 2, 3])) == 0.0


def test_an_empty_history_has_no_drawdown() -> None:
    assert max_drawdown(series([])) == 0.0


@given(VALUES)
def test_the_deepest_fall_is_the_maximum_drawdown(values: list[float]) -> None:
    history = series(values)
    found = falls(history)
    assert max_drawdown(history) == pytest.approx(found[0].depth if found else 0.0)


@given(VALUES, st.floats(0.01, 100.0))
def test_the_currency_does_not_matter(values: list[float], factor: float) -> None:
    history = series(values)
    assert np.allclose(underwater(history * factor), underwater(history))


def test_changes_run_from_one_border_to_the_next_and_the_last_to_the_end() -> None:
    history = series([100, 101, 110, 121, 121, 133.1], freq="8h")
    assert list(changes(history, "1D")) == pytest.approx([0.21, 0.1])


@given(VALUES)
def test_changes_multiply_to_the_whole_change(values: list[float]) -> None:
    history = series(values, freq="7h")
    assert np.prod(1 + changes(history, "1D")) == pytest.approx(values[-1] / values[0])
