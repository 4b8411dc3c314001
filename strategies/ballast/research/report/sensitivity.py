"""What becomes of the result when one parameter is moved."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ballast.research.report.drawdowns import max_drawdown
from ballast.research.report.results import RunResult


@dataclass(frozen=True)
class Move:
    """One parameter at another value, and what came of it (ratios)."""

    parameter: str
    value: Any
    total_return: float
    drawdown: float
    ratio: float
    trades: int


def moves(trials: Sequence[RunResult]) -> list[Move]:
    """Every run in which exactly one parameter is changed, by parameter and value."""
    found = []
    for run in trials:
        if len(run.parameters) == 1:
            ((name, value),) = run.parameters.items()
            fall = max_drawdown(run.equity)
            found.append(
                Move(name, value, run.total_return, fall, over_drawdown(run), len(run.trades))
            )
    return sorted(found, key=lambda move: (move.parameter, _order(move.value)))


def over_drawdown(run: RunResult) -> float:
    """Total return over maximum drawdown; NaN without a drawdown."""
    fall = max_drawdown(run.equity)
    return run.total_return / fall if fall > 0 else math.nan


def _order(value: Any) -> tuple[int, float, str]:
    """Numbers by size, then everything else by its text."""
    if isinstance(value, int | float):
        return 0, float(value), ""
    return 1, 0.0, str(value)
