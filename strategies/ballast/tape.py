"""One pair's completed candles as arrays, for callbacks that only look things up."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from ballast.core.frames import nanoseconds, span_ns


class Tape:
    """
    Columns of a pair by time.

    Parameters
    ----------
    dates : Series of datetime (UTC)
        Opening times, ascending.
    timeframe : str
        Length of one candle.
    columns : mapping of str to ndarray
        One value per candle.
    labels : mapping of str to sequence of str
        Texts that the numbers of a column stand for, from 1.
    """

    def __init__(
        self,
        dates: pd.Series,
        timeframe: str,
        columns: Mapping[str, np.ndarray],
        labels: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.opened = nanoseconds(dates)
        self.span = span_ns(timeframe)
        self.columns = columns
        self.labels = labels or {}
        steps = np.diff(self.opened)
        self._regular = bool((steps == self.span).all())

    def __len__(self) -> int:
        return len(self.opened)

    def __getitem__(self, column: str) -> np.ndarray:
        return self.columns[column]

    def completed_at(self, now: datetime) -> int:
        """Position of the newest candle that had ended at `now`; -1 where there is none."""
        newest = self._newest_opening(now)
        if not len(self.opened):
            return -1
        if self._regular:
            position = (newest - int(self.opened[0])) // self.span
            return max(-1, min(position, len(self.opened) - 1))
        return int(np.searchsorted(self.opened, newest, side="right")) - 1

    def is_fresh(self, position: int, now: datetime) -> bool:
        """Whether the candle at `position` is the last one that can have ended at `now`."""
        if position < 0:
            return False
        return int(self.opened[position]) == self._newest_opening(now)

    def _newest_opening(self, now: datetime) -> int:
        # Whole seconds: candles end on them, and float nanoseconds would not be exact.
        return int(now.timestamp()) * 1_000_000_000 // self.span * self.span - self.span
