"""Reversion to the mean: a price below its band, and sellers tired."""

from ballast import GuardedStrategy, StopRules, above, below


class BollingerRsi(GuardedStrategy):
    """Buys below the lower Bollinger band while RSI is low, and leaves at the middle."""

    timeframe = "15m"
    stops = StopRules(initial_atr=5, time_stop="2d")

    def entry_rules(self, pair, market):
        return {
            "stretched": below(pair.close, pair.ta("BBANDS", 20, 2.0, 2.0, output="lowerband")),
            "oversold": below(pair.ta("RSI", 14), 30),
        }

    def exit_rules(self, pair, market):
        return {"mean": above(pair.close, pair.own.mean(20))}
