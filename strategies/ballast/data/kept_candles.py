"""Candles that windows are measured on, kept by pair from one live candle to the next.

Those of a strategy on 5m or 1m are hourly: what is measured on them changes once an hour, not at
every candle; likewise those of `pair.on("1d")` change once a day. Those that change carry on what
was known of the candles before (see `MeasuredCandles`).
"""

from collections.abc import Collection, Hashable

import numpy as np
import pandas as pd

from ballast.core.frames import PRICES, SLOW_TIMEFRAME, anchor_ns, grouped, nanoseconds, span_ns
from ballast.core.measured import MeasuredCandles
from ballast.core.windows import coarser


class KeptCandles:
    """
    By pair, what its windows are measured on.

    Parameters
    ----------
    timeframe : str
        The strategy's.
    to : str, optional
        That of the candles kept; hourly ones unless given, or the strategy's where those are
        longer.
    """

    def __init__(self, timeframe: str, to: str | None = None) -> None:
        self._timeframe = timeframe
        self._to = to or coarser(timeframe, SLOW_TIMEFRAME)
        self._fine, self._slow = span_ns(timeframe), span_ns(self._to)
        self._kept: dict[str, tuple[Hashable, MeasuredCandles]] = {}

    def of(self, pair: str, frame: pd.DataFrame, older: pd.DataFrame | None) -> MeasuredCandles:
        """
        Those of the pair: as they were while the last of them is made of the same candles.

        Parameters
        ----------
        frame : DataFrame
            The pair's own candles.
        older : DataFrame or None
            See `frames.grouped`.
        """
        edition = self._edition(frame, older)
        kept = self._kept.get(pair)
        if kept is None or kept[0] != edition:
            made = grouped(frame, self._timeframe, self._to, older)
            before = kept[1] if kept else None
            kept = self._kept[pair] = (edition, MeasuredCandles(made, self._to, before))
        return kept[1]

    def forget_but(self, pairs: Collection[str]) -> None:
        """Keep those of the pairs given alone."""
        self._kept = {pair: kept for pair, kept in self._kept.items() if pair in pairs}

    def _edition(self, frame: pd.DataFrame, older: pd.DataFrame | None) -> Hashable:
        """
        What tells one state of the candles from another: how far back they reach, when the last
        whole one ends, and of what it is made (exchanges correct their newest candles).
        """
        opened = nanoseconds(frame["date"])
        last = len(opened)
        if self._fine < self._slow:
            ends = opened + self._fine - anchor_ns(self._to)
            whole = np.flatnonzero(ends % self._slow == 0)
            last = int(whole[-1]) + 1 if len(whole) else 0
        # The pair's own candles are all in the frame: whichever is corrected, trust is judged anew.
        first = last - self._slow // self._fine if self._fine < self._slow else 0
        made_of = slice(max(0, first), last)
        parts = tuple(hash(frame[name].to_numpy()[made_of].tobytes()) for name in PRICES[1:])
        reach = opened if older is None else nanoseconds(older["date"])
        return opened[:last][-1:].tobytes(), reach[:1].tobytes(), len(reach), parts
