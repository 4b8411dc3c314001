"""Some hours of the soak run: a real process, killed twice, on an exchange that keeps failing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.run_soak import soak
from tools.soak_report import ZEROS

# Five that a pool keeps, and what is being answered.
MOST_CONNECTIONS = 8


@pytest.mark.slow
def test_nothing_is_lost_bought_twice_or_left_unknown_when_everything_fails(
    tmp_path: Path,
) -> None:
    figures = soak(seed=1, days=0.3, kills=2, folder=tmp_path)
    assert {name: getattr(figures, name) for name in ZEROS} == dict.fromkeys(ZEROS, 0)
    assert figures.kills == 2
    assert figures.positions >= 2
    assert figures.struck > 20
    # Charts and metrics were asked for all the time, and took no connection away.
    assert figures.requests > 100
    assert figures.connections <= MOST_CONNECTIONS
