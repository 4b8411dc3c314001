"""What a strategy sees of a pair: its completed candles, and views of others on the same axis.

A view is the same class again: `pair.own` counts in the strategy's own candles, `pair.on("4h")` in
longer ones, `pair.of("ETH/USDT")` is another pair. Each notes how much history it was asked for:
the start-up length of a strategy is the answer to 'which windows did its rules ask for?'.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Protocol, Self

import pandas as pd

from ballast.core import frames
from ballast.core.indicators import Indicators
from ballast.core.measured import MeasuredCandles
from ballast.core.windows import minutes


class OtherCandles(Protocol):
    """Where candles come from that are not a pair's own."""

    def grouped(self, pair: str, candles: MeasuredCandles, to: str) -> MeasuredCandles:
        """A pair's candles grouped to a coarser timeframe, older history in front."""

    def of(self, pair: str) -> "Candles":
        """Those of another pair, on their own axis."""

    @property
    def basket(self) -> Sequence[str]:
        """Pairs that stand for the market, as the settings name them."""


class Candles(Indicators):
    """
    Completed candles of one pair.

    Parameters
    ----------
    frame, timeframe, slow, own
        As for `AlignedCandles`.
    source : OtherCandles, optional
        Where other candles come from.
    name : str
        The pair.
    """

    # What rules call it.
    _said = "pair"

    def __init__(
        self,
        frame: pd.DataFrame,
        timeframe: str,
        slow: MeasuredCandles | None = None,
        source: OtherCandles | None = None,
        name: str = "",
        own: MeasuredCandles | None = None,
    ) -> None:
        super().__init__(frame, timeframe, slow, own)
        self.name = name
        # Candles to be loaded for one here, and beside them, where groups begin anywhere.
        self._loaded, self._spare = 1, 0
        self._source = source
        self._views: dict[Hashable, Candles] = {}

    @property
    def own(self) -> "Candles":
        """
        The same pair with windows in candles of its own timeframe: `pair.own.rsi(14)`. A length of
        time is measured on them, too, where `pair` itself would take hourly ones.
        """
        if self.counts:
            return self
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
                f"{self._said}.on({timeframe!r}): {self.timeframe} cannot be grouped to "
                f"{timeframe}; {can}"
            )
        return self._view(timeframe, lambda: self._grouped(timeframe))

    def of(self, pair: str) -> "Candles":
        """Another pair on the candles of this one: `pair.of("ETH/USDT").roc("7d")`."""
        if not isinstance(pair, str) or "/" not in pair:
            raise ValueError(f"{self._said}.of({pair!r}): expected a pair such as 'ETH/USDT'")
        return self._view(("of", pair), lambda: self._other(pair))

    def onto(self, dates: pd.Series, timeframe: str | None = None) -> Self:
        """The same candles seen from others (see `AlignedCandles.onto`)."""
        view = super().onto(dates, timeframe)
        view._views = {}
        return view

    @property
    def warmup(self) -> int:
        """Candles of each timeframe that have to be loaded for what has been asked for."""
        own = (self.history + self._spare) * self._loaded if self.history else 0
        return max([own, *(view.warmup for view in self.views())])

    def views(self) -> "list[Candles]":
        """Views that have been asked for."""
        return list(self._views.values())

    def _view(self, key: Hashable, make: "Callable[[], Candles]") -> "Candles":
        if key not in self._views:
            self._views[key] = make()
        return self._views[key]

    def _counting(self, measured: MeasuredCandles) -> "Candles":
        view = Candles(measured.frame, measured.timeframe, measured, self._source, self.name)
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
            raise ValueError(f"{self._said}.of({pair!r}): no other pair is known here")
        return self._source.of(pair).onto(*self._axis)
