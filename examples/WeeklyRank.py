"""The strongest of the basket, chosen anew each week (relative momentum)."""

from ballast import GuardedStrategy, StopRules, above, all_of, at_most, hours, weekdays


class WeeklyRank(GuardedStrategy):
    """Buys on Mondays what has risen most in a week, and leaves what is no longer among it."""

    timeframe = "4h"
    stops = StopRules(initial_atr=8)

    def entry_rules(self, pair, market):
        return {
            "strongest": at_most(self.place(pair, market), 2),
            "rises": above(pair.roc("7d"), 0),
            "monday": all_of(day=weekdays("mon"), first=hours(0, 4)),
        }

    def exit_rules(self, pair, market):
        return {"overtaken": above(self.place(pair, market), 3)}

    def place(self, pair, market):
        return market.rank(pair, lambda coin: coin.roc("7d"))
