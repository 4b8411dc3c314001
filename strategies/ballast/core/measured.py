"""Candles of one timeframe, and what has been measured on them so far."""

from collections.abc import Callable, Hashable
from functools import cached_property

import bottleneck
import numpy as np
import pandas as pd

from ballast.core.frames import PRICES, nanoseconds

# Candles that may be new since those before, for what was known of them to be carried on.
_FEW = 8
_NONE = np.empty(0)


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
        Those of the candle before: what was found of them by `carried` holds, if these go on where
        they end.
    """

    def __init__(
        self, frame: pd.DataFrame, timeframe: str, before: "MeasuredCandles | None" = None
    ) -> None:
        self.frame = frame
        self.timeframe = timeframe
        self._columns: dict[str, np.ndarray] = {}
        self._known: dict[Hashable, np.ndarray] = {}
        # What goes on from one candle to the next, and what it was before the new one: that of the
        # first so many candles, of candles that began so many earlier.
        self._carried: dict[Hashable, np.ndarray] = {}
        self._before: dict[Hashable, np.ndarray] = {}
        self._earlier = 0
        if before is not None:
            shared, self._earlier = _shared(before, self)
            self._before = before._carried if shared else {}

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

    def carried(self, key: Hashable, compute: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """
        One value per candle; of candles that were there before, what it was then.

        What was found may have reached further back than the first candle that is still there.

        Parameters
        ----------
        key : hashable
            Names the values, which follow from the candles alone.
        compute : callable
            Given the values of the first candles, as far as they are known, returns those of all
            candles after them. For a candle it must give the same, to the last digit, however many
            are known.
        """
        found = self._carried.get(key)
        if found is None:
            then = self._before.get(key)
            if then is None:
                found = compute(_NONE)
            else:
                known = then[self._earlier :]
                new = len(known) < len(self)
                found = np.concatenate((known, compute(known))) if new else known
            self._carried[key] = found
        return found

    def values(self, column: str) -> np.ndarray:
        """A column as floats."""
        if column not in self._columns:
            self._columns[column] = self.frame[column].to_numpy(dtype=float)
        return self._columns[column]

    def quantiles(
        self, key: Hashable, values: np.ndarray, window: int, least: int, quantile: float = 0.5
    ) -> np.ndarray:
        """
        Of each candle, a quantile of the values of the window that ends with it (see `carried`).

        Parameters
        ----------
        key : hashable
            Names the values.
        window, least : int
            Candles; values that must be known for the quantile to be.
        quantile : float
            0.5 is the median.
        """

        def found(known: np.ndarray) -> np.ndarray:
            if len(known):
                ends = range(len(known) + 1, len(values) + 1)
                windows = (values[max(0, end - window) : end] for end in ends)
                return np.array([_quantile(one, least, quantile) for one in windows])
            if quantile == 0.5:
                return of_windows(bottleneck.move_median, values, window, least)
            rolling = pd.Series(values).rolling(window, min_periods=least)
            return np.asarray(rolling.quantile(quantile))

        return self.carried((key, window, least, quantile), found)

    def deviations(self, key: Hashable, values: np.ndarray, window: int, least: int) -> np.ndarray:
        """
        Of each candle, the standard deviation of the known values of its window (see `quantiles`).

        Of values whose mean is small beside it, such as returns.
        """

        def found(known: np.ndarray) -> np.ndarray:
            start = max(0, len(known) - window + 1)
            seen = values[start:]
            there = np.isfinite(seen)
            some = np.where(there, seen, 0.0)
            total, squares, count = window_sums(
                np.array([some, some * some, there]), window, len(known) - start
            )
            with np.errstate(divide="ignore", invalid="ignore"):
                variance = np.maximum(squares - total * total / count, 0.0) / (count - 1)
            return np.where(count >= max(2, least), np.sqrt(variance), np.nan)

        return self.carried(("deviation", key, window, least), found)


def window_sums(values: np.ndarray, window: int, start: int = 0) -> np.ndarray:
    """
    Sums of the last `window` values, of each position of the last axis from `start` on.

    Values are added in an order that is the same for every window, so that a sum is that of its
    values to the last digit, wherever the array begins or ends. Before the first one are noughts.
    """
    first = max(0, start - window + 1)
    missing = window - 1 - (start - first)
    seen = values[..., first:]
    # Sums of 1, 2, 4, ... values, each twice as long as those before.
    sums = np.concatenate((np.zeros((*values.shape[:-1], missing)), seen), axis=-1)
    length, done, size = values.shape[-1] - start, 0, 1
    total = np.zeros((*values.shape[:-1], length))
    while done < window:
        if window & size:
            total += sums[..., done : done + length]
            done += size
        sums = sums[..., size:] + sums[..., :-size]
        size *= 2
    return total


def moved(values: np.ndarray) -> np.ndarray:
    """Of each candle, the value of the one before it (`Series.shift`, at a fifth of its price)."""
    return np.concatenate(([np.nan], values[:-1]))[: len(values)]


def _shared(before: MeasuredCandles, now: MeasuredCandles) -> tuple[int, int]:
    """
    How many candles are the same as before, all but the newest few, and how many of those before
    are no longer there; 0 and 0 where others differ, too.
    """
    if not len(before) or not len(now):
        return 0, 0
    gone = int(np.searchsorted(before.opened, now.opened[0]))
    shared = len(before) - gone
    if not len(now) - _FEW <= shared <= len(now) or shared < 1:
        return 0, 0
    if before.opened[gone:].tobytes() != now.opened[:shared].tobytes():
        return 0, 0
    same = all(
        before.values(name)[gone:].tobytes() == now.values(name)[:shared].tobytes()
        for name in PRICES[1:]
    )
    return (shared, gone) if same else (0, 0)


def of_windows(
    move: Callable[..., np.ndarray], values: np.ndarray, window: int, least: int
) -> np.ndarray:
    """
    What pandas' `rolling(window, min_periods=least)` gives, at a fraction of its price.

    Parameters
    ----------
    move : callable
        Bottleneck's function of windows, such as `move_median`.
    """
    window, least = min(window, len(values)), max(1, least)
    if window < least:
        return np.full(len(values), np.nan)
    known = np.where(np.isfinite(values), values, np.nan)
    return np.asarray(move(known, window, least))


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
