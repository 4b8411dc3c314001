"""Calm before a move: Bollinger bands within the Keltner channel, and out of it (Carter)."""

from ballast import GuardedStrategy, StopRules, above, all_of, below, within


class KeltnerSqueeze(GuardedStrategy):
    """Buys when the bands leave the channel that they have been within, upwards."""

    timeframe = "1h"
    stops = StopRules(initial_atr=4)

    def entry_rules(self, pair, market):
        band = pair.ta("BBANDS", 20, output="upperband")
        channel = pair.technical("qtpylib.keltner_channel", 20, 1.5, output="upper")
        released = {"squeezed": within(6, below(band, channel)), "wide": above(band, channel)}
        return {
            "released": all_of(**released),
            "upwards": above(pair.own.roc(12), 0),
            "above_mean": above(pair.close, pair.own.ema(20)),
        }

    def exit_rules(self, pair, market):
        return {"below_mean": below(pair.close, pair.own.ema(20))}
