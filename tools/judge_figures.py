"""Figures of one backtest: pure functions on the account's value and its closed trades.

The account's value (`equity`) is a series over time in quote currency, free money and positions at
the open of each candle together, as Freqtrade's wallet history has it. All shares are ratios.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pandas as pd

_YEAR = pd.Timedelta(days=365.25)


@dataclass(frozen=True)
class Window:
    """A named stretch of time, from `start` up to but excluding `end` (UTC)."""

    name: str
    start: datetime
    end: datetime


CRASHES = (
    Window("March 2020", datetime(2020, 3, 7, tzinfo=UTC), datetime(2020, 3, 21, tzinfo=UTC)),
    Window("May 2021", datetime(2021, 5, 10, tzinfo=UTC), datetime(2021, 5, 26, tzinfo=UTC)),
)


@dataclass(frozen=True)
class Stretch:
    """What a window did to the account: the change over it and the worst drawdown within it."""

    change: float
    drawdown: float


@dataclass(frozen=True)
class Figures:
    """
    What a careful user asks of a backtest; shares are ratios.

    Parameters
    ----------
    max_drawdown : float
        Freqtrade's 'max underwater' of the wallet.
    worst_day : float
        Lowest change of the account over a UTC day.
    return_over_drawdown : float
        Total return over maximum drawdown; NaN without a drawdown.
    profit_factor : float
        Profits of winning trades over losses of losing ones; NaN without a losing trade.
    exposure : float
        Mean share of the account in positions.
    years : dict of int to float
        Change by calendar year.
    stretches : dict of str to Stretch
        By name of the window; only windows that the backtest covers as a whole.
    market_change : float
        Mean change of the pairs' closes over the same time.
    """

    trades: int
    trades_a_year: float
    total_return: float
    max_drawdown: float
    worst_day: float
    return_over_drawdown: float
    profit_factor: float
    exposure: float
    years: dict[int, float]
    stretches: dict[str, Stretch]
    market_change: float


def measure(
    equity: pd.Series,
    invested: pd.Series,
    profits: pd.Series,
    market_change: float,
    windows: Iterable[Window] = (),
) -> Figures:
    """
    All figures of a backtest.

    Parameters
    ----------
    equity : Series over UTC time, quote currency
    invested : Series over the same time
        Part of it that is in positions, quote currency.
    profits : Series
        Net profit of each closed trade, quote currency.

    Raises
    ------
    ValueError
        When there are fewer than two values: nothing was traded on.
    """
    if len(equity) < 2:
        raise ValueError("an account's history needs at least two candles")
    total, fall = change(equity), max_drawdown(equity)
    return Figures(
        trades=len(profits),
        trades_a_year=len(profits) / ((equity.index[-1] - equity.index[0]) / _YEAR),
        total_return=total,
        max_drawdown=fall,
        worst_day=worst_day(equity),
        return_over_drawdown=total / fall if fall > 0 else math.nan,
        profit_factor=profit_factor(profits),
        exposure=float((invested / equity).mean()),
        years=by_year(equity),
        stretches=by_window(equity, windows),
        market_change=market_change,
    )


def change(equity: pd.Series) -> float:
    """Last value over first value, less one (ratio)."""
    return float(equity.iloc[-1] / equity.iloc[0] - 1)


def max_drawdown(equity: pd.Series) -> float:
    """Largest fall from a previous peak as a positive ratio of that peak."""
    return float((1 - equity / equity.cummax()).max())


def worst_day(equity: pd.Series) -> float:
    """
    Lowest change over a UTC day (ratio; 0 when no day lost).

    A day runs from its first candle's open to the next day's; the last ends with the series.
    """
    changes = _borders(equity, "1D").pct_change().dropna()
    return min(float(changes.min()), 0.0) if len(changes) else 0.0


def by_year(equity: pd.Series) -> dict[int, float]:
    """Change by calendar year (ratio), the first and last as far as they are covered."""
    borders = _borders(equity, "1YS")
    changes = borders.pct_change().iloc[1:]
    return {int(start.year): float(c) for start, c in zip(borders.index, changes, strict=False)}


def by_window(equity: pd.Series, windows: Iterable[Window]) -> dict[str, Stretch]:
    """
    Change and drawdown of each window that lies inside the series.

    They begin with the last value before the window: a crash may begin with a gap.
    """
    found = {}
    for window in windows:
        if equity.index[0] <= window.start and window.end <= equity.index[-1]:
            first = max(0, int(equity.index.searchsorted(window.start)) - 1)
            within = equity.iloc[first:][: window.end]
            found[window.name] = Stretch(change(within), max_drawdown(within))
    return found


def profit_factor(profits: pd.Series) -> float:
    """Sum of the profits over the sum of the losses; NaN without a losing trade."""
    losses = -float(profits[profits < 0].sum())
    return float(profits[profits > 0].sum()) / losses if losses > 0 else math.nan


def _borders(equity: pd.Series, rule: str) -> pd.Series:
    """First value of every period, and the very last value."""
    # The last value ends a period; it does not begin one of its own.
    opens = equity.iloc[:-1].resample(rule).first().dropna()
    return pd.concat([opens, equity.iloc[-1:]]).astype(np.float64)
