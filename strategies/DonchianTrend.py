"""Trend following by channel breakout."""

from ballast.core.regime import is_up
from ballast.core.rules import Rule, above, holds
from ballast.core.stops import StopRules
from ballast.strategy import GuardedStrategy
from freqtrade.strategy import IntParameter


class DonchianTrend(GuardedStrategy):
    """
    Buys a close above the highest high of the past days while the pair and the market are rising,
    and follows it with a wide chandelier stop.

    Earns in long trends, which pay for many small losses. Loses in ranges, where breakouts fail.
    It should hold because trends in crypto markets feed on themselves: news spreads slowly, and
    buyers follow buyers (time-series momentum).
    """

    timeframe = "1h"
    stops = StopRules(initial_atr=4, chandelier_atr=6)
    channel_days = IntParameter(2, 10, default=5, space="buy")

    def entry_rules(self, pair, market):
        return {
            "market_up": holds(is_up(market)),
            "pair_up": holds(is_up(pair)),
            "breakout": above(pair.close, pair.highest_high(f"{self.channel_days.value}d")),
        }

    def lines(self, pair, market):
        return {"channel_high": pair.highest_high(f"{self.channel_days.value}d")}
