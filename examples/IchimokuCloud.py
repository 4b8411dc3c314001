"""The Japanese chart at one glance (Hosoda), without the line that is drawn into the past."""

from ballast import GuardedStrategy, StopRules, above, below, crossed_above


class IchimokuCloud(GuardedStrategy):
    """Buys when the conversion line crosses the base line above the cloud."""

    timeframe = "4h"
    stops = StopRules(initial_atr=6)

    def entry_rules(self, pair, market):
        line = {name: pair.technical("ichimoku", output=name) for name in self.lines_of_it}
        return {
            "crossed": crossed_above(line["tenkan_sen"], line["kijun_sen"]),
            "above_one": above(pair.close, line["senkou_span_a"]),
            "above_other": above(pair.close, line["senkou_span_b"]),
        }

    def exit_rules(self, pair, market):
        return {"below_base": below(pair.close, pair.technical("ichimoku", output="kijun_sen"))}

    lines_of_it = ("tenkan_sen", "kijun_sen", "senkou_span_a", "senkou_span_b")
