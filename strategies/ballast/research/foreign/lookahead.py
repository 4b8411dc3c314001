"""Look-ahead in the columns of a strategy, told apart from the warm-up of what never forgets.

A column is worked out again on fewer candles, and compared with what it was on all of them:

- **Later candles missing, the first the same.** What differs has looked at them: it peeks. Nothing
  else changes a value there, recursive averages included, since they begin where they began.
- **Earlier candles missing, the last the same.** What differs depends on how much came before. An
  EMA, RSI or ATR never wholly forgets, and the difference shrinks as history grows: a warm-up,
  whose size is the number to know. What does not shrink is tied to the first candle there is, as a
  sum since the beginning.

Cuts lie anywhere, and right after candles with a signal, where one that peeks is not there yet.
A column that differs between two runs on the very same candles says nothing about either.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

SIGNALS = ("enter_long", "exit_long", "enter_short", "exit_short")
# Of a column's usual size: what differs by less is rounding.
_ROUNDING = 1e-9
# A warm-up is halved, or more, by the longest history.
_SHRINKS = 0.5
_ENDS_OF_HISTORIES = 6
_LEAST_CANDLES = 10
_SEED = 1

# A frame worked out on the candles from one position up to another, and no others; the third number
# is how many of them are warm-up.
Populate = Callable[[int, int, int], pd.DataFrame]


class NotComparable(Exception):
    """The columns cannot be judged; the text is one sentence for the user."""


@dataclass(frozen=True)
class Peek:
    """
    A column that changes when later candles come.

    Parameters
    ----------
    pair : str
    candle : datetime
        The first candle whose value differs.
    known, later : value
        What it was when that candle was (nearly) the newest, and what it became.
    cuts : int
        How many show it.
    """

    pair: str
    candle: datetime
    known: Any
    later: Any
    cuts: int


@dataclass(frozen=True)
class Examined:
    """
    What came of the columns, by name.

    Parameters
    ----------
    cuts : int
        How many there were.
    peeks : mapping of str to Peek
    histories : tuple of int
        Candles up to the newest, the shortest first, with which its values were worked out.
    history : mapping of str to tuple of float
        Largest difference of the newest candle's value with each of these from that with all
        candles, as a ratio of the value or the column's usual size; columns that always agree are
        left out.
    unstable : frozenset of str
        Columns that differ between two runs on the same candles.
    """

    cuts: int = 0
    peeks: Mapping[str, Peek] = field(default_factory=dict)
    histories: tuple[int, ...] = ()
    history: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    unstable: frozenset[str] = frozenset()

    def settles(self, column: str) -> bool:
        """Whether what differs with the history is a warm-up: more of it makes it smaller."""
        first, *_, last = self.history[column]
        return last <= _SHRINKS * first

    def __add__(self, other: "Examined") -> "Examined":
        """Of several pairs."""
        peeks = dict(self.peeks)
        for column, peek in other.peeks.items():
            known = peeks.get(column)
            peeks[column] = peek if known is None else replace(known, cuts=known.cuts + peek.cuts)
        history = dict(self.history)
        for column, found in other.history.items():
            history[column] = _largest(history.get(column), found)
        history = {name: found for name, found in history.items() if name not in peeks}
        histories = self.histories or other.histories
        unstable = self.unstable | other.unstable
        return Examined(self.cuts + other.cuts, peeks, histories, history, unstable)


def examine(
    pair: str,
    populate: Populate,
    dates: pd.DatetimeIndex,
    warmup: int,
    cuts: int,
    histories: Sequence[int] = (),
) -> Examined:
    """
    Compare the columns of a pair.

    Parameters
    ----------
    populate : callable
        See `Populate`; the frame has a column `date`.
    dates : DatetimeIndex
        Of all candles.
    warmup : int
        How many of them come before the first that is traded on, whose values nobody sees.
    cuts : int
        How many at most.
    histories : sequence of int
        See `Examined`; too long ones say nothing.

    Raises
    ------
    NotComparable
        Where there are too few candles, or a frame is none.
    """
    length = len(dates)
    if length < warmup + _LEAST_CANDLES:
        least = warmup + _LEAST_CANDLES
        raise NotComparable(f"{pair} has {length} candles: expected {least} at least")
    whole, again = (_dated(populate(0, length, warmup), pair)[dates[warmup] :] for _ in range(2))
    usual = {str(name): _usual(whole[name]) for name in whole.columns}
    unstable = frozenset(name for name, _ in _differences(again, whole, usual))
    peeks: dict[str, Peek] = {}
    ends = cut_ends(whole, dates, warmup, cuts)
    for end in ends:
        part = _dated(populate(0, end, warmup), pair)[dates[warmup] :]
        for name, rows in _differences(part, whole[: dates[end - 1]], usual):
            if name in unstable:
                continue
            first = rows[0]
            known = part[name].get(first) if name in part else None
            seen = Peek(pair, first.to_pydatetime(), known, whole[name].get(first), 1)
            found = peeks.get(name, seen)
            peeks[name] = replace(found, cuts=found.cuts + 1) if name in peeks else seen
    left_out = unstable | set(peeks)
    history = _histories(pair, populate, length, histories, usual)
    settled = {name: found for name, found in history.items() if name not in left_out}
    return Examined(len(ends), peeks, tuple(histories), settled, unstable)


def cut_ends(whole: pd.DataFrame, dates: pd.DatetimeIndex, warmup: int, cuts: int) -> list[int]:
    """Where candles are cut off: half anywhere, half right after candles with a signal."""
    drawn = random.Random(_SEED)  # noqa: S311 - off the borders of hours and days
    present = [name for name in SIGNALS if name in whole.columns]
    at_signals: set[int] = set()
    for name in present:
        given = whole.index[pd.to_numeric(whole[name], errors="coerce") == 1]
        rows = [int(row) for row in dates.get_indexer(given) if 0 <= row < len(dates) - 1]
        most = max(1, cuts // 2 // len(present))
        at_signals.update(row + 1 for row in drawn.sample(rows, min(most, len(rows))))
    anywhere = range(warmup + 1, len(dates))
    wanted = min(len(anywhere), max(0, cuts - len(at_signals)))
    step = len(anywhere) / max(1, wanted)
    spread = {anywhere[0] + int((number + drawn.random()) * step) for number in range(wanted)}
    return sorted(at_signals | spread)


def _histories(
    pair: str, populate: Populate, length: int, histories: Sequence[int], usual: Mapping[str, float]
) -> dict[str, tuple[float, ...]]:
    """By column, the largest difference of the newest value at each length of history."""
    found: dict[str, tuple[float, ...]] = {}
    if not histories or length <= histories[-1]:
        return found
    ends = np.unique(np.linspace(histories[-1] + 1, length, _ENDS_OF_HISTORIES, dtype=int))
    for end in map(int, ends):
        reference = _dated(populate(0, end, end), pair).iloc[[-1]]
        sizes: dict[str, list[float]] = {}
        for number, history in enumerate(histories):
            last = _dated(populate(end - history, end, history), pair).iloc[[-1]]
            for name in reference.columns:
                size = _relative(last, reference, name, usual[name]) if name in usual else 0.0
                sizes.setdefault(name, [0.0] * len(histories))[number] = size
        for name, each in sizes.items():
            if max(each) > _ROUNDING:
                found[name] = _largest(found.get(name), each)
    return found


def _dated(frame: pd.DataFrame, pair: str) -> pd.DataFrame:
    """By date; rows that are gone are seen as differences of the column `date`."""
    if not isinstance(frame, pd.DataFrame) or "date" not in frame.columns:
        raise NotComparable(f"{pair}: what the strategy returned is no frame with a column 'date'")
    frame = frame.loc[:, ~frame.columns.duplicated(keep="last")]
    dated = frame.set_index(pd.DatetimeIndex(frame["date"]), drop=False)
    if not (dated.index.is_unique and dated.index.is_monotonic_increasing):
        raise NotComparable(f"{pair}: the strategy's frame has candles twice, or in disorder")
    return dated


def _differences(
    part: pd.DataFrame, whole: pd.DataFrame, usual: Mapping[str, float]
) -> Iterator[tuple[str, pd.DatetimeIndex]]:
    """Columns that are not the same on the candles that both have, with the rows."""
    gone = whole.index.symmetric_difference(part.index)
    if len(gone):
        both = whole.index.intersection(part.index)
        whole, part = whole.loc[both], part.loc[both]
        yield "date", pd.DatetimeIndex(gone)
    for name in whole.columns:
        if name == "date":
            continue
        other = part[name] if name in part else pd.Series(np.nan, index=part.index)
        unlike = _unlike(other, whole[name], usual.get(name, 0.0))
        if unlike.any():
            yield str(name), pd.DatetimeIndex(whole.index[unlike])


def _relative(one: pd.DataFrame, other: pd.DataFrame, name: str, usual: float) -> float:
    """How far two single values are from one another; 1 where one of them is missing or a word."""
    if name not in one:
        return 1.0
    if not _unlike(one[name], other[name], usual)[0]:
        return 0.0
    a, b = (float(pd.to_numeric(each[name], errors="coerce").iloc[0]) for each in (one, other))
    size = max(abs(a), abs(b), usual)
    return min(1.0, abs(a - b) / size) if np.isfinite(a) and np.isfinite(b) and size else 1.0


def _unlike(one: pd.Series, other: pd.Series, usual: float) -> np.ndarray:
    """Where two columns differ by more than rounding; missing is like missing."""
    if _numeric(one) and _numeric(other):
        a, b = one.to_numpy(dtype=float), other.to_numpy(dtype=float)
        with np.errstate(invalid="ignore"):
            size = np.maximum(np.maximum(np.abs(a), np.abs(b)), usual)
            apart = np.abs(a - b) > _ROUNDING * size
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        return np.asarray(~same & (apart | ~np.isfinite(a) | ~np.isfinite(b)))
    a, b = (each.astype(object).where(each.notna(), None).to_numpy() for each in (one, other))
    return np.asarray(a != b, dtype=bool)


def _usual(column: Any) -> float:
    """Usual size of a column's numbers, so that crossing zero makes no difference large."""
    if not _numeric(column):
        return 0.0
    values = np.abs(column.to_numpy(dtype=float))
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) else 0.0


def _numeric(column: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column))


def _largest(known: Sequence[float] | None, found: Sequence[float]) -> tuple[float, ...]:
    return tuple(map(max, known, found)) if known is not None else tuple(found)
