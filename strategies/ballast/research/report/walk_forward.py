"""Choosing on the past and trading the future, with the parameter trials that were made.

Every trial is one backtest over the whole period; its daily returns are cut into folds. A position
that is open at a border belongs to both sides, which is why days in between are left out.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from ballast.research.report.overfitting import moments

FOLDS = 6
_TRAINING_FOLDS = 3


@dataclass(frozen=True)
class Fold:
    """
    One step: Sharpe ratios are per day, returns are ratios over the test days.

    Parameters
    ----------
    start, end : datetime (UTC)
        Of the days that were traded.
    chosen : int
        Position of the trial with the highest Sharpe ratio on the days before.
    """

    start: datetime
    end: datetime
    chosen: int
    in_sample: float
    out_of_sample: float
    chosen_return: float
    base_return: float


@dataclass(frozen=True)
class WalkForward:
    """
    All steps together.

    Parameters
    ----------
    efficiency : float
        Mean Sharpe ratio out of sample over the mean in sample; NaN where that is not positive.
    chosen_return, base_return : float
        Over all test days: of what was chosen, and of the first trial throughout.
    """

    folds: tuple[Fold, ...]
    efficiency: float
    chosen_return: float
    base_return: float


def walk_forward(
    trials: Sequence[pd.Series], gap_days: int = 0, folds: int = FOLDS
) -> WalkForward | None:
    """
    Choose on three folds the best trial and apply it to the next, and so on.

    Parameters
    ----------
    trials : sequence of Series
        Daily returns (ratio) of each trial over the same days; the first is the strategy as it is.
    gap_days : int
        Days between choosing and trading that belong to neither: the longest holding time.

    Returns
    -------
    WalkForward or None
        None with fewer than two trials or too few days for folds of thirty.
    """
    if len(trials) < 2:
        return None
    table = np.column_stack([trial.to_numpy(dtype=float) for trial in trials])
    dates = pd.DatetimeIndex(trials[0].index)
    length = len(table) // (folds + _TRAINING_FOLDS)
    if length < 30 + gap_days:
        return None
    begins = [len(table) - (folds - number) * length for number in range(folds)]
    found = [_fold(table, dates, begin, length, gap_days) for begin in begins]
    inside = float(np.mean([fold.in_sample for fold in found]))
    outside = float(np.mean([fold.out_of_sample for fold in found]))
    return WalkForward(
        folds=tuple(found),
        efficiency=outside / inside if inside > 0 else math.nan,
        chosen_return=_growth(np.array([fold.chosen_return for fold in found])),
        base_return=_growth(np.array([fold.base_return for fold in found])),
    )


def _fold(
    table: np.ndarray, dates: pd.DatetimeIndex, begin: int, length: int, gap_days: int
) -> Fold:
    """The step whose test days begin at a row of the table of returns (days, trials)."""
    learnt = table[begin - _TRAINING_FOLDS * length : begin - gap_days]
    tested = table[begin : begin + length]
    sharpes = [_sharpe(column) for column in learnt.T]
    chosen = int(np.argmax(sharpes))
    return Fold(
        start=dates[begin].to_pydatetime(),
        end=dates[begin + length - 1].to_pydatetime(),
        chosen=chosen,
        in_sample=sharpes[chosen],
        out_of_sample=_sharpe(tested[:, chosen]),
        chosen_return=_growth(tested[:, chosen]),
        base_return=_growth(tested[:, 0]),
    )


def _sharpe(returns: np.ndarray) -> float:
    """Sharpe ratio per day; 0 of an account that did not move."""
    value = moments(returns).sharpe
    return 0.0 if math.isnan(value) else value


def _growth(returns: np.ndarray) -> float:
    return float(np.prod(1 + returns) - 1)
