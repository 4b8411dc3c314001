"""What others have paid: the average price by volume."""

from ballast import GuardedStrategy, StopRules, above, below


class VwapReversion(GuardedStrategy):
    """Buys far below the volume-weighted average of a day while the market holds; leaves at it."""

    timeframe = "5m"
    stops = StopRules(initial_atr=5, time_stop="1d")

    def entry_rules(self, pair, market):
        return {
            "cheap": below(pair.close, 0.985 * self.vwap(pair)),
            "oversold": below(pair.ta("RSI", 14), 35),
            "market_holds": above(market.on("1h").roc(24), -0.03),
        }

    def exit_rules(self, pair, market):
        return {"fair": above(pair.close, self.vwap(pair))}

    def vwap(self, pair):
        return pair.technical("qtpylib.rolling_vwap", window="1d")
