"""To which guards a candle of a backtest brings anything new: found for all candles at once."""

from datetime import datetime

import numpy as np

from ballast.core.cross_section import CrossSection
from ballast.core.guard_set import GuardSet
from ballast.data.market_view import MarketView


class CandleNews:
    """
    Looks candles up. What is not known is news to all: every guard is then asked.

    Parameters
    ----------
    guard_set : GuardSet
    market_view : MarketView
    """

    def __init__(self, guard_set: GuardSet, market_view: MarketView) -> None:
        self._guard_set = guard_set
        self._market_view = market_view
        self._market: CrossSection | None = None
        self._news: dict[str, np.ndarray] = {}
        self._any = np.zeros(0, dtype=bool)
        self._position = -1

    def at(self, end: datetime, *, has_closed: bool) -> list[str] | None:
        """
        Guards that may say something else at the candle that ended at `end` than before it, beside
        those that follow equity; None for all of them.

        Parameters
        ----------
        has_closed : bool
            Whether a trade has closed since the candle before.
        """
        market = self._market_view.cross_section()
        if market is None:
            return None
        if market is not self._market:
            self._market, self._news = market, self._guard_set.news(market)
            none = np.zeros(len(market.axis), dtype=bool)
            self._any = np.logical_or.reduce([none, *self._news.values()])
            self._position = -1
        position = market.axis.newest_at(end)
        if position < 0:
            self._position = -1
            return None
        # After a gap nobody has looked at the candle before.
        next_one = position == self._position + 1 and position > 0
        self._position = position
        due = self._guard_set.due(end)
        if not next_one or due is None:
            return None
        asked = due + self._guard_set.of_trades if has_closed else due
        if not self._any[position]:
            return asked
        return [*asked, *(name for name, news in self._news.items() if news[position])]
