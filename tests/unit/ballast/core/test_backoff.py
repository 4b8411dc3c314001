"""After each failure in a row the pause doubles, up to a limit; a success ends it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.core.backoff import Backoff, pause

NOW = datetime(2024, 1, 1, tzinfo=UTC)
FIRST, LONGEST = timedelta(seconds=30), timedelta(hours=1)


def failing(times: int) -> Backoff:
    backoff = Backoff(FIRST, LONGEST)
    for _ in range(times):
        backoff.failed("A", NOW)
    return backoff


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (1, 30), (2, 60), (3, 120), (7, 1920), (8, 3600), (500, 3600)]
)
def test_the_pause_doubles_up_to_its_limit(failures: int, seconds: int) -> None:
    assert pause(failures, FIRST, LONGEST) == timedelta(seconds=seconds)


@given(st.integers(0, 10_000), st.floats(1, 1e4), st.floats(1, 1e6))
def test_one_more_failure_never_shortens_the_pause(n: int, first_s: float, more_s: float) -> None:
    first = timedelta(seconds=first_s)
    longest = first + timedelta(seconds=more_s)
    assert pause(n, first, longest) <= pause(n + 1, first, longest) <= longest


def test_the_pause_ends_to_the_moment() -> None:
    backoff = failing(2)
    verdict = backoff.verdict("A", NOW + timedelta(seconds=59.9))
    assert (verdict.code, verdict.blocks) == ("BACKOFF", True)
    assert verdict.value == pytest.approx(0.1)
    assert verdict.until == NOW + timedelta(seconds=60)
    assert not backoff.verdict("A", NOW + timedelta(seconds=60)).blocks


def test_failures_are_counted_on_after_a_pause() -> None:
    """Until something succeeds it is one row of failures, however far apart."""
    backoff = failing(1)
    later = NOW + timedelta(minutes=10)
    assert backoff.failed("A", later) == later + timedelta(seconds=60)


def test_a_success_ends_it_and_others_are_not_concerned() -> None:
    backoff = failing(5)
    assert not backoff.verdict("B", NOW).blocks
    backoff.succeeded("A")
    assert not backoff.verdict("A", NOW).blocks
    assert backoff.failed("A", NOW) == NOW + FIRST
