"""Trend following by channel breakout."""

from freqtrade.strategy import IntParameter

from ballast import GuardedStrategy, StopRules, above, leads_rising_market


class DonchianTrend(GuardedStrategy):
    """
    Buys a close above the highest high of the past days, in a pair that leads a rising market, and
    follows it with a wide chandelier exit.

    Earns in long trends, which pay for many small losses. Loses in ranges, where breakouts fail.
    It should hold because trends in crypto markets feed on themselves: news spreads slowly, and
    buyers follow buyers (time-series momentum).
    """

    timeframe = "1h"
    stops = StopRules(initial_atr=4, chandelier_atr=6, chandelier_slack_atr=2)
    channel_days = IntParameter(2, 10, default=5, space="buy")

    def entry_rules(self, pair, market):
        return {
            **leads_rising_market(pair, market),
            "breakout": above(pair.close, pair.highest_high(f"{self.channel_days.value}d")),
        }

    def lines(self, pair, market):
        return {"channel_high": pair.highest_high(f"{self.channel_days.value}d")}
