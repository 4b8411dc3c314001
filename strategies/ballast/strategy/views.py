"""What is seen of a pair and of the market; the market is seen once for all pairs."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ballast.core import signals
from ballast.core.candles import Candles
from ballast.core.data_quality import DataQualityLimits
from ballast.core.market import Market
from ballast.data.market_view import MARKET
from ballast.runtime.session import TradingSession


class Views:
    """Keeps the last views: a pair is asked about several times in a row, the market by all."""

    def __init__(self) -> None:
        self._last: tuple[pd.DataFrame, Market, tuple[Candles, Market]] | None = None
        self._seen_market: tuple[Market, np.ndarray, Market] | None = None
        # What goes on after a first look, for which nothing is looked up again, and its columns.
        self._continued: pd.DataFrame | None = None
        self._state: Mapping[str, np.ndarray] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Hyperopt sends the strategy to its workers: frames are seen anew there."""
        return {"_last": None, "_seen_market": None, "_continued": None, "_state": {}}

    def of(
        self, session: TradingSession, pair: str, frame: pd.DataFrame, limits: DataQualityLimits
    ) -> tuple[Candles, Market]:
        """
        The pair's candles, and the market on them; a new market is written down for the guards.

        Parameters
        ----------
        frame : DataFrame
            The pair's candles.
        """
        if self._last is not None and frame is self._continued and frame is self._last[0]:
            return self._last[2]
        market = session.feeds.market()
        if market is not session.market:
            session.market = market
            session.columns_by_pair[MARKET] = signals.market_columns(market, limits)
        last = self._last
        if last is None or last[0] is not frame or last[1] is not market:
            candles = session.feeds.candles(pair, frame)
            seen = candles, self._onto(market, candles)
            self._last = last = (frame, market, seen)
        return last[2]

    def goes_on(self, frame: pd.DataFrame, state: Mapping[str, np.ndarray]) -> pd.DataFrame:
        """Take a frame for the one that was seen last: it has got the columns of `state`."""
        if self._last is not None:
            self._last = (frame, *self._last[1:])
            self._continued, self._state = frame, state
        return frame

    def state(self, frame: pd.DataFrame) -> Mapping[str, np.ndarray]:
        """The columns of `signals.state_columns` that a frame has got."""
        if frame is self._continued:
            return self._state
        return {name: frame[name].to_numpy() for name in signals.STATE}

    def _onto(self, market: Market, pair: Candles) -> Market:
        """The market on a pair's candles: one view for all pairs with candles of the same times."""
        axis = pair.base.opened
        known = self._seen_market
        if known is None or known[0] is not market or not np.array_equal(known[1], axis):
            self._seen_market = known = (market, axis, market.onto(pair.frame["date"]))
        return known[2]
