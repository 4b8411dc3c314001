"""The account below a pair's candles: what the guards left of sizes, heat and drawdown."""

import logging
import math
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

from ballast.core.account import Account
from ballast.core.frames import nanoseconds, span_ns

logger = logging.getLogger(__name__)

SIZE, HEAT, DRAWDOWN = "size_pct", "heat_pct", "drawdown_pct"
# Freqtrade shows no more candles than that.
MOST = 5_000
_DECIMALS = 3


class _Row(NamedTuple):
    """Opening time of the candle, nanoseconds (UTC); percent."""

    candle: int
    size: float
    heat: float
    drawdown: float


class AccountLanes:
    """
    Remembers the account at the candles that a chart shows.

    Parameters
    ----------
    written : callable
        Gives what the journal holds from before this start, the newest first.
    timeframe : str
        Of the candles that are traded.
    """

    def __init__(self, written: Callable[[], Iterable[Account]], timeframe: str) -> None:
        self._written = written
        self._span = span_ns(timeframe)
        self._rows: deque[_Row] | None = None
        # The rows as arrays, until there is one more: every pair asks for them.
        self._arrays: tuple[np.ndarray, np.ndarray] | None = None
        # What was asked for last: most pairs have candles of the same times.
        self._asked: tuple[np.ndarray, dict[str, np.ndarray]] | None = None

    def add(self, account: Account) -> None:
        """Remember the account at the candle that was judged last, in place of an earlier one."""
        known, row = self._known(), _row(account)
        if known and known[-1].candle == row.candle:
            known.pop()
        known.append(row)
        self._arrays = self._asked = None

    def columns(self, dates: pd.Series | np.ndarray) -> dict[str, np.ndarray]:
        """
        What stood while each candle was open, as the one before it left it; NaN where unknown.

        Columns: size_pct (of the usual size, left by the guards), heat_pct and drawdown_pct (of
        the equity).

        Parameters
        ----------
        dates : Series or ndarray
            Opening times of the pair's candles (see `frames.nanoseconds`).
        """
        opened, asked = nanoseconds(dates), self._asked
        if asked is not None and np.array_equal(asked[0], opened):
            return asked[1]
        if self._arrays is None:
            rows = self._known()
            times = np.array([row[0] for row in rows], dtype=np.int64)
            self._arrays = times, np.array([row[1:] for row in rows], dtype=float).reshape(-1, 3)
        times, values = self._arrays
        before = opened - self._span
        place = np.searchsorted(times, before, side="right") - 1
        is_there = (place >= 0) & (times[place] == before) if len(times) else place >= 0
        found = np.full((len(before), 3), np.nan)
        found[is_there] = values[place[is_there]]
        names = (SIZE, HEAT, DRAWDOWN)
        columns = {name: found[:, number] for number, name in enumerate(names)}
        self._asked = opened, columns
        return columns

    def _known(self) -> deque[_Row]:
        if self._rows is None:
            self._rows = deque(maxlen=MOST)
            try:
                self._rows.extend(sorted(_row(account) for account in self._written()))
            except sqlite3.Error as error:
                logger.warning("charts begin without the account of before: %s", error)
        return self._rows


def _row(account: Account) -> _Row:
    fallen, heat = account.drawdown, account.heat
    return _Row(
        round(account.candle.timestamp()) * 1_000_000_000,
        round(100 * account.multiplier, _DECIMALS),
        round(heat.value, _DECIMALS) if heat is not None else math.nan,
        round(fallen.value, _DECIMALS) if fallen is not None else math.nan,
    )
