"""A run answers a question only if it differs from the base run in just that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ballast.research.report.results import RunResult, read_zip
from ballast.research.report.selection import by_strategy
from tests.unit.ballast.research.report.made import write_zip


@pytest.fixture
def run(tmp_path: Path) -> RunResult:
    return replace(read_zip(write_zip(tmp_path / "a.zip"))[0], costs="base")


def test_the_base_run_has_base_costs_every_guard_and_nothing_changed(run: RunResult) -> None:
    runs = [
        replace(run, costs="worst"),
        replace(run, parameters={"days": 3}),
        replace(run, without_guard="DrawdownLadder"),
        run,
        replace(run, costs="none"),
    ]
    found = by_strategy(runs)["Made"]
    assert found.base is run
    assert [each.costs for each in found.costs] == ["none", "base", "worst"]
    assert [each.without_guard for each in found.without_guard] == ["DrawdownLadder"]
    assert [each.parameters for each in found.trials] == [{"days": 3}]


def test_a_run_that_differs_in_two_ways_answers_nothing(run: RunResult) -> None:
    found = by_strategy([run, replace(run, costs="worst", parameters={"days": 3})])["Made"]
    assert found.costs == (run,)
    assert found.trials == ()


def test_other_pairs_and_other_times_are_kept_apart(run: RunResult) -> None:
    fewer = replace(run, pairs=run.pairs[:1])
    shorter = replace(run, end=run.end.replace(day=run.end.day - 1))
    found = by_strategy([shorter, fewer, run])["Made"]
    assert (found.base, found.pairs, found.periods) == (run, (fewer,), (shorter,))


def test_each_strategy_has_its_own_runs(run: RunResult) -> None:
    other = replace(run, strategy="Other")
    assert list(by_strategy([other, run])) == ["Other", "Made"]


def test_one_run_is_enough(run: RunResult) -> None:
    only = replace(run, costs="worst", without_guard="DrawdownLadder")
    assert by_strategy([only])["Made"].base is only
