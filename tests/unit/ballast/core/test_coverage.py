"""Seconds without a stop: the life of a position less the time in which an order covered it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.core.coverage import uncovered_s

T0 = datetime(2024, 1, 1, tzinfo=UTC)
SPANS = st.lists(
    st.tuples(st.integers(-50, 150), st.integers(0, 80)).map(lambda s: (s[0], s[0] + s[1])),
    max_size=6,
)


def at(second: float) -> datetime:
    return T0 + timedelta(seconds=second)


def bare(begin: int, end: int, *spans: tuple[int, int]) -> float:
    return uncovered_s(at(begin), at(end), [(at(a), at(b)) for a, b in spans])


@pytest.mark.parametrize(
    ("spans", "seconds"),
    [
        ([], 100),
        ([(0, 100)], 0),
        ([(5, 100)], 5),
        ([(5, 60), (62, 100)], 7),
        ([(62, 100), (5, 60)], 7),
        ([(5, 60), (40, 100)], 5),
        ([(5, 90), (20, 30)], 15),
        ([(-10, 200)], 0),
        ([(100, 200)], 100),
        ([(150, 200)], 100),
        ([(0, 0)], 100),
    ],
)
def test_gaps_before_between_and_after_orders_are_counted(
    spans: list[tuple[int, int]], seconds: float
) -> None:
    assert bare(0, 100, *spans) == seconds


@given(SPANS)
def test_it_is_the_number_of_seconds_in_which_no_order_was_there(
    spans: list[tuple[int, int]],
) -> None:
    counted = sum(not any(a <= second < b for a, b in spans) for second in range(100))
    assert bare(0, 100, *spans) == counted


@given(SPANS, st.tuples(st.integers(-50, 150), st.integers(0, 80)))
def test_one_more_order_never_uncovers(spans: list[tuple[int, int]], more: tuple[int, int]) -> None:
    assert bare(0, 100, *spans, (more[0], more[0] + more[1])) <= bare(0, 100, *spans)
