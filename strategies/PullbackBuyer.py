"""Buying a dip inside an up-trend."""

from freqtrade.strategy import DecimalParameter

from ballast import GuardedStrategy, StopRules, above, below, deepest_dip, leads_rising_market


class PullbackBuyer(GuardedStrategy):
    """
    Waits for a dip in a pair that leads a rising market, and buys when the rise resumes.

    Earns in trends that breathe; it comes in later than a breakout and at a better price. Loses
    when the dip is the beginning of the end, and in trends that never look back. It should hold
    because profit taking and stopped-out buyers push a trend below what moves it, for hours.
    """

    timeframe = "1h"
    stops = StopRules(initial_atr=4, chandelier_atr=6, chandelier_slack_atr=2)
    dip_sigmas = DecimalParameter(1.0, 2.5, default=1.8, decimals=1, space="buy")

    def entry_rules(self, pair, market):
        return {
            **leads_rising_market(pair, market),
            "dipped": below(deepest_dip(pair, "2d", within="1d"), -self.dip_sigmas.value),
            "resumes": above(pair.close, pair.highest_high("8h")),
        }
