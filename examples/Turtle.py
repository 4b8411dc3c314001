"""The first system of the Turtles (Dennis and Eckhardt, 1983)."""

from ballast import GuardedStrategy, StopRules, above, below


class Turtle(GuardedStrategy):
    """Buys a close above the high of twenty days, leaves below the low of ten, stop at 2 N."""

    timeframe = "1d"
    # 2 N are two ranges of a day, each as long as those of the root of 24 hours.
    stops = StopRules(initial_atr=2 * 24**0.5)
    atr_window = "20d"

    def entry_rules(self, pair, market):
        return {"breakout": above(pair.close, pair.own.highest_high(20))}

    def exit_rules(self, pair, market):
        return {"breakdown": below(pair.close, pair.own.lowest_low(10))}
