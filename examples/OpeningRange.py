"""The first hour of the day (UTC) sets the range (Crabel)."""

from ballast import GuardedStrategy, StopRules, below, crossed_above, hours


def opening(candles, price, of):
    """That price of the first hour of each candle's day; unknown within that hour."""
    within = candles["date"].dt.hour < 1
    day = candles["date"].dt.floor("1D")
    return candles[price].where(within).groupby(day).transform(of).mask(within)


class OpeningRange(GuardedStrategy):
    """Buys a break of the first hour's high before noon; out below its low, or at the day's end."""

    timeframe = "5m"
    stops = StopRules(initial_atr=3)

    def entry_rules(self, pair, market):
        high = pair.apply(lambda candles: opening(candles, "high", "max"), history="1d")
        return {"breaks": crossed_above(pair.close, high), "morning": hours(1, 12)}

    def exit_rules(self, pair, market):
        low = pair.apply(lambda candles: opening(candles, "low", "min"), history="1d")
        return {"failed": below(pair.close, low), "day_ends": hours(23, 24)}
