"""Strength of a trend (Wilder) and its direction."""

from ballast import GuardedStrategy, StopRules, above, all_of, below


class AdxMomentum(GuardedStrategy):
    """Buys a strong trend whose momentum and direction are up; leaves one whose are down."""

    timeframe = "1h"
    stops = StopRules(initial_atr=4)

    def entry_rules(self, pair, market):
        plus, minus = pair.ta("PLUS_DI", 25), pair.ta("MINUS_DI", 25)
        return {
            "strong": above(pair.ta("ADX", 14), 25),
            "momentum": above(pair.ta("MOM", 14), 0),
            "direction": all_of(far=above(plus, 25), up=above(plus, minus)),
        }

    def exit_rules(self, pair, market):
        plus, minus = pair.ta("PLUS_DI", 25), pair.ta("MINUS_DI", 25)
        strong, falls = above(pair.ta("ADX", 14), 25), below(pair.ta("MOM", 14), 0)
        down = all_of(far=above(minus, 25), down=above(minus, plus))
        return {"turned": all_of(strong=strong, falls=falls, direction=down)}
