"""When guards were active, and what each cost or saved."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from ballast.config.guards import GuardSettings
from ballast.core.verdict import ALL_PAIRS
from ballast.research.report.drawdowns import max_drawdown
from ballast.research.report.results import RunResult


@dataclass(frozen=True)
class Active:
    """
    One guard's locks.

    Parameters
    ----------
    name : str
        Of the guard; for other locks the first word of their reason.
    spans : tuple of (start, end)
        Times in which it locked at least one pair (UTC), overlapping ones joined.
    pairs : tuple of str
        Which pairs it locked in each of those times.
    share, share_all : float
        Share of the run in which it locked at least one pair, and all of them.
    """

    name: str
    locks: int
    spans: tuple[tuple[datetime, datetime], ...]
    pairs: tuple[str, ...]
    share: float
    share_all: float


@dataclass(frozen=True)
class Price:
    """
    What a guard did to the result: the run with it less the same run without (ratios).

    Parameters
    ----------
    total_return : float
        Positive: it earned.
    drawdown : float
        Positive: the largest drawdown was deeper with it.
    """

    guard: str
    total_return: float
    drawdown: float
    trades: int


def activity(run: RunResult) -> list[Active]:
    """Every guard that locked anything in a run, the most active first."""
    found = []
    for name, locks in locks_by_guard(run):
        spans = _joined(locks, run)
        everywhere = _joined(locks[locks["pair"] == ALL_PAIRS], run)
        found.append(
            Active(
                name=name,
                locks=len(locks),
                spans=tuple(spans),
                pairs=tuple(_pairs_within(locks, span) for span in spans),
                share=_share(spans, run),
                share_all=_share(everywhere, run),
            )
        )
    return sorted(found, key=lambda active: -active.share)


def locks_by_guard(run: RunResult) -> Iterator[tuple[str, pd.DataFrame]]:
    """The locks of each guard, by its name; of other locks by the first word of their reason."""
    names = _names()
    codes = run.locks["reason"].map(lambda reason: (reason.split() or ["?"])[0])
    for code, locks in run.locks.groupby(codes):
        yield names.get(str(code), str(code)), locks


def prices(base: RunResult, without: Sequence[RunResult]) -> list[Price]:
    """What each guard cost or saved, the costliest first."""
    found = [
        Price(
            guard=run.without_guard,
            total_return=base.total_return - run.total_return,
            drawdown=max_drawdown(base.equity) - max_drawdown(run.equity),
            trades=len(base.trades) - len(run.trades),
        )
        for run in without
    ]
    return sorted(found, key=lambda price: price.total_return)


def _names() -> dict[str, str]:
    """Guards by the code that their locks begin with."""
    return {guard.code: name for name, guard in GuardSettings().build(60.0).items()}


def _joined(locks: pd.DataFrame, run: RunResult) -> list[tuple[datetime, datetime]]:
    spans: list[tuple[datetime, datetime]] = []
    for start, end in sorted(zip(locks["start"], locks["end"], strict=True)):
        first = max(start.to_pydatetime(), run.start)
        last = min(end.to_pydatetime(), run.end)
        if spans and first <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(last, spans[-1][1]))
        elif first < last:
            spans.append((first, last))
    return spans


def _pairs_within(locks: pd.DataFrame, span: tuple[datetime, datetime]) -> str:
    start, end = span
    within = locks[(locks["start"] < end) & (locks["end"] > start)]
    names = sorted(set(within["pair"]))
    return "all pairs" if ALL_PAIRS in names else ", ".join(names)


def _share(spans: list[tuple[datetime, datetime]], run: RunResult) -> float:
    locked = sum((end - start).total_seconds() for start, end in spans)
    return locked / (run.end - run.start).total_seconds()
