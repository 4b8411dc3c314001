"""Candles that guards need not be shown: they would have remembered nothing else."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from ballast.config.guards import GuardSettings
from ballast.core.guard_set import GuardSet
from ballast.core.snapshot import Snapshot

START, HOUR = datetime(2024, 1, 3, tzinfo=UTC), timedelta(hours=1)
COUNT = 24 * 60
# By guard: settings that are met by an account that moves by half a percent an hour.
FOLLOWING: dict[str, dict[str, Any]] = {
    "DailyLossLimit": {"reducing_pct": 1.5, "halted_pct": 3.0},
    "WeeklyLossLimit": {"reducing_pct": 3.0, "halted_pct": 6.0},
    "DrawdownLadder": {"halt_days": 2.0},
    "DrawdownLimit": {"limit_pct": 30.0, "near_pct": 12.0},
    "RollingDrawdownLimit": {"limit_pct": 8.0, "window_days": 5},
}


def guard_set(*names: str) -> GuardSet:
    settings = GuardSettings.model_validate({name: FOLLOWING[name] for name in names})
    built = settings.build(60)
    return GuardSet({name: built[name] for name in names})


@pytest.mark.parametrize("names", [*((name,) for name in FOLLOWING), tuple(FOLLOWING)])
@pytest.mark.parametrize("seed", range(3))
def test_calm_candles_would_have_taught_nothing_but_the_last_figure(
    names: tuple[str, ...], seed: int
) -> None:
    random = np.random.default_rng(seed)
    every, some = guard_set(*names), guard_set(*names)
    moves = 0.005 * random.standard_normal(COUNT) * (random.random(COUNT) < 0.5)
    equity, unshown, calm, said = 1_000 * np.exp(np.cumsum(moves)), None, 0, 0
    equity[random.integers(0, COUNT, 3)] = np.nan
    for at, value in enumerate(equity):
        snapshot = Snapshot(START + at * HOUR, float(value))
        expected = every.follow(snapshot)
        is_due = some.is_due(snapshot.now)
        is_calm = not is_due and some.is_calm(snapshot.equity, snapshot.now)
        if is_calm:
            calm, unshown = calm + 1, snapshot
            assert not expected
            assert not every.lifted
        # Sometimes somebody asks at a calm candle, and is told as if all had been shown.
        if unshown is not None and (not is_calm or random.random() < 0.1):
            assert not some.follow(unshown)
            unshown = None
        if not is_calm:
            assert some.follow(snapshot) == expected
            assert some.lifted == every.lifted
        said += len(expected)
        assert every.heat_left(snapshot.equity) == some.heat_left(snapshot.equity) or value != value
        if unshown is None:
            assert some.standing() == every.standing() or value != value
            assert [g.memory for g in some.guards.values()] == [
                g.memory for g in every.guards.values()
            ]
            assert some.beginnings == every.beginnings
    assert said
    assert calm > COUNT / 3
