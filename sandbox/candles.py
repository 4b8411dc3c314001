"""Candles as numpy columns: slicing, aggregation to coarser timeframes, the unfinished candle.

Times are Unix milliseconds UTC and name a candle's open, as on Binance. Prices are in quote
currency, ``volume`` in base currency, ``quote_volume`` in quote currency. Candles that did not
happen are absent rows, never filled.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pandas as pd

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
# Weeks open on Monday; the epoch was a Thursday.
_WEEK_OFFSET_MS = 4 * DAY_MS

TIMEFRAMES_MS: dict[str, int] = {
    "1m": MINUTE_MS,
    "3m": 3 * MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1h": HOUR_MS,
    "2h": 2 * HOUR_MS,
    "4h": 4 * HOUR_MS,
    "6h": 6 * HOUR_MS,
    "8h": 8 * HOUR_MS,
    "12h": 12 * HOUR_MS,
    "1d": DAY_MS,
    "1w": 7 * DAY_MS,
}

# Where a candle's path is at each third of its time: open, first extreme, second extreme, close.
_PATH_TIMES = np.array([0.0, 1 / 3, 2 / 3, 1.0])

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Candles:
    """Columns of equal length n in ascending order of ``open_ms``."""

    timeframe_ms: int
    open_ms: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    quote_volume: FloatArray

    def __len__(self) -> int:
        return len(self.open_ms)

    def rows(self, selection: slice) -> Candles:
        """The candles of a slice of row numbers (views, no copies)."""
        columns = [getattr(self, field.name)[selection] for field in fields(self)[1:]]
        return Candles(self.timeframe_ms, *columns)

    def between(self, start_ms: int, end_ms: int) -> Candles:
        """The candles that open at or after ``start_ms`` and before ``end_ms``."""
        first, last = np.searchsorted(self.open_ms, [start_ms, end_ms], side="left")
        return self.rows(slice(int(first), int(last)))

    def append(self, other: Candles) -> Candles:
        """These candles followed by ``other``, which must open later."""
        columns = [
            np.concatenate([getattr(self, field.name), getattr(other, field.name)])
            for field in fields(self)[1:]
        ]
        return Candles(self.timeframe_ms, *columns)

    def shifted(self, shift_ms: int) -> Candles:
        """The same candles ``shift_ms`` later."""
        columns = [getattr(self, field.name) for field in fields(self)[2:]]
        return Candles(self.timeframe_ms, self.open_ms + shift_ms, *columns)

    def to_frame(self) -> pd.DataFrame:
        """Freqtrade's frame: date (UTC, ms), open, high, low, close, volume."""
        return pd.DataFrame(
            {
                "date": pd.to_datetime(self.open_ms, unit="ms", utc=True).as_unit("ms"),
                "open": self.open,
                "high": self.high,
                "low": self.low,
                "close": self.close,
                "volume": self.volume,
            }
        )

    @staticmethod
    def from_frame(frame: pd.DataFrame, timeframe_ms: int) -> Candles:
        """Candles of a Freqtrade frame.

        Quote volume is not in such files; it is estimated as volume times the mean of the four
        prices.
        """
        first, high, low, last, volume = (
            frame[name].to_numpy(dtype=np.float64)
            for name in ("open", "high", "low", "close", "volume")
        )
        open_ms = frame["date"].dt.as_unit("ms").astype("int64").to_numpy()
        quote_volume = volume * (first + high + low + last) / 4
        return Candles(timeframe_ms, open_ms, first, high, low, last, volume, quote_volume)


def candle_open_ms(time_ms: IntArray | int, timeframe_ms: int) -> IntArray | int:
    """The open of the candle that contains a time; weeks open on Monday 00:00 UTC."""
    offset = _WEEK_OFFSET_MS if timeframe_ms == TIMEFRAMES_MS["1w"] else 0
    return (time_ms - offset) // timeframe_ms * timeframe_ms + offset


def aggregate(candles: Candles, timeframe_ms: int) -> Candles:
    """Candles of a coarser timeframe: first open, highest high, lowest low, last close, sums.

    Parameters
    ----------
    timeframe_ms : a whole multiple of the candles' own timeframe [ms].

    Raises
    ------
    ValueError
        If ``timeframe_ms`` is not a whole multiple.
    """
    if timeframe_ms == candles.timeframe_ms:
        return candles
    if timeframe_ms % candles.timeframe_ms:
        raise ValueError(f"{timeframe_ms} ms is no multiple of {candles.timeframe_ms} ms.")
    buckets = np.asarray(candle_open_ms(candles.open_ms, timeframe_ms))
    first = np.flatnonzero(np.diff(buckets, prepend=-1))
    last = np.append(first[1:], len(candles)) - 1
    if not len(first):
        return Candles(timeframe_ms, *[getattr(candles, f.name) for f in fields(candles)[1:]])
    return Candles(
        timeframe_ms,
        buckets[first],
        candles.open[first],
        np.maximum.reduceat(candles.high, first),
        np.minimum.reduceat(candles.low, first),
        candles.close[last],
        np.add.reduceat(candles.volume, first),
        np.add.reduceat(candles.quote_volume, first),
    )


def path_prices(candles: Candles) -> FloatArray:
    """The four prices each candle visits at 0, 1/3, 2/3 and 1 of its time, shape (n, 4).

    A candle that closes at or above its open visits its low first, any other its high first.
    """
    rising = candles.close >= candles.open
    first = np.where(rising, candles.low, candles.high)
    second = np.where(rising, candles.high, candles.low)
    return np.column_stack([candles.open, first, second, candles.close])


def unfinished(candles: Candles, fraction: float, tick: float) -> Candles:
    """The single candle given, as it looks when only ``fraction`` of its time has passed.

    Parameters
    ----------
    fraction : elapsed share of the candle's time [ratio, 0 to 1].
    tick : price step the current price is rounded to [quote currency].
    """
    path = path_prices(candles)[0]
    price = float(np.interp(fraction, _PATH_TIMES, path))
    # Eight decimals are what the API shows; without them 57 ticks of 0.01 exceed 0.57.
    on_tick = round(round(price / tick) * tick, 8)
    close = min(max(on_tick, candles.low[0]), candles.high[0])
    visited = np.append(path[fraction >= _PATH_TIMES], close)
    return Candles(
        candles.timeframe_ms,
        candles.open_ms,
        candles.open,
        np.array([visited.max()]),
        np.array([visited.min()]),
        np.array([close]),
        candles.volume * fraction,
        candles.quote_volume * fraction,
    )
