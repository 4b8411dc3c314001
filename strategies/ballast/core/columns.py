"""One pair's completed candles as arrays, for callbacks that only look things up."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from ballast.core.frames import nanoseconds, span_ns

_BEFORE = datetime.min.replace(tzinfo=UTC)


class ColumnsByPair(dict[str, "CandleColumns"]):
    """
    Candle columns by pair.

    `edition` counts those put in, so that one look tells whether any is new.
    """

    edition = 0

    def __setitem__(self, pair: str, columns: "CandleColumns") -> None:
        super().__setitem__(pair, columns)
        self.edition += 1


class CandleColumns:
    """
    Columns of a pair by time.

    Parameters
    ----------
    dates : Series of datetime (UTC), or ndarray of int64
        Opening times, ascending; of an array nanoseconds since the epoch.
    timeframe : str
        Length of one candle.
    columns : mapping of str to ndarray
        One value per candle.
    labels : mapping of str to sequence of str
        Texts that the numbers of a column stand for, from 1.
    """

    def __init__(
        self,
        dates: pd.Series | np.ndarray,
        timeframe: str,
        columns: Mapping[str, np.ndarray],
        labels: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.opened = nanoseconds(dates)
        self.timeframe = timeframe
        self.span = span_ns(timeframe)
        self.by_name = columns
        self.labels = labels or {}
        steps = np.diff(self.opened)
        self._regular = bool((steps == self.span).all())
        self._first = int(self.opened[0]) if len(self.opened) else 0
        last = int(self.opened[-1]) // 1_000_000_000 if len(self.opened) else 0
        self._last_opened = datetime.fromtimestamp(last, UTC)
        # Every callback of a candle asks for the same moment, and then those of the next one.
        self._asked = _BEFORE
        self._newest = len(self.opened) - 1
        self._step = timedelta(microseconds=self.span // 1_000)
        self._position, self._fresh = -1, False

    def __len__(self) -> int:
        return len(self.opened)

    def __getitem__(self, column: str) -> np.ndarray:
        return self.by_name[column]

    def value(self, column: str, position: int) -> Any:
        """One value of a column, as a plain number."""
        return self.by_name[column].item(position)

    def completed_at(self, now: datetime) -> int:
        """Position of the newest candle that had ended at `now`; -1 where there is none."""
        if now != self._asked:
            is_next = now - self._asked == self._step
            if is_next and self._fresh and self._regular and self._position < self._newest:
                self._position += 1
            else:
                self._position, self._fresh = self._find(now)
            self._asked = now
        return self._position

    def newest_at(self, now: datetime) -> int:
        """Position of the candle that is the last one to end by `now`; -1 where it is missing."""
        if now != self._asked:
            self.completed_at(now)
        return self._position if self._fresh else -1

    def ends_by(self, now: datetime) -> bool:
        """Whether the last candle of all has ended by `now`, or is the one running."""
        return now >= self._last_opened

    def _find(self, now: datetime) -> tuple[int, bool]:
        if not len(self.opened):
            return -1, False
        # Whole seconds: candles end on them, and float nanoseconds would not be exact.
        running = int(now.timestamp()) * 1_000_000_000 // self.span * self.span
        newest = running - self.span
        if self._regular:
            wanted = (newest - self._first) // self.span
            position = max(-1, min(wanted, len(self.opened) - 1))
            return position, position == wanted >= 0
        position = int(np.searchsorted(self.opened, newest, side="right")) - 1
        return position, position >= 0 and int(self.opened[position]) == newest
