"""Percentiles by nearest rank, and stages as seconds since the close and since the one before."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.core.latency import STAGES, as_text, of_text, percentile, steps, summarise

SECONDS = st.lists(st.floats(0, 1e4), min_size=1, max_size=40)
WHOLE = dict(zip(STAGES, (1.0, 1.5, 1.6, 1.6, 1.9, 2.0, 2.5, 7.0), strict=True))


@pytest.mark.parametrize(
    ("percent", "value"), [(50, 50), (95, 95), (99, 99), (99.1, 100), (100, 100), (1, 1), (0, 1)]
)
def test_a_percentile_is_one_of_the_values(percent: float, value: float) -> None:
    assert percentile(list(range(100, 0, -1)), percent) == value


def test_of_few_values_the_high_percentiles_are_the_worst() -> None:
    assert percentile([3.0, 1.0, 2.0], 95) == 3.0
    assert percentile([7.0], 50) == 7.0
    assert math.isnan(percentile([], 50))


@given(SECONDS, st.floats(0, 100))
def test_so_many_values_do_not_exceed_it(values: list[float], percent: float) -> None:
    found = percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) >= percent / 100 * len(values) - 1e-9


def test_a_stage_is_measured_from_the_one_before() -> None:
    assert steps(WHOLE)["received"] == 1.0
    assert steps(WHOLE)["analysed"] == pytest.approx(0.5)
    assert steps(WHOLE)["stop_live"] == pytest.approx(4.5)
    assert sum(steps(WHOLE).values()) == pytest.approx(WHOLE["stop_live"])


def test_a_stage_that_is_missing_is_part_of_the_next() -> None:
    without = {name: second for name, second in WHOLE.items() if name != "acknowledged"}
    assert steps(without)["first_fill"] == pytest.approx(0.4)
    assert "acknowledged" not in steps(without)


def test_a_summary_counts_what_was_recorded() -> None:
    short = {"received": 3.0, "analysed": 3.2}
    found = summarise([WHOLE, short])
    assert list(found) == list(STAGES)
    assert (found["received"].count, found["filled"].count) == (2, 1)
    assert found["received"].since_close == (1.0, 3.0, 3.0)
    assert found["received"].worst == 3.0
    assert found["analysed"].of_stage == pytest.approx((0.2, 0.5, 0.5))
    assert summarise([]) == {}


def test_what_is_kept_with_a_trade_is_a_sentence_and_reads_back() -> None:
    closed = datetime(2024, 3, 1, 14, tzinfo=UTC)
    text = as_text(closed, {"sent": 1.6, "stop_live": 7.0})
    told = "order sent 1.6 s, stop on the exchange 7 s"
    assert text == f"after the candle that closed 2024-03-01 14:00:00 UTC: {told}"
    assert of_text(text) == (closed, {"sent": 1.6, "stop_live": 7.0})
    assert of_text(as_text(closed, WHOLE)) == (closed, WHOLE)


def test_what_was_kept_before_it_was_a_sentence_is_read_too() -> None:
    kept = {"candle_close": "2024-03-01T14:00:00+00:00", "sent": 1.6}
    assert of_text(kept) == (datetime(2024, 3, 1, 14, tzinfo=UTC), {"sent": 1.6})
