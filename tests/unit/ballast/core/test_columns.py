"""Columns tell the newest candle that has ended, and whether it is the one expected."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.core.columns import CandleColumns
from tests.unit.ballast.core.made import dates, moment, span


def columns(rows: list[int] | None = None, timeframe: str = "1h") -> CandleColumns:
    """A columns with the candles of those positions."""
    kept = dates(100, timeframe)[list(range(10)) if rows is None else rows]
    return CandleColumns(kept.reset_index(drop=True), timeframe, {"row": np.arange(len(kept))})


@settings(max_examples=300)
@given(
    st.sets(st.integers(0, 40)),
    st.lists(st.floats(-2, 50), min_size=1, max_size=5),
    st.sampled_from(["5m", "1h", "4h", "1d"]),
)
def test_the_newest_candle_that_has_ended_is_found_whatever_is_missing(
    rows: set[int], hours: list[float], timeframe: str
) -> None:
    found = columns(sorted(rows), timeframe)
    candle = span(timeframe)
    for at in hours:
        now = moment(0) + at * candle
        whole = now.replace(microsecond=0)
        ended = [i for i, r in enumerate(sorted(rows)) if moment(0) + (r + 1) * candle <= whole]
        position = ended[-1] if ended else -1
        assert found.completed_at(now) == position
        newest = position >= 0 and moment(0) + (sorted(rows)[position] + 2) * candle > whole
        assert found.newest_at(now) == (position if newest else -1)


@pytest.mark.parametrize(
    ("seconds", "position"), [(-1, 3), (-0.001, 3), (0, 4), (0.001, 4), (3599, 4), (3600, 5)]
)
def test_a_candle_has_ended_at_its_border_and_not_a_moment_before(
    seconds: float, position: int
) -> None:
    assert columns().completed_at(moment(5) + timedelta(seconds=seconds)) == position


def test_the_last_candle_goes_stale_when_the_next_one_should_have_ended() -> None:
    found = columns()
    assert found.newest_at(moment(10.999)) == 9
    assert found.completed_at(moment(11)) == 9
    assert found.newest_at(moment(11)) == -1


def test_an_answer_does_not_depend_on_what_was_asked_before() -> None:
    found = columns()
    asked = [moment(h) for h in (5, 7, 7, 3, -4, 50, 5)]
    assert [found.completed_at(now) for now in asked] == [4, 6, 6, 2, -1, 9, 4]


def test_a_hole_is_not_fresh() -> None:
    found = columns([0, 1, 5, 6])
    assert found.completed_at(moment(4)) == 1
    assert found.newest_at(moment(4)) == -1
    assert found.newest_at(moment(6)) == 2


def test_an_empty_columns_has_nothing() -> None:
    found = columns([])
    assert len(found) == 0
    assert found.completed_at(moment(5)) == -1
    assert found.newest_at(moment(5)) == -1
    assert found.ends_by(moment(0))


def test_a_columns_ends_when_its_last_candle_runs() -> None:
    found = columns()
    assert not found.ends_by(moment(8.999))
    assert found.ends_by(moment(9))


def test_columns_and_labels_are_looked_up_by_name() -> None:
    found = CandleColumns(
        dates(2, "1h"), "1h", {"exit:X": np.array([0, 1])}, {"exit:X": ["overbought"]}
    )
    assert found["exit:X"][1] == 1
    assert found.labels["exit:X"] == ["overbought"]
    assert columns().labels == {}
    with pytest.raises(KeyError):
        columns()["nothing"]


@pytest.mark.parametrize("hours", [list(range(12)), [0, 1, 2, 5, 6, 7, 8, 9, 10, 11], [3]])
def test_an_answer_one_candle_on_is_what_it_is_anew(hours: list[int]) -> None:
    """Most are found one candle on from the last."""
    random, asked = np.random.default_rng(3), columns(hours)
    at = -2.0
    for step in random.choice([0.0, 0.25, 0.5, 1.0, 1.0, 1.0, 1.0, 2.0, -3.0], 400):
        at = at + step if at < 15 else -2.0
        now, anew = moment(at), columns(hours)
        assert asked.newest_at(now) == anew.newest_at(now)
        assert asked.completed_at(now) == anew.completed_at(now)
