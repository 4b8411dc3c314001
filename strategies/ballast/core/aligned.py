"""Completed candles of a pair on the time axis of the strategy, whatever timeframe they are of.

Each gives one value per candle of the axis: that of the newest candle that has ended by then.
"""

import copy
from collections.abc import Callable, Hashable
from typing import Any, Self, TypeVar, cast

import numpy as np
import pandas as pd

from ballast.core import frames
from ballast.core.measured import MeasuredCandles, moved
from ballast.core.windows import candles as candles_in
from ballast.core.windows import coarser, minutes

Made = TypeVar("Made")
# A length of time such as '10d', or a number of candles.
Window = str | int


class AlignedCandles:
    """
    Completed candles of one pair.

    Parameters
    ----------
    frame : DataFrame
        The candles: date (UTC), open, high, low, close (quote currency), volume (base currency).
    timeframe : str
        Length of one of them, such as '5m'.
    slow : MeasuredCandles, optional
        What windows are measured on, where it is known (see `slow_candles`).
    own : MeasuredCandles, optional
        What has been measured on the candles themselves, where they are finer than those.

    Attributes
    ----------
    base, slow : MeasuredCandles
        The candles, and those that windows are measured on: the same from one hour upwards.
    counts : bool
        Whether windows may be numbers of candles: in views of one timeframe.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        timeframe: str,
        slow: MeasuredCandles | None = None,
        own: MeasuredCandles | None = None,
    ) -> None:
        self.timeframe = timeframe
        # Candles too few for an hour are none, and known.
        self.slow = slow_candles(frame, timeframe) if slow is None else slow
        self.slow_timeframe = self.slow.timeframe
        same = self.slow_timeframe == timeframe
        self.base = self.slow if same else own or MeasuredCandles(frame, timeframe)
        self.counts = False
        self.history = 0
        self._known: dict[Hashable, Any] = {}
        self._axis = (frame["date"], timeframe)
        self._opened = self.base.opened
        self._at: np.ndarray | None = None
        self._there = np.ones(len(frame), dtype=bool)
        self._slow_at = None if same else self._slow_positions()
        self._is_bare = False

    @property
    def frame(self) -> pd.DataFrame:
        """The candles themselves, on their own axis."""
        return self.base.frame

    def onto(self, dates: pd.Series, timeframe: str | None = None) -> Self:
        """
        The same candles seen from others: for each of those, the values of the newest candle here
        that has ended by then. Indicators are computed once for all such views.

        Parameters
        ----------
        dates : Series of datetime (UTC)
            Opening times of the other candles.
        timeframe : str, optional
            How long they are; as long as those here unless given.
        """
        view = copy.copy(self)
        view._known = {}
        view._axis = dates, timeframe or self.timeframe
        view._opened = frames.nanoseconds(dates)
        seen = view._opened, view._axis[1], self.base.opened, self.timeframe
        view._at = frames.last_completed(*seen)
        view._there = frames.is_newest(*seen)
        same = self.slow is self.base
        view._slow_at = view._at if same else view._slow_positions()
        return view

    def once(self, key: Hashable, compute: Callable[[], Made]) -> Made:
        """What follows from the candles on this axis, worked out at the first call."""
        if key not in self._known:
            self._known[key] = compute()
        return cast(Made, self._known[key])

    def bare(self, of: Callable[[], Made]) -> Made:
        """
        What `of` gives, asked with indicators of these candles as arrays that are not to be
        changed: for the layer's own columns, of which most are worked out in less time than a
        Series around them is made.
        """
        self._is_bare = True
        try:
            return of()
        finally:
            self._is_bare = False

    def is_there(self) -> np.ndarray:
        """
        Whether the newest candle here that can have ended with each candle of the axis is there.
        Before the first one there is nothing to be missing.
        """
        return self._there

    def __len__(self) -> int:
        return len(self._axis[0])

    def column(self, name: str) -> pd.Series:
        """A column of the candles themselves, such as 'volume' (base currency)."""
        if self._at is None:
            return self._series(self.base.values(name)) if self._is_bare else self.frame[name]
        return self._series(frames.take(self.frame[name].to_numpy(), self._at))

    def from_own(self, values: np.ndarray, missing: float) -> np.ndarray:
        """One value per candle here, on the axis of this view; `missing` before the first."""
        return values if self._at is None else frames.take(values, self._at, missing)

    def from_slow(self, values: np.ndarray, missing: float) -> np.ndarray:
        """One value per candle of the slow frame, likewise."""
        return values if self._slow_at is None else frames.take(values, self._slow_at, missing)

    def measure(
        self,
        name: Hashable,
        windows: Window | tuple[Window, ...],
        of: Callable[..., np.ndarray],
        memory: int = 1,
        chained: bool = False,
        before: bool = False,
        least: int = 2,
    ) -> pd.Series:
        """
        Any indicator over one or several windows, kept until there is a new candle to measure.

        Parameters
        ----------
        name : str
            Names the indicator together with its windows; the same name is computed once.
        windows : str, int or a tuple of them
            Lengths of time; in views of one timeframe also numbers of candles.
        of : callable
            Given the frame that windows are measured on and each window's length in its candles,
            returns one value per candle of that frame. It must not look ahead, nor at anything
            else.
        memory : int
            History it needs, in multiples of the longest window: more than 1 if recursive.
        chained : bool
            The windows are applied one on the result of another, so that their lengths add up.
        before : bool
            Each candle gets the value of the one before it.
        least : int
            Candles that a window must have.
        """
        return self._series(self.measured(name, windows, of, memory, chained, before, least))

    def measured(
        self,
        name: Hashable,
        windows: Window | tuple[Window, ...],
        of: Callable[..., np.ndarray],
        memory: int = 1,
        chained: bool = False,
        before: bool = False,
        least: int = 2,
    ) -> np.ndarray:
        """What `measure` gives, as an array that is not to be changed."""
        windows = windows if isinstance(windows, tuple) else (windows,)
        lengths = [self._length(name, window, least, self.slow_timeframe) for window in windows]
        longest = sum(lengths) if chained else max(lengths) * memory
        self.needs(longest + 1)
        # On finer candles than those measured on it is the finer one before.
        within = before and self.slow is self.base
        key = (name, windows, within)

        def found() -> np.ndarray:
            values = of(self.slow.frame, *lengths) if len(self.slow) else np.full(0, np.nan)
            return moved(values) if within else values

        def seen() -> np.ndarray:
            values = self.from_slow(self.slow.once(key, found), np.nan)
            return moved(values) if before and not within else values

        return self.once((key, before), seen)

    def needs(self, candles: int) -> None:
        """Note that so many candles must have been before the first value is one."""
        self.history = max(self.history, candles)

    def _length(self, name: Hashable, window: Window, least: int, timeframe: str) -> int:
        """Candles of a window."""
        if isinstance(name, tuple):
            # Whatever else it is of.
            name = name[0]
        if isinstance(window, str):
            return self._candles_in(window, timeframe, str(name))
        if isinstance(window, bool) or not isinstance(window, int | np.integer):
            raise ValueError(
                f"{name}({window!r}): expected a length of time such as '14h', or in pair.own and "
                "pair.on(...) a number of candles"
            )
        if not self.counts:
            raise ValueError(
                f"{name}({window}): of which candles? pair.own.{name}({window}) counts in those of "
                f'{self.timeframe}, pair.on("4h").{name}({window}) in longer ones'
            )
        if window < least:
            raise ValueError(f"{name}({window}): expected {least} candles or more")
        return int(window)

    def _candles_in(self, window: str, timeframe: str, name: str) -> int:
        """Candles of a length of time; a refusal names what was asked for, and what can be."""
        call = f"{name}({window!r})"
        try:
            minutes(window)
        except ValueError as error:
            raise ValueError(f"{call}: expected {error}") from None
        try:
            return candles_in(window, timeframe)
        except ValueError as error:
            can = timeframe != self.timeframe and hasattr(self, name)
            hint = f"; pair.own.{call} is measured on those of {self.timeframe}" if can else ""
            raise ValueError(f"{call}: {error}{hint}") from None

    def _series(self, values: np.ndarray) -> pd.Series:
        if self._is_bare:
            return cast(pd.Series, values)
        return pd.Series(values, index=self._axis[0].index)

    def _slow_positions(self) -> np.ndarray:
        axis = self._opened, self._axis[1]
        return frames.last_completed(*axis, self.slow.opened, self.slow_timeframe)


def slow_candles(
    frame: pd.DataFrame, timeframe: str, older: pd.DataFrame | None = None
) -> MeasuredCandles:
    """What windows of hours and days are measured on (see `frames.slow_frame`)."""
    slow_timeframe = coarser(timeframe, frames.SLOW_TIMEFRAME)
    return MeasuredCandles(frames.slow_frame(frame, timeframe, older), slow_timeframe)
