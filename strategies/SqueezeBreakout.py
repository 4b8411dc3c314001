"""Expansion of volatility after its contraction."""

from freqtrade.strategy import DecimalParameter

from ballast import GuardedStrategy, StopRules, above, below, leads_rising_market, tightest_range


class SqueezeBreakout(GuardedStrategy):
    """
    Buys the way out, upwards, of an unusually tight range, in a pair that leads a rising market.

    Earns when a trend that has paused goes on with force. Loses on false starts, and when calm
    goes on. It should hold because volatility comes in clusters: contraction is followed by
    expansion, and a tight range gathers orders just outside of it.
    """

    timeframe = "1h"
    stops = StopRules(initial_atr=4, chandelier_atr=6, chandelier_slack_atr=2)
    squeeze_rank = DecimalParameter(0.1, 0.5, default=0.25, decimals=2, space="buy")

    def entry_rules(self, pair, market):
        tightness = tightest_range(pair, "2d", history="20d", within="1d")
        return {
            **leads_rising_market(pair, market),
            "squeezed": below(tightness, self.squeeze_rank.value),
            "expands": above(pair.close, pair.highest_high("2d")),
        }
