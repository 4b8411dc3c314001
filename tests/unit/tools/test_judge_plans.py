"""Variations of a backtest: which runs they ask for, and what they make of the answers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from tools import judge_plans
from tools.judge_changes import KINDS, PARAMETER, SETTING, STOP, WINDOW, Change, Knob, scaled_window
from tools.judge_plans import sensitivity, shuffled, subsets, walk_forward
from tools.judge_runs import Job, JudgeError, Result

PAIRS = tuple(f"{base}/USDT" for base in "ABCDEFGH")
JOB = Job("RegimeSwitch", ("config.json",), "data", timerange="20200101-20220101", pairs=PAIRS)
KNOBS = [Knob(PARAMETER, "days", 4), Knob(STOP, "initial_atr", 1.0), Knob(WINDOW, "SLOW", "20d")]


def result(total: float, drawdown: float = 0.1) -> Result:
    """A result with this return after a drawdown."""
    index = pd.date_range("2020-01-01", periods=3, freq="1D", tz="UTC")
    equity = pd.Series([100.0, 100 * (1 - drawdown), 100 * (1 + total)], index=index)
    trades = pd.DataFrame({"profit_abs": [1.0, -1.0]})
    return Result(equity, 0 * equity, trades, market_change=0.0, failures=0)


class Runner:
    """Stands in for Freqtrade: writes jobs down and answers with what `answer` says of each."""

    def __init__(self, answer: Any = lambda job: result(0.1)) -> None:
        self.jobs: list[Job] = []
        self._answer = answer

    def __call__(self, jobs: Sequence[Job], what: str) -> list[Result]:
        self.jobs += jobs
        return [self._answer(job) for job in jobs]


@pytest.fixture(autouse=True)
def _few_knobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge_plans, "knobs_of", lambda job: KNOBS)


def test_shuffles_keep_the_pairs_and_change_their_order() -> None:
    run = Runner()
    shuffled(JOB, 5, seed=1, run=run)
    assert len({job.pairs for job in run.jobs}) == 5
    assert all(sorted(job.pairs) == sorted(PAIRS) for job in run.jobs)


def test_same_seed_asks_for_the_same_orders() -> None:
    one, other = Runner(), Runner()
    shuffled(JOB, 3, seed=1, run=one)
    shuffled(JOB, 3, seed=1, run=other)
    assert one.jobs == other.jobs


def test_subsets_keep_the_order_of_the_whitelist() -> None:
    run = Runner()
    subsets(JOB, 4, size=5, seed=1, run=run)
    assert all(len(job.pairs) == 5 for job in run.jobs)
    assert all(list(job.pairs) == sorted(job.pairs) for job in run.jobs)


@pytest.mark.parametrize("size", [0, 8, 9])
def test_subset_that_is_none_is_refused_in_one_sentence(size: int) -> None:
    with pytest.raises(JudgeError, match=rf"^--subset-size is {size}: expected from 1 to 7"):
        subsets(JOB, 4, size=size, seed=1, run=Runner())


def test_worst_is_the_largest_drawdown_and_the_smallest_return() -> None:
    answers = iter([result(0.1, 0.2), result(0.3, 0.1), result(0.2, 0.3)])
    spread = shuffled(JOB, 3, seed=1, run=Runner(lambda job: next(answers)))
    assert spread.worst("max_drawdown") == pytest.approx(0.3)
    assert spread.worst("total_return") == pytest.approx(0.1)
    assert spread.median("total_return") == pytest.approx(0.2)


def test_sensitivity_moves_one_knob_at_a_time_both_ways() -> None:
    run = Runner()
    moved = sensitivity(JOB, KINDS, run)
    assert [job.changes for job in run.jobs] == [
        (Change(PARAMETER, "days", 3),),
        (Change(PARAMETER, "days", 5),),
        (Change(STOP, "initial_atr", 0.75),),
        (Change(STOP, "initial_atr", 1.25),),
        (Change(WINDOW, "SLOW", "15d"),),
        (Change(WINDOW, "SLOW", "25d"),),
    ]
    assert [m.knob for m in moved] == KNOBS


def test_sensitivity_moves_only_the_kinds_asked_for() -> None:
    run = Runner()
    moved = sensitivity(JOB, [WINDOW], run)
    assert [m.knob for m in moved] == [KNOBS[2]]
    assert len(run.jobs) == 2


@pytest.mark.parametrize(("value", "down", "up"), [(1, 0, 2), (2, 1, 3), (5, 4, 6), (8, 6, 10)])
def test_whole_numbers_move_by_at_least_one(value: int, down: int, up: int) -> None:
    knob = Knob(PARAMETER, "days", value)
    assert (knob.moved(0.75).value, knob.moved(1.25).value) == (down, up)


def test_settings_move_by_the_factor() -> None:
    assert Knob(SETTING, "risk.per_trade_pct", 0.5).moved(1.25).value == pytest.approx(0.625)


def test_windows_stay_windows() -> None:
    assert scaled_window("10d", 0.75) == "7.5d"


def test_walk_forward_applies_the_best_of_a_year_to_the_next() -> None:
    def answer(job: Job) -> Result:
        wide = Change(STOP, "initial_atr", 1.25) in job.changes
        first_year = job.timerange.startswith("2020")
        return result(0.5 if wide and first_year else 0.1 if first_year or not wide else -0.1)

    (step,) = walk_forward(JOB, Runner(answer))
    assert (step.chosen_on, step.applied_to) == (2020, 2021)
    assert step.stops == 1.25
    assert step.in_sample.total_return == pytest.approx(0.5)
    assert step.out_of_sample.total_return == pytest.approx(-0.1)
    assert step.defaults.total_return == pytest.approx(0.1)
    assert step.hindsight.total_return == pytest.approx(0.1)


def test_walk_forward_runs_each_year_by_itself_and_stays_inside_the_time_range() -> None:
    run = Runner()
    walk_forward(replace(JOB, timerange="20190301-20220101"), run)
    assert {job.timerange for job in run.jobs} == {
        "20190301-20200101",
        "20200101-20210101",
        "20210101-20220101",
    }


@pytest.mark.parametrize("timerange", ["", "20200101-", "20200101-20210101"])
def test_walk_forward_without_two_years_is_refused(timerange: str) -> None:
    with pytest.raises(JudgeError, match="two calendar years"):
        walk_forward(replace(JOB, timerange=timerange), Runner())
