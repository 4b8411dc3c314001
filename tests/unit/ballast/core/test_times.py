"""Days and weeks begin at midnight UTC, whatever zone a moment is given in."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.core.times import day_start, from_epoch, to_epoch, week_start

MOMENTS = st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@given(MOMENTS)
def test_seconds_since_the_epoch_round_trip(moment: datetime) -> None:
    assert abs(from_epoch(to_epoch(moment)) - moment) <= timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2024, 3, 5, tzinfo=UTC), 5),
        (datetime(2024, 3, 4, 23, 59, 59, 999_999, tzinfo=UTC), 4),
        (datetime(2024, 3, 5, 0, 0, 0, 1, tzinfo=UTC), 5),
        (datetime(2024, 3, 5, 1, tzinfo=timezone(timedelta(hours=2))), 4),
    ],
)
def test_a_day_begins_at_midnight_utc(at: datetime, day: int) -> None:
    assert day_start(at) == datetime(2024, 3, day, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "day"),
    [
        (datetime(2024, 3, 4, tzinfo=UTC), 4),
        (datetime(2024, 3, 3, 23, 59, tzinfo=UTC), -3),
        (datetime(2024, 3, 10, 23, 59, tzinfo=UTC), 4),
        (datetime(2024, 3, 11, 1, tzinfo=timezone(timedelta(hours=2))), 4),
    ],
)
def test_a_week_begins_on_monday_midnight_utc(at: datetime, day: int) -> None:
    assert week_start(at) == datetime(2024, 3, 1, tzinfo=UTC) + timedelta(days=day - 1)


@given(MOMENTS)
def test_a_moment_lies_within_the_day_and_the_week_that_hold_it(moment: datetime) -> None:
    assert timedelta(0) <= moment - day_start(moment) < timedelta(days=1)
    assert timedelta(0) <= moment - week_start(moment) < timedelta(days=7)
    assert week_start(moment).weekday() == 0
