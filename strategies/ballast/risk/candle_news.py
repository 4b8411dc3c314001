"""Whether a candle of a backtest brings the guards anything new: found for all candles at once."""

from datetime import datetime

import numpy as np

from ballast.core.cross_section import CrossSection
from ballast.core.guard_set import GuardSet
from ballast.data.market_view import MarketView


class CandleNews:
    """
    Looks candles up. What is not known is news: the guards are then asked.

    Parameters
    ----------
    guard_set : GuardSet
    market_view : MarketView
    """

    def __init__(self, guard_set: GuardSet, market_view: MarketView) -> None:
        self._guard_set = guard_set
        self._market_view = market_view
        self._market: CrossSection | None = None
        self._news = np.zeros(0, dtype=bool)
        self._position = -1

    def at(self, end: datetime) -> bool:
        """Whether guards may say something else at the candle that ended at `end` than before."""
        market = self._market_view.cross_section()
        if market is None:
            return True
        if market is not self._market:
            self._market, self._news = market, self._guard_set.news(market)
            self._position = -1
        position = market.axis.completed_at(end)
        if not market.axis.is_fresh(position, end):
            self._position = -1
            return True
        # After a gap nobody has looked at the candle before.
        next_one = position == self._position + 1 and position > 0
        self._position = position
        return not next_one or self._guard_set.is_due(end) or bool(self._news[position])
