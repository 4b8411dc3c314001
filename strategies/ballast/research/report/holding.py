"""What holding the pairs would have done instead."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ballast.core.windows import minutes
from ballast.research.report import drawdowns
from ballast.research.report.results import RunResult


@dataclass(frozen=True)
class Holding:
    """
    Buying at the start and doing nothing; values start at 1, without fees.

    Parameters
    ----------
    pairs : Series over UTC days
        Equal shares of every pair; a share waits in cash for a pair that is not traded yet.
    leader : Series over UTC days
        Everything in the market leader.
    same_exposure : Series over UTC days
        As `pairs`, with the run's own mean share of the account in it, set right every day.
    """

    pairs: pd.Series
    leader: pd.Series
    same_exposure: pd.Series


def hold(
    run: RunResult, candles: Mapping[str, pd.DataFrame], leader: str, exposure: float
) -> Holding | None:
    """
    Hold the pairs of a run over its days; None where no candles of any are known.

    Parameters
    ----------
    exposure : float
        Mean share of the account in positions (ratio).
    """
    days = pd.date_range(pd.Timestamp(run.start).normalize(), run.end, freq="1D")
    closes = {
        pair: _daily(candles[pair], run, days) for pair in (*run.pairs, leader) if pair in candles
    }
    own = [closes[pair] for pair in run.pairs if pair in closes]
    if not own or len(days) < 2:
        return None
    # A pair that is not traded yet has its first price: its share waits.
    growth = [(close / close.bfill().iloc[0]).bfill() for close in own]
    together = pd.concat(growth, axis=1).mean(axis=1)
    lead = closes.get(leader, pd.Series(math.nan, index=days))
    daily = together.pct_change().fillna(0.0)
    return Holding(
        pairs=together,
        leader=(lead / lead.bfill().iloc[0]).bfill(),
        same_exposure=(1 + exposure * daily).cumprod(),
    )


def pair_change(frame: pd.DataFrame, run: RunResult) -> float:
    """Change of one pair over the run (ratio); NaN without candles in it."""
    inside = frame.loc[(frame["date"] >= run.start) & (frame["date"] < run.end)]
    if not len(inside):
        return math.nan
    return float(inside["close"].iloc[-1] / inside["open"].iloc[0] - 1)


def capture(account: pd.Series, market: pd.Series) -> tuple[float, float]:
    """
    Mean change of the account in months in which the market rose and fell (ratios).

    Parameters
    ----------
    account, market : Series over UTC time
    """
    own, other = drawdowns.changes(account, "1MS"), drawdowns.changes(market, "1MS")
    both = pd.concat([own, other], axis=1, keys=["own", "other"]).dropna()
    up, down = both.loc[both["other"] > 0, "own"], both.loc[both["other"] < 0, "own"]
    return (
        float(up.mean()) if len(up) else math.nan,
        float(down.mean()) if len(down) else math.nan,
    )


def _daily(frame: pd.DataFrame, run: RunResult, days: pd.DatetimeIndex) -> pd.Series:
    """Price at the beginning of each day: the last close by then; NaN before the first candle."""
    ends = pd.DatetimeIndex(frame["date"]) + pd.Timedelta(minutes=minutes(run.timeframe))
    position = ends.searchsorted(days, side="right") - 1
    closes = frame["close"].to_numpy(dtype=float)
    known = np.where(position >= 0, closes[np.maximum(position, 0)], math.nan)
    return pd.Series(known, index=days)
