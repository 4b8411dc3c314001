"""Candles of one timeframe, and what has been measured on them so far."""

from collections.abc import Callable, Hashable
from functools import cached_property

import numpy as np
import pandas as pd

from ballast.core.frames import nanoseconds

# Candles that may be new since those before, for what was known of them to be carried on.
_FEW = 8


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
    before : MeasuredCandles, optional
        Those of the candle before: what `quantiles` found then is carried on.
    """

    def __init__(
        self, frame: pd.DataFrame, timeframe: str, before: "MeasuredCandles | None" = None
    ) -> None:
        self.frame = frame
        self.timeframe = timeframe
        self._columns: dict[str, np.ndarray] = {}
        self._known: dict[Hashable, np.ndarray] = {}
        # By name, values and what was found of their windows: of these candles, and of those
        # before, which began so many candles earlier.
        self._windows: dict[Hashable, tuple[np.ndarray, np.ndarray]] = {}
        self._before = {} if before is None else before._windows
        self._earlier = -1 if before is None else _earlier(before.opened, self.opened)

    def __len__(self) -> int:
        return len(self.frame)

    @cached_property
    def opened(self) -> np.ndarray:
        """When the candles opened, nanoseconds since the epoch (UTC)."""
        return nanoseconds(self.frame["date"])

    def once(self, key: Hashable, compute: Callable[[], np.ndarray]) -> np.ndarray:
        """One value per candle, worked out at the first call."""
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = compute()
        return known

    def values(self, column: str) -> np.ndarray:
        """A column as floats."""
        if column not in self._columns:
            self._columns[column] = np.asarray(self.frame[column], dtype=float)
        return self._columns[column]

    def quantiles(
        self, key: Hashable, values: np.ndarray, window: int, least: int, quantile: float = 0.5
    ) -> np.ndarray:
        """
        Of each candle, a quantile of the values of the window that ends with it.

        Where a candle has come, only its window is sorted: the others were when theirs came, and
        may have reached further back than the first candle that is still there.

        Parameters
        ----------
        key : hashable
            Names the values.
        window, least : int
            Candles; values that must be known for the quantile to be.
        quantile : float
            0.5 is the median.
        """
        key = (key, window, least, quantile)
        then, found = self._before.get(key, (values, None))
        common = len(then) - self._earlier
        if (
            found is not None
            and self._earlier >= 0
            and common >= max(window, len(values) - _FEW)
            and then[self._earlier :].tobytes() == values[:common].tobytes()
        ):
            newest = [
                _quantile(values[max(0, end - window) : end], least, quantile)
                for end in range(common + 1, len(values) + 1)
            ]
            result = np.concatenate((found[self._earlier :], newest))
        else:
            rolling = pd.Series(values).rolling(window, min_periods=least)
            median = quantile == 0.5
            result = np.asarray(rolling.median() if median else rolling.quantile(quantile))
        self._windows[key] = values, result
        return result


def moved(values: np.ndarray) -> np.ndarray:
    """Of each candle, the value of the one before it (`Series.shift`, at a fifth of its price)."""
    return np.concatenate(([np.nan], values[:-1]))[: len(values)]


def _earlier(before: np.ndarray, opened: np.ndarray) -> int:
    """How many candles are no longer there that were before; -1 where others differ, too."""
    if not len(opened) or not len(before):
        return -1
    gone = int(np.searchsorted(before, opened[0]))
    return gone if np.array_equal(before[gone:], opened[: len(before) - gone]) else -1


def _quantile(window: np.ndarray, least: int, quantile: float) -> float:
    """Of one window, to the last digit as `rolling` has it."""
    known = np.sort(window[np.isfinite(window)])
    if len(known) < max(1, least):
        return float("nan")
    at = quantile * (len(known) - 1)
    low = int(at)
    if at == low:
        return float(known[low])
    if quantile == 0.5:
        return float((known[low] + known[low + 1]) / 2)
    return float(known[low] + (known[low + 1] - known[low]) * (at - low))
