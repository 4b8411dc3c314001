"""All strategies of the pack as one portfolio."""

from DonchianTrend import DonchianTrend
from PullbackBuyer import PullbackBuyer
from RangeReversion import RangeReversion
from SqueezeBreakout import SqueezeBreakout


class RisingMarket(DonchianTrend, SqueezeBreakout, PullbackBuyer, RangeReversion):
    """
    Buys in a rising market alone: breakouts, squeezes and pullbacks where the pair leads it, small
    reversions where the pair rests in it; stands aside in any other market.

    The one to run: the same risk limits hold over all of it, and each trade is tagged with the
    strategy it came from. Earns in trends, gives a little back in ranges.
    """

    timeframe = "1h"
    components = (DonchianTrend, SqueezeBreakout, PullbackBuyer, RangeReversion)

    def setups(self, pair, market):
        return [strategy.setup(self, pair, market) for strategy in self.components]
