"""Mean reversion in a calm range."""

from freqtrade.strategy import DecimalParameter

from ballast import GuardedStrategy, StopRules, above, below, rising_market, trend_gap, zscore


class RangeReversion(GuardedStrategy):
    """
    Buys a deep dip of a pair that is going nowhere while the market holds up, and gives it three
    days; a bounce that has become a trend by then is followed.

    A component of RisingMarket, not to be run alone: on hourly candles it earns about its costs.
    Earns in quiet markets, where dips are noise. Loses when a range breaks downwards. It should
    hold because a seller in a hurry pays for liquidity, and the price comes back once he is done.
    """

    timeframe = "1h"
    stops = StopRules(initial_atr=6, chandelier_atr=6, chandelier_slack_atr=2, time_stop="3d")
    size = 0.25
    calm_gap = DecimalParameter(0.04, 0.12, default=0.08, decimals=2, space="buy")
    stretch_sigmas = DecimalParameter(1.2, 2.5, default=1.8, decimals=1, space="buy")

    def entry_rules(self, pair, market):
        return {
            **rising_market(market),
            "no_trend": below(trend_gap(pair), 0.0),
            "calm": above(trend_gap(pair), -self.calm_gap.value),
            "stretched": below(zscore(pair, "2d"), -self.stretch_sigmas.value),
        }
