"""A trailing line of true ranges that changes sides (Seban)."""

from ballast import GuardedStrategy, StopRules, crossed_above, crossed_below


class Supertrend(GuardedStrategy):
    """Buys when the Supertrend line turns up, and leaves when it turns down."""

    timeframe = "1h"
    stops = StopRules(initial_atr=5)

    def entry_rules(self, pair, market):
        return {"turns_up": crossed_above(self.direction(pair), 0)}

    def exit_rules(self, pair, market):
        return {"turns_down": crossed_below(self.direction(pair), 0)}

    def direction(self, pair):
        return pair.technical("supertrend", period=10, multiplier=3, output="direction")
