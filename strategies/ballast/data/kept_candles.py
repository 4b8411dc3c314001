"""A pair's candles, kept with what was measured on them from one live candle to the next.

Those of a strategy on 5m or 1m are measured in hours: that changes once an hour, not at every
candle; likewise what `pair.on("1d")` gives changes once a day. Those that change carry on what was
known of the candles before (see `MeasuredCandles.carried`).
"""

from collections.abc import Collection, Hashable
from typing import NamedTuple

import numpy as np
import pandas as pd

from ballast.core.frames import PRICES, anchor_ns, grouped, nanoseconds, span_ns
from ballast.core.measured import MeasuredCandles


class _Group(NamedTuple):
    """
    Longer candles, what they were made of and how far back that reaches, and what tells one state
    of it from another.
    """

    own: MeasuredCandles
    older: pd.DataFrame | None
    reach: Hashable
    edition: Hashable
    candles: MeasuredCandles


class KeptCandles:
    """
    By pair, its own candles and longer ones.

    Parameters
    ----------
    timeframe : str
        The strategy's.
    """

    def __init__(self, timeframe: str) -> None:
        self._timeframe = timeframe
        self._own: dict[str, MeasuredCandles] = {}
        self._groups: dict[tuple[str, str], _Group] = {}

    def own(self, pair: str, frame: pd.DataFrame) -> MeasuredCandles:
        """
        Those of the pair; the same while the frame holds the same candles.

        Whichever of them is corrected, trust is judged anew.
        """
        kept = self._own.get(pair)
        if kept is None or not (kept.frame is frame or kept.frame.equals(frame)):
            kept = self._own[pair] = MeasuredCandles(frame, self._timeframe, kept)
        return kept

    def grouped(
        self, pair: str, own: MeasuredCandles, to: str, older: pd.DataFrame | None
    ) -> MeasuredCandles:
        """
        Candles of a coarser timeframe; as they were while the last of them is made of the same.

        Parameters
        ----------
        own : MeasuredCandles
            The pair's own.
        older : DataFrame or None
            See `frames.grouped`.
        """
        kept = self._groups.get((pair, to))
        if kept is not None and kept.own is own and kept.older is older:
            return kept.candles
        if kept is not None and older is not None and kept.older is older:
            reach = kept.reach
        else:
            opened = own.opened if older is None else nanoseconds(older["date"])
            reach = opened[:1].tobytes(), len(opened)
        edition = reach, self._edition(own, to)
        if kept is not None and kept.edition == edition:
            candles = kept.candles
        else:
            made = grouped(own.frame, self._timeframe, to, older)
            candles = MeasuredCandles(made, to, kept.candles if kept else None)
        self._groups[pair, to] = _Group(own, older, reach, edition, candles)
        return candles

    def forget_but(self, pairs: Collection[str]) -> None:
        """Keep those of the pairs given alone."""
        self._own = {pair: kept for pair, kept in self._own.items() if pair in pairs}
        self._groups = {key: kept for key, kept in self._groups.items() if key[0] in pairs}

    def _edition(self, own: MeasuredCandles, to: str) -> Hashable:
        """
        When the last whole one ends, and of what it is made (exchanges correct their newest
        candles).
        """
        fine, slow = span_ns(self._timeframe), span_ns(to)
        opened = own.opened
        whole = np.flatnonzero((opened + fine - anchor_ns(to)) % slow == 0)
        last = int(whole[-1]) + 1 if len(whole) else 0
        made_of = slice(max(0, last - slow // fine), last)
        parts = tuple(own.values(name)[made_of].tobytes() for name in PRICES[1:])
        return opened[:last][-1:].tobytes(), parts
