"""Frames of different timeframes on one time axis, with no unfinished candle in sight.

Windows of hours and days are measured on hourly candles wherever the strategy's own candles are
finer. Those hourly candles are built from the strategy's candles, so that both always agree; an
hourly frame from the exchange only adds the older history that a short live frame lacks.
"""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from ballast.core.windows import coarser, minutes

SLOW_TIMEFRAME = "1h"
# What candles can be grouped to, if it is a multiple of theirs.
_MINUTES = ("1m", "3m", "5m", "10m", "15m", "20m", "30m")
GROUPS = (*_MINUTES, "1h", "2h", "3h", "4h", "6h", "8h", "12h", "1d", "1w")
# Those that every exchange has: older history is read in the coarsest of them.
_EVERYWHERE = ("1d", "4h", "1h", "30m", "15m")
PRICES = ["date", "open", "high", "low", "close", "volume"]


# Opening times of candles (UTC), of an array nanoseconds since the epoch.
Dates: TypeAlias = pd.Series | np.ndarray


def nanoseconds(dates: Dates) -> np.ndarray:
    """Opening times of candles as int64 nanoseconds since the epoch (UTC), if they are not yet."""
    if isinstance(dates, np.ndarray):
        return dates
    return np.asarray(dates.to_numpy(dtype="datetime64[ns]").view("int64"))


def span_ns(timeframe: str) -> int:
    """Length of one candle in nanoseconds."""
    return int(minutes(timeframe) * 60_000_000_000)


def anchor_ns(timeframe: str) -> int:
    """Opening time of a candle (nanoseconds since the epoch): weeks begin on Mondays."""
    return 4 * span_ns("1d") if span_ns(timeframe) % span_ns("1w") == 0 else 0


def groups_of(timeframe: str) -> list[str]:
    """Coarser timeframes that candles of this one can be grouped to, the finest first."""
    fine = minutes(timeframe)
    return [to for to in GROUPS if minutes(to) > fine and minutes(to) % fine == 0]


def read_in(timeframe: str, to: str) -> str:
    """
    Timeframe in which older history of a group `to` is read from the exchange; that of the candles
    themselves where no other divides it that every exchange has.
    """
    fine, coarse = minutes(timeframe), minutes(to)
    return next(
        (t for t in _EVERYWHERE if fine < minutes(t) and coarse % minutes(t) == 0), timeframe
    )


def resample(frame: pd.DataFrame, timeframe: str, to: str) -> pd.DataFrame:
    """
    Aggregate candles to a coarser timeframe, complete candles only.

    A coarser candle is there once the finer candle that ends it is there, and only if the finer
    candle that starts it is there too. Finer candles are expected in order.

    Parameters
    ----------
    frame : DataFrame
        date (UTC), open, high, low, close, volume at `timeframe`.

    Returns
    -------
    DataFrame
        The same columns at timeframe `to`, indexed from 0.
    """
    if not len(frame):
        return prices_of(frame).reset_index(drop=True)
    return _frame(*_resampled(frame, timeframe, to))


def _resampled(frame: pd.DataFrame, timeframe: str, to: str) -> tuple[np.ndarray, list[np.ndarray]]:
    """When they opened (nanoseconds since the epoch), and open, high, low, close, volume."""
    opened, fine, coarse = nanoseconds(frame["date"]), span_ns(timeframe), span_ns(to)
    opened = opened - anchor_ns(to)
    bucket = opened // coarse
    first = np.flatnonzero(np.concatenate(([True], bucket[1:] != bucket[:-1])))
    last = np.concatenate((first[1:], [len(bucket)])) - 1
    whole = (opened[first] % coarse == 0) & ((opened[last] + fine) % coarse == 0)
    prices = (
        frame["open"].to_numpy()[first],
        np.maximum.reduceat(frame["high"].to_numpy(), first),
        np.minimum.reduceat(frame["low"].to_numpy(), first),
        frame["close"].to_numpy()[last],
        np.add.reduceat(frame["volume"].to_numpy(), first),
    )
    return bucket[first][whole] * coarse + anchor_ns(to), [values[whole] for values in prices]


def _frame(opened: np.ndarray, prices: Sequence[np.ndarray]) -> pd.DataFrame:
    """Candles that opened at these nanoseconds since the epoch."""
    dates = pd.DatetimeIndex(opened.view("datetime64[ns]"), tz="UTC")
    made = pd.DataFrame(dict(enumerate((dates, *prices))), copy=False)
    # Texts in an index are looked up through a table, which is made once for all frames.
    made.columns = _index(tuple(PRICES)).view()
    return made


