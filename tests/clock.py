"""The wall clock of tests, set here and in every process that a test starts; it ticks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
import time_machine

# Of every test that asks for nothing else: five past noon, in the middle of a week and a month.
USUAL = datetime(2025, 5, 14, 12, 5, tzinfo=UTC)
# Of tests that live by the machine's clock: just after midnight on a leap day, just before it at
# the end of a month.
ANY_HOUR = (
    datetime(2024, 2, 29, 0, 0, 20, tzinfo=UTC),
    datetime(2025, 10, 31, 23, 58, 30, tzinfo=UTC),
)
# Read by `tests/child/sitecustomize.py`.
AHEAD = "BALLAST_TEST_CLOCK_AHEAD_S"


@contextmanager
def set_to(moment: datetime) -> Iterator[None]:
    """Let it be this moment when the block begins."""
    with pytest.MonkeyPatch.context() as environment, time_machine.travel(moment):
        # It ticks from the moment on when it is first asked for.
        environment.setenv(AHEAD, str(time.time() - time_machine.escape_hatch.time.time()))
        yield
