"""Every trial counts: those shown, hyperopt's, and those that the user owns up to."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ballast.research.report.overfitting import expected_maximum, moments, probabilistic_sharpe
from ballast.research.report.results import ResultError, RunResult, read_zip
from ballast.research.report.trials import Hyperopt, doubt, read_hyperopt
from tests.unit.ballast.research.report.made import trade, write_zip

NONE = Hyperopt(0, ())


def run_of(folder: Path, seed: int, days: int = 900, mean: float = 0.001) -> RunResult:
    moves = mean + 0.01 * np.random.default_rng(seed).standard_normal(days)
    equity = list(1e4 * np.cumprod(1 + moves))
    made = read_zip(write_zip(folder / "a.zip", [trade(1.0, days=3.5)], equity))[0]
    return replace(made, parameters={"seed": seed} if seed else {})


def epochs(folder: Path, name: str, *profits: list[float]) -> None:
    """Epochs of eight days by their profit on days with trades between."""
    lines = []
    for listed in profits:
        metrics = {
            "daily_profit": [["2021-01-01", profit] for profit in listed],
            "backtest_days": 8,
            "starting_balance": 100.0,
        }
        lines.append(json.dumps({"loss": 1.0, "results_metrics": metrics}))
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_all_trials_are_counted(tmp_path: Path) -> None:
    base, trials = run_of(tmp_path, 0), [run_of(tmp_path, seed) for seed in (1, 2)]
    found = doubt(base, trials, Hyperopt(40, (0.1, 0.2)), added=7)
    assert (found.trials, found.hyperopt_epochs, found.added) == (50, 40, 7)


def test_other_strategies_are_trials_too(tmp_path: Path) -> None:
    """Whoever shows the best of five strategies has chosen among five."""
    base = run_of(tmp_path, 0)
    others = [replace(run_of(tmp_path, seed), strategy=f"Other{seed}") for seed in range(1, 5)]
    alone, among = doubt(base, [], NONE), doubt(base, [], NONE, others=others)
    assert (alone.trials, among.trials, among.others) == (1, 5, 4)
    assert among.deflated < alone.deflated
    assert among.overfitting is None


def test_the_deflated_ratio_uses_the_spread_of_all_known_trials(tmp_path: Path) -> None:
    base, trials = run_of(tmp_path, 0), [run_of(tmp_path, seed) for seed in (1, 2)]
    found = doubt(base, trials, Hyperopt(2, (0.3, -0.1)))
    sharpes = [_sharpe(run) for run in (base, *trials)] + [0.3, -0.1]
    least = expected_maximum(float(np.var(sharpes, ddof=1)), 5)
    assert found.deflated == pytest.approx(probabilistic_sharpe(found.found, least))
    assert found.deflated < found.probabilistic


def _sharpe(run: RunResult) -> float:
    # Daily candles: the account at the open of each, and once more at the end.
    return moments(run.equity.pct_change().dropna().to_numpy()).sharpe


def test_one_trial_is_not_deflated_and_not_ranked(tmp_path: Path) -> None:
    found = doubt(run_of(tmp_path, 0), [], NONE)
    assert found.deflated == found.probabilistic
    assert (found.overfitting, found.walk_forward) == (None, None)


def test_trials_of_which_only_the_number_is_known_are_taken_for_independent_ones(
    tmp_path: Path,
) -> None:
    run = run_of(tmp_path, 0)
    found = doubt(run, [], NONE, added=20)
    least = expected_maximum(1 / (found.found.n - 1), 21)
    assert found.deflated == pytest.approx(probabilistic_sharpe(found.found, least))


def test_alike_trials_that_are_known_do_not_hide_those_that_are_not(tmp_path: Path) -> None:
    run = run_of(tmp_path, 0)
    alike = [replace(run, parameters={"days": days}) for days in range(5)]
    assert doubt(run, alike, NONE).deflated == pytest.approx(doubt(run, [], NONE).probabilistic)
    assert doubt(run, alike, NONE, added=20).deflated < doubt(run, [], NONE).probabilistic - 0.01


def test_runs_with_changed_parameters_are_ranked_and_walked_through(tmp_path: Path) -> None:
    trials = [run_of(tmp_path, seed, mean=0.0) for seed in (1, 2, 3)]
    found = doubt(run_of(tmp_path, 0, mean=0.003), trials, NONE)
    assert found.overfitting is not None
    assert (found.overfitting.configurations, found.overfitting.probability < 0.1) == (4, True)
    assert found.walk_forward is not None
    assert {fold.chosen for fold in found.walk_forward.folds} == {0}


def test_epochs_of_hyperopt_are_counted_with_their_daily_sharpe_ratios(tmp_path: Path) -> None:
    epochs(tmp_path, "strategy_Made_2026-01-01_00-00-00.fthypt", [3.0, 0.0, -1.0], [])
    epochs(tmp_path, "strategy_Made_2026-01-02_00-00-00.fthypt", [2.0, -2.0])
    epochs(tmp_path, "strategy_Other_2026-01-01_00-00-00.fthypt", [9.0, 1.0])
    found = read_hyperopt(tmp_path, "Made")
    by_day = np.array([0.03, 0, -0.01, 0, 0, 0, 0, 0])
    assert found.epochs == 3
    assert found.sharpes == pytest.approx((by_day.mean() / by_day.std(ddof=1), 0.0))


def test_no_folder_no_epochs(tmp_path: Path) -> None:
    assert read_hyperopt(tmp_path / "none", "Made") == NONE


@pytest.mark.parametrize("text", ["{", "[]", '{"loss": 1}', '{"results_metrics": 3}'])
def test_an_unreadable_file_of_hyperopt_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "strategy_Made_x.fthypt").write_text(text, encoding="utf-8")
    with pytest.raises(ResultError, match=r"x\.fthypt is no readable hyperopt result"):
        read_hyperopt(tmp_path, "Made")


def test_an_account_that_never_moved_has_no_doubt_to_measure(tmp_path: Path) -> None:
    (run,) = read_zip(write_zip(tmp_path / "a.zip"))
    found: Any = doubt(run, [], NONE)
    assert math.isnan(found.probabilistic)
    assert math.isnan(found.needed_days)
