"""The oldest of trend systems: two averages cross."""

from ballast import GuardedStrategy, StopRules, above, crossed_above, crossed_below


class EmaCross(GuardedStrategy):
    """Buys when the faster of two averages crosses the slower, in a pair above its long average."""

    timeframe = "1h"
    stops = StopRules(initial_atr=4)

    def entry_rules(self, pair, market):
        return {
            "crossed": crossed_above(pair.own.ema(12), pair.own.ema(26)),
            "trend": above(pair.close, pair.own.mean(200)),
        }

    def exit_rules(self, pair, market):
        return {"crossed_back": crossed_below(pair.own.ema(12), pair.own.ema(26))}
