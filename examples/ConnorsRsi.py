"""Connors' RSI: how far, how often in a row and how unusually a price has fallen."""

import talib

from ballast import GuardedStrategy, StopRules, above, below


def connors_rsi(candles):
    """Mean of RSI(3), RSI(2) of the streak of rises or falls, and the rank of the last move."""
    close, move = candles["close"], candles["close"].pct_change()
    sign = (move > 0).astype(float) - (move < 0)
    streak = sign.groupby((sign != sign.shift()).cumsum()).cumsum()
    rank = move.rolling(101).apply(lambda moves: (moves[:-1] < moves[-1]).mean(), raw=True)
    return (talib.RSI(close, 3) + talib.RSI(streak, 2) + 100 * rank) / 3


class ConnorsRsi(GuardedStrategy):
    """Buys a fall within a rise (Connors and Alvarez), and leaves when it is made good."""

    timeframe = "4h"
    stops = StopRules(initial_atr=6, time_stop="10d")

    def entry_rules(self, pair, market):
        fallen = below(pair.apply(connors_rsi, history=200), 15)
        return {"fallen": fallen, "rise": above(pair.close, pair.own.mean(200))}

    def exit_rules(self, pair, market):
        return {"made_good": above(pair.apply(connors_rsi, history=200), 70)}
