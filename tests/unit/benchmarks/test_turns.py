"""Backtests compared run side by side: each is what it is alone, and one that fails says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import market
from benchmarks.errors import BenchmarkError
from benchmarks.worker import TURN_S, Job, even_turns, measure_in_turns


def test_runs_in_turns_are_whole_and_in_the_order_of_their_jobs(tmp_path: Path) -> None:
    candles = market.calm(tmp_path, 1, 300, count=2)
    often, never = (Job.on(candles, "Often", every=every, startup=5) for every in (10, 0))
    first, second = measure_in_turns([often, never])
    assert len(first.trades) > 10
    assert not second.trades
    assert first.rows == second.rows > 0
    assert first.seconds["loop"] > 0


def test_loops_that_take_longer_are_given_longer_turns(tmp_path: Path) -> None:
    """All are then at work all along: none of them alone, at another speed, at the end."""
    candles = market.calm(tmp_path, 1, 300, count=2)
    found = measure_in_turns([Job.on(candles, "Often", startup=5) for _ in range(3)], [0.02] * 3)
    turns = even_turns(
        [replace(one, seconds={"loop": took}) for one, took in zip(found, (1, 2, 3), strict=True)]
    )
    assert turns == pytest.approx([TURN_S * 0.5, TURN_S, TURN_S * 1.5])


def test_one_that_fails_is_told_in_its_own_words(tmp_path: Path) -> None:
    candles = market.calm(tmp_path, 1, 300, count=2)
    fine, wrong = Job.on(candles, "Often", startup=5), Job.on(candles, "strategies/Missing.py")
    with pytest.raises(BenchmarkError, match=r"strategies/Missing\.py failed:(.|\n)*Missing"):
        measure_in_turns([fine, wrong])
