"""Completed candles of a pair on the time axis of the strategy, whatever timeframe they are of.

A view is the same class again: `pair.own` counts in the strategy's own candles, `pair.on("4h")` in
longer ones, `pair.of("ETH/USDT")` is another pair. Each gives one value per candle of the strategy,
that of the newest candle that has ended by then, and notes how much history it was asked for: the
start-up length of a strategy is the answer to 'which windows did its rules ask for?'.
"""

import copy
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar, cast

import numpy as np
import pandas as pd

from ballast.core import frames
from ballast.core.measured import MeasuredCandles
from ballast.core.windows import candles as candles_in
from ballast.core.windows import coarser, minutes

if TYPE_CHECKING:
    from ballast.core.candles import Candles

Made = TypeVar("Made")
# A length of time such as '10d', or a number of candles.
Window = str | int


class Source(Protocol):
    """Where candles come from that are not a pair's own."""

    def grouped(self, pair: str, candles: MeasuredCandles, to: str) -> MeasuredCandles:
        """A pair's candles grouped to a coarser timeframe, older history in front."""

    def of(self, pair: str) -> "Candles":
        """Those of another pair, on their own axis."""

    @property
    def basket(self) -> Sequence[str]:
        """Pairs that stand for the market, as the settings name them."""


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
    source : Source, optional
        Where other candles come from.
    name : str
        The pair.

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
        source: Source | None = None,
        name: str = "",
    ) -> None:
        self.timeframe = timeframe
        self.name = name
        self.slow = slow or slow_candles(frame, timeframe)
        self.slow_timeframe = self.slow.timeframe
        same = self.slow_timeframe == timeframe
        self.base = self.slow if same else MeasuredCandles(frame, timeframe)
        self.counts = False
        self.history = 0
        # Candles to be loaded for one here, and beside them, where groups begin anywhere.
        self._loaded, self._spare = 1, 0
        self._source = source
        self._views: dict[Hashable, Candles] = {}
        self._known: dict[Hashable, Any] = {}
        self._axis = (frame["date"], timeframe)
        self._at: np.ndarray | None = None
        self._there = np.ones(len(frame), dtype=bool)
        self._slow_at = None if same else self._slow_positions()

    @property
    def frame(self) -> pd.DataFrame:
        """The candles themselves, on their own axis."""
        return self.base.frame

    @property
    def own(self) -> "Candles":
        """
        The same pair with windows in candles of its own timeframe: `pair.own.rsi(14)`. A length of
        time is measured on them, too, where `pair` itself would take hourly ones.
        """
        if self.counts:
            return cast("Candles", self)
        return self._view("own", lambda: self._counting(self.base))

    def on(self, timeframe: str) -> "Candles":
        """
        The same pair on longer candles, completed ones only: `pair.on("4h").ema(50)`. Windows are
        numbers of those candles, or lengths of time; prices such as `close` are theirs.
        """
        if timeframe == self.timeframe:
            return self.own
        groups = frames.groups_of(self.timeframe)
        if timeframe not in groups:
            can = f"{', '.join(groups)} can" if groups else "there are none longer"
            raise ValueError(
                f"pair.on({timeframe!r}): {self.timeframe} cannot be grouped to {timeframe}; {can}"
            )
        return self._view(timeframe, lambda: self._grouped(timeframe))

    def of(self, pair: str) -> "Candles":
        """Another pair on the candles of this one: `pair.of("ETH/USDT").roc("7d")`."""
        if not isinstance(pair, str) or "/" not in pair:
            raise ValueError(f"pair.of({pair!r}): expected a pair such as 'ETH/USDT'")
        return self._view(("of", pair), lambda: self._other(pair))

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
        view._known, view._views = {}, {}
        view._axis = dates, timeframe or self.timeframe
        theirs = self.frame["date"], self.timeframe
        view._at = frames.last_completed(*view._axis, *theirs)
        view._there = frames.is_newest(*view._axis, *theirs)
        same = self.slow is self.base
        view._slow_at = view._at if same else view._slow_positions()
        return view

    @property
    def warmup(self) -> int:
        """Candles of each timeframe that have to be loaded for what has been asked for."""
        own = (self.history + self._spare) * self._loaded if self.history else 0
        return max([own, *(view.warmup for view in self.views())])

    def views(self) -> "list[Candles]":
        """Views that have been asked for."""
        return list(self._views.values())

    def once(self, key: Hashable, compute: Callable[[], Made]) -> Made:
        """What follows from the candles on this axis, worked out at the first call."""
        if key not in self._known:
            self._known[key] = compute()
        return cast(Made, self._known[key])

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
            return self.frame[name]
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
        windows = windows if isinstance(windows, tuple) else (windows,)
        lengths = [self._length(name, window, least, self.slow_timeframe) for window in windows]
        longest = sum(lengths) if chained else max(lengths) * memory
        self.needs(longest + 1)
        # On finer candles than those measured on it is the finer one before.
        within = before and self.slow is self.base
        key = (name, windows, within)

        def measured() -> np.ndarray:
            values = of(self.slow.frame, *lengths) if len(self.slow) else np.full(0, np.nan)
            return _moved(values) if within else values

        def seen() -> pd.Series:
            values = self.from_slow(self.slow.once(key, measured), np.nan)
            return self._series(_moved(values) if before and not within else values)

        # A copy as far as whoever has it can tell: pandas copies what is written to.
        return self.once((key, before), seen).copy(deep=False)

    def needs(self, candles: int) -> None:
        """Note that so many candles must have been before the first value is one."""
        self.history = max(self.history, candles)

    def _length(self, name: Hashable, window: Window, least: int, timeframe: str) -> int:
        """Candles of a window."""
        if isinstance(window, str):
            return candles_in(window, timeframe)
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

    def _series(self, values: np.ndarray) -> pd.Series:
        return pd.Series(values, index=self._axis[0].index)

    def _slow_positions(self) -> np.ndarray:
        return frames.last_completed(*self._axis, self.slow.frame["date"], self.slow_timeframe)

    def _view(self, key: Hashable, make: "Callable[[], Candles]") -> "Candles":
        if key not in self._views:
            self._views[key] = make()
        return self._views[key]

    def _plain(self, measured: MeasuredCandles) -> "Candles":
        """Candles of this pair and no more, that are measured as they are."""
        raise NotImplementedError

    def _counting(self, measured: MeasuredCandles) -> "Candles":
        view = self._plain(measured)
        view.counts = True
        return view if measured is self.base and self._at is None else view.onto(*self._axis)

    def _grouped(self, timeframe: str) -> "Candles":
        if self._source is None:
            frame = frames.grouped(self.frame, self.timeframe, timeframe, None)
            candles = MeasuredCandles(frame, timeframe)
        else:
            candles = self._source.grouped(self.name, self.base, timeframe)
        view = self._counting(candles)
        read = frames.read_in(self.timeframe, timeframe)
        view._loaded, view._spare = round(minutes(timeframe) / minutes(read)), 1
        return view

    def _other(self, pair: str) -> "Candles":
        if self._source is None:
            raise ValueError(f"pair.of({pair!r}): no other pair is known here")
        return self._source.of(pair).onto(*self._axis)


def _moved(values: np.ndarray) -> np.ndarray:
    """Of each candle, the value of the one before it (`Series.shift`, at a fifth of its price)."""
    return np.concatenate(([np.nan], values[:-1]))[: len(values)]


def slow_candles(
    frame: pd.DataFrame, timeframe: str, older: pd.DataFrame | None = None
) -> MeasuredCandles:
    """What windows of hours and days are measured on (see `frames.slow_frame`)."""
    slow_timeframe = coarser(timeframe, frames.SLOW_TIMEFRAME)
    return MeasuredCandles(frames.slow_frame(frame, timeframe, older), slow_timeframe)
