"""What the account did while markets fell: known crises, and the worst weeks of the sample."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pandas as pd

from ballast.research.report.drawdowns import max_drawdown

WORST_WEEKS = 5
_WEEK = 7


@dataclass(frozen=True)
class Window:
    """A named stretch of time, from `start` up to but excluding `end` (UTC)."""

    name: str
    start: datetime
    end: datetime


def _window(name: str, start: str, end: str) -> Window:
    first, last = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (start, end))
    return Window(name, first, last)


# From before the first fall to after the last low, as generally reported.
KNOWN = (
    _window("Pandemic, March 2020", "2020-03-07", "2020-03-21"),
    _window("May 2021", "2021-05-10", "2021-05-26"),
    _window("January 2022", "2022-01-05", "2022-01-25"),
    _window("Terra, May 2022", "2022-05-05", "2022-05-15"),
    _window("Lenders, June 2022", "2022-06-10", "2022-06-20"),
    _window("FTX, November 2022", "2022-11-06", "2022-11-16"),
    _window("Banks, March 2023", "2023-03-08", "2023-03-14"),
    _window("August 2024", "2024-08-01", "2024-08-07"),
    _window("Liquidations, October 2025", "2025-10-10", "2025-10-13"),
)


@dataclass(frozen=True)
class Crisis:
    """
    One window; ratios.

    Parameters
    ----------
    change, drawdown : float
        Of the account over the window, and its worst fall within.
    market : float
        Change of the pairs held in equal shares.
    """

    name: str
    start: datetime
    end: datetime
    change: float
    drawdown: float
    market: float
    trades: int


def crises(
    equity: pd.Series, market: pd.Series, trades: pd.DataFrame, *, known: bool = True
) -> list[Crisis]:
    """
    Known crises that the account's history covers, then the market's worst weeks in it.

    Parameters
    ----------
    equity : Series over UTC time
    market : Series over UTC days
        Value of the pairs held.
    trades : DataFrame
        With open_date, to count those opened within.
    known : bool
        Whether the market is a real one: a generated one had no crisis of that name.
    """
    first, last = equity.index[0], equity.index[-1]
    inside = [w for w in KNOWN if known and first <= w.start and w.end <= last]
    return [_measured(w, equity, market, trades) for w in (*inside, *worst_weeks(market))]


def is_known(name: str) -> bool:
    """Whether a window is one of the known crises, and no week of the sample."""
    return any(window.name == name for window in KNOWN)


def worst_weeks(market: pd.Series, count: int = WORST_WEEKS) -> list[Window]:
    """The weeks (any seven days) in which a market fell most, none overlapping, in order of time"""
    falls = (market.shift(-_WEEK) / market - 1).dropna()
    found: list[Window] = []
    while len(found) < count and len(falls) and falls.min() < 0:
        start = falls.idxmin()
        end = start + pd.Timedelta(days=_WEEK)
        found.append(Window(f"Week of {start:%-d %b %Y}", start, end))
        near = abs(falls.index - start) < pd.Timedelta(days=_WEEK)
        falls = falls[~near]
    return sorted(found, key=lambda window: window.start)


def _measured(window: Window, equity: pd.Series, market: pd.Series, trades: pd.DataFrame) -> Crisis:
    # From the last value before: a crisis may begin with a gap.
    first = max(0, int(equity.index.searchsorted(window.start, side="right")) - 1)
    within = equity.iloc[first:][: window.end]
    held = market[window.start : window.end]
    opened = trades["open_date"]
    return Crisis(
        name=window.name,
        start=window.start,
        end=window.end,
        change=float(within.iloc[-1] / within.iloc[0] - 1),
        drawdown=max_drawdown(within),
        market=float(held.iloc[-1] / held.iloc[0] - 1) if len(held) > 1 else float("nan"),
        trades=int(((opened >= window.start) & (opened < window.end)).sum()),
    )
