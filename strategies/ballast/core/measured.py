"""Candles of one timeframe, and what has been measured on them so far."""

from collections.abc import Callable, Hashable

import numpy as np
import pandas as pd


class MeasuredCandles:
    """
    Remembers every indicator by its name: kept until there is a new candle, it works out nothing
    twice, whoever asks.

    Parameters
    ----------
    frame : DataFrame
        date (UTC), open, high, low, close (quote currency), volume (base currency).
    timeframe : str
        Length of one candle, such as '1h'.
    """

    def __init__(self, frame: pd.DataFrame, timeframe: str) -> None:
        self.frame = frame
        self.timeframe = timeframe
        self._known: dict[Hashable, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.frame)

    def once(self, key: Hashable, compute: Callable[[], np.ndarray]) -> np.ndarray:
        """One value per candle, worked out at the first call."""
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = compute()
        return known

    def values(self, column: str) -> np.ndarray:
        """A column as floats."""
        return self.once(column, lambda: np.asarray(self.frame[column], dtype=float))