def slow_frame(frame: pd.DataFrame, timeframe: str, older: pd.DataFrame | None) -> pd.DataFrame:
    """
    Frame on which windows of hours and days are measured.

    Parameters
    ----------
    frame : DataFrame
        The strategy's own candles.
    older : DataFrame or None
        Hourly candles from the exchange. Those before the first whole hour of `frame` are put in
        front of it if they lead up to it without a gap; all others are ignored.

    Returns
    -------
    DataFrame
        `frame` itself from one hour upwards, else hourly candles.
    """
    return grouped(frame, timeframe, coarser(timeframe, SLOW_TIMEFRAME), older)


def grouped(
    frame: pd.DataFrame, timeframe: str, to: str, older: pd.DataFrame | None
) -> pd.DataFrame:
    """
    Candles of a coarser timeframe `to`, made of finer ones with older ones in front.

    Parameters
    ----------
    frame : DataFrame
        The strategy's own candles.
    older : DataFrame or None
        From the exchange, of the timeframe that `read_in` tells; as for `slow_frame`.
    """
    if to == timeframe:
        return frame
    if older is None or not len(older) or not len(frame):
        return resample(frame, timeframe, to)
    if read_in(timeframe, to) != to:
        older = resample(older, read_in(timeframe, to), to)
    (opened, prices), known = _resampled(frame, timeframe, to), nanoseconds(older["date"])
    if len(opened):
        before = known < opened[0]
        leads_up = before.any() and opened[0] - known[before][-1] == span_ns(to)
    else:
        # The frame is shorter than a candle of `to`: the last one began before it.
        end = nanoseconds(frame["date"])[-1] + span_ns(timeframe)
        before = known + span_ns(to) <= end
        leads_up = before.any()
    if not leads_up:
        return _frame(opened, prices)
    whole = [
        np.concatenate((older[name].to_numpy()[before], values))
        for name, values in zip(PRICES[1:], prices, strict=True)
    ]
    return _frame(np.concatenate((known[before], opened)), whole)


def prices_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Candles without what else a frame has; whoever changes them changes a copy."""
    # Choosing columns takes longer than many an indicator.
    alone = tuple(frame.columns) == tuple(PRICES)
    return frame.copy(deep=False) if alone else frame[PRICES]


def with_columns(frame: pd.DataFrame, columns: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """
    The frame with columns beside its own, in place of those of the same names.

    All at once, those of a type together, and names last: one by one, each costs as much as an
    indicator.
    """
    kept, known = frame, tuple(frame.columns)
    by_type: dict[Any, dict[str, np.ndarray]] = {}
    for name, values in columns.items():
        if name in known:
            kept = kept.assign(**{name: values})
        else:
            by_type.setdefault(values.dtype, {})[name] = values
    parts = (
        # Of the type that they have: pandas would look at each of many texts to guess it.
        pd.DataFrame(np.array(list(alike.values())).T, frame.index, dtype=of_type, copy=False)
        for of_type, alike in by_type.items()
    )
    made = pd.concat([kept, *parts], axis=1, ignore_index=True)
    names = (*known, *(name for alike in by_type.values() for name in alike))
    # A view: what somebody calls it is nothing to other frames.
    made.columns = _index(names).view()
    return made


@functools.lru_cache(maxsize=256)
def _index(names: tuple[str, ...]) -> pd.Index:
    return pd.Index(names)


def last_completed(
    dates: Dates, timeframe: str, other_dates: Dates, other_timeframe: str
) -> np.ndarray:
    """
    For each candle, the position of the newest candle of another frame that has ended by then.

    Returns
    -------
    ndarray of int64, shape (len(dates),)
        Positions into the other frame; -1 where none has ended yet.
    """
    ends = nanoseconds(dates) + span_ns(timeframe)
    other_ends = nanoseconds(other_dates) + span_ns(other_timeframe)
    return np.searchsorted(other_ends, ends, side="right") - 1


def is_newest(dates: Dates, timeframe: str, other_dates: Dates, other_timeframe: str) -> np.ndarray:
    """
    For each candle, whether the newest one of another frame (see `last_completed`) is the last that
    can have ended by then: none is missing since. True before the first, where nothing is missing.
    """
    at = last_completed(dates, timeframe, other_dates, other_timeframe)
    span, anchor = span_ns(other_timeframe), anchor_ns(other_timeframe)
    ends = nanoseconds(dates) + span_ns(timeframe) - anchor
    wanted = ends // span * span - span + anchor
    return np.asarray((at < 0) | (take(nanoseconds(other_dates), at, 0) == wanted))


def take(values: np.ndarray, positions: np.ndarray, missing: float = np.nan) -> np.ndarray:
    """Values at the positions; `missing` where a position is -1."""
    if not len(values):
        return np.full(len(positions), missing)
    if not len(positions) or positions.min() >= 0:
        return values.take(positions)
    absent = positions < 0
    return np.where(absent, missing, values[np.where(absent, 0, positions)])
