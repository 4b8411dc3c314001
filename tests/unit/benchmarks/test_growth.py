"""The scripted trades of the benchmark: the same with and without guards, and never blocked."""

from pathlib import Path

import pandas as pd
import pytest

from ballast.config import settings
from benchmarks import growth, market
from benchmarks.strategies import WIDE_LIMITS
from benchmarks.worker import Job, measure


def test_wide_limits_are_accepted_and_leave_every_guard_on() -> None:
    assert settings.load(WIDE_LIMITS).guards.off == []


def test_there_is_room_for_the_trades_that_are_asked_for() -> None:
    hours = growth.hours_for(trades=1_001, pairs=10)
    assert hours - growth.WARMUP_DAYS * 24 >= 2 * 101


def test_calm_candles_are_the_same_for_the_same_seed_and_written_once(tmp_path: Path) -> None:
    one, other = market.calm(tmp_path / "a", 3, 50, 2), market.calm(tmp_path / "b", 3, 50, 2)
    name = "BTC_USDT-1h.feather"
    pd.testing.assert_frame_equal(
        pd.read_feather(one.folder / name), pd.read_feather(other.folder / name)
    )
    written = (one.folder / name).stat().st_mtime_ns
    market.calm(tmp_path / "a", 3, 50, 2)
    assert (one.folder / name).stat().st_mtime_ns == written


@pytest.mark.slow
def test_guards_and_protections_leave_the_scripted_trades_alone(tmp_path: Path) -> None:
    hours = growth.hours_for(trades=60, pairs=3)
    candles = market.calm(tmp_path, 3, hours, 3)
    made = {}
    for name, strategy in growth.VARIANTS.items():
        job = Job.on(candles, strategy, settings=growth.SETTINGS, every=4)
        measured = measure(job)
        assert (measured.locks, measured.incidents) == (0, 0), name
        made[name] = [(t["pair"], t["open_date"], t["close_date"]) for t in measured.trades]
    first, *others = made.values()
    assert len(first) > 20
    assert all(other == first for other in others)
