"""What the guard EdgeDecay compares with, from a backtest of the very strategy."""

import json
import math
from typing import Any

from ballast.config import settings
from ballast.research.report.results import RunResult
from ballast.research.report.trades import in_r
from ballast.research.report.wording import counted


class NoBaseline(Exception):
    """A backtest shows no edge that could decay; the text is one sentence for the user."""


def section(result: RunResult) -> dict[str, Any]:
    """
    The section of settings that holds a run's results in R.

    Raises
    ------
    NoBaseline
        Where there are too few trades, or they are no better than luck.
    """
    results = in_r(result.trades)["r"].dropna()
    if len(results) < 2:
        raise NoBaseline(
            f"this backtest has {counted(len(results), 'trade')} with a result in R: expected two "
            "or more"
        )
    mean, sd = float(results.mean()), float(results.std(ddof=1))
    error = sd / math.sqrt(len(results))
    if mean <= error:
        raise NoBaseline(
            f"{counted(len(results), 'trade')} of this backtest made {mean:+.2f} R each, where "
            f"luck alone makes {error:.2f} R either way: what is no better cannot decay"
        )
    figures = {
        "mean_r": round(mean, 4),
        "sd_r": round(sd, 4),
        "trades": len(results),
        "strategy": result.strategy,
    }
    made = {"guards": {"EdgeDecay": figures}}
    try:
        settings.load(made)
    except settings.SettingsError as refused:
        raise NoBaseline(f"this backtest is no baseline: {refused}") from None
    return made


def text(made: dict[str, Any]) -> str:
    """A section as it stands in config.json."""
    return json.dumps({settings.SECTION: made}, indent=4)
