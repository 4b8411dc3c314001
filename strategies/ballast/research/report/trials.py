"""How many ways were tried, and whether the one shown is more than the best of them."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ballast.research.report.drawdowns import changes
from ballast.research.report.overfitting import (
    Moments,
    Overfitting,
    backtest_overfitting,
    deflated_sharpe,
    minimum_track_record,
    moments,
    probabilistic_sharpe,
)
from ballast.research.report.results import ResultError, RunResult
from ballast.research.report.walk_forward import WalkForward, walk_forward

HYPEROPT_FOLDER = Path("user_data/hyperopt_results")
_BLOCKS = 16


@dataclass(frozen=True)
class Hyperopt:
    """Epochs that hyperopt left behind, and their daily Sharpe ratios as far as they are known."""

    epochs: int
    sharpes: tuple[float, ...]


@dataclass(frozen=True)
class Doubt:
    """
    How far the Sharpe ratio can be trusted; Sharpe ratios are per day.

    Parameters
    ----------
    trials : int
        Ways that were tried: this one, the runs with changed parameters, hyperopt's epochs, the
        other strategies, and those that the user adds.
    probabilistic : float
        Probability that the true Sharpe ratio is above zero, as if this were the only trial.
    deflated : float
        Likewise above that of the best of the trials without skill. Trials of which only the
        number is known are taken for independent ones.
    needed_days : float
        Minimum track record at 95 %; infinite where the Sharpe ratio is not positive.
    overfitting : Overfitting or None
    walk_forward : WalkForward or None
        None where there are too few runs with changed parameters, or days.
    """

    found: Moments
    trials: int
    hyperopt_epochs: int
    added: int
    others: int
    probabilistic: float
    deflated: float
    needed_days: float
    overfitting: Overfitting | None
    walk_forward: WalkForward | None


def doubt(
    base: RunResult,
    trials: Sequence[RunResult],
    hyperopt: Hyperopt,
    added: int = 0,
    others: Sequence[RunResult] = (),
) -> Doubt:
    """
    Judge a run by the trials that led to it.

    Parameters
    ----------
    trials : sequence of RunResult
        The same period and pairs with other parameters.
    added : int
        Further trials of which nothing is left.
    others : sequence of RunResult
        Other strategies that were tried beside it: whoever shows the best of them has chosen.
    """
    daily = [changes(run.equity, "1D") for run in (base, *trials)]
    same = [series for series in daily if series.index.equals(daily[0].index)]
    found = moments(daily[0].to_numpy())
    count = 1 + len(trials) + hyperopt.epochs + added + len(others)
    beside = [changes(run.equity, "1D") for run in others]
    sharpes = [moments(series.to_numpy()).sharpe for series in (*daily, *beside)]
    sharpes += hyperopt.sharpes
    known = [value for value in sharpes if math.isfinite(value)]
    table = np.column_stack([series.to_numpy() for series in same])
    return Doubt(
        found=found,
        trials=count,
        hyperopt_epochs=hyperopt.epochs,
        added=added,
        others=len(others),
        probabilistic=probabilistic_sharpe(found),
        deflated=_deflated(found, known, count),
        needed_days=minimum_track_record(found),
        overfitting=backtest_overfitting(table, _BLOCKS),
        walk_forward=walk_forward(same, _longest_holding(base)),
    )


def read_hyperopt(folder: Path, strategy: str) -> Hyperopt:
    """
    Count a strategy's epochs in Freqtrade's folder of hyperopt results.

    Raises
    ------
    ResultError
        If a file of it is unreadable: trials that are not counted flatter.
    """
    epochs, sharpes = 0, []
    for path in sorted(folder.glob(f"strategy_{strategy}_*.fthypt")):
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
            for line in filter(None, lines):
                metrics = json.loads(line)["results_metrics"]
                epochs += 1
                sharpes.append(_epoch_sharpe(metrics))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise ResultError(
                f"{path} is no readable hyperopt result: move it away if it is not one"
            ) from None
    return Hyperopt(epochs, tuple(value for value in sharpes if math.isfinite(value)))


def _epoch_sharpe(metrics: Mapping[str, Any]) -> float:
    """
    Daily Sharpe ratio of an epoch by its closed trades: hyperopt keeps no history of the account.

    NaN without trades.
    """
    profits = [float(profit) for _, profit in metrics["daily_profit"]]
    # Days before the first and after the last trade are not listed.
    idle = max(int(metrics["backtest_days"]) - len(profits), 0)
    returns = np.array(profits + [0.0] * idle) / float(metrics["starting_balance"])
    return moments(returns).sharpe


def _deflated(found: Moments, sharpes: Sequence[float], count: int) -> float:
    variance = float(np.var(sharpes, ddof=1)) if len(sharpes) > 1 else 0.0
    if count > len(sharpes) and found.n > 1:
        # What a Sharpe ratio of n returns varies by where there is no skill.
        variance = max(variance, 1 / (found.n - 1))
    return deflated_sharpe(found, variance, count)


def _longest_holding(run: RunResult) -> int:
    if not len(run.trades):
        return 0
    longest = (run.trades["close_date"] - run.trades["open_date"]).max()
    return math.ceil(longest / pd.Timedelta(days=1))
