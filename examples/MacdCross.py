"""Convergence and divergence of averages (Appel)."""

from ballast import GuardedStrategy, StopRules, above, below, crossed_above, crossed_below


class MacdCross(GuardedStrategy):
    """Buys when MACD crosses its signal from below zero, in a pair that rises by the day."""

    timeframe = "1h"
    stops = StopRules(initial_atr=4)

    def entry_rules(self, pair, market):
        return {
            "crossed": crossed_above(self.macd(pair, "macd"), self.macd(pair, "macdsignal")),
            "below_zero": below(self.macd(pair, "macd"), 0),
            "day_rises": above(pair.on("1d").close, pair.on("1d").mean(10)),
        }

    def exit_rules(self, pair, market):
        return {"back": crossed_below(self.macd(pair, "macd"), self.macd(pair, "macdsignal"))}

    def macd(self, pair, output):
        return pair.ta("MACD", 12, 26, 9, output=output)
