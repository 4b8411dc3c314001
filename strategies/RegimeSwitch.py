"""All strategies of the pack as one book."""

from DonchianTrend import DonchianTrend
from PullbackBuyer import PullbackBuyer
from RangeReversion import RangeReversion
from SqueezeBreakout import SqueezeBreakout


class RegimeSwitch(DonchianTrend, SqueezeBreakout, PullbackBuyer, RangeReversion):
    """
    Trades what the regime asks for: breakouts, squeezes and pullbacks where the pair leads a rising
    market, small reversions where the pair rests in one, nothing at all in a falling market.

    The one to run: the same risk limits hold over all of it, and each trade is tagged with the
    strategy it came from. Earns in trends, gives a little back in ranges, stands aside in falls.
    """

    timeframe = "1h"
    components = (DonchianTrend, SqueezeBreakout, PullbackBuyer, RangeReversion)

    def setups(self, pair, market):
        return [strategy.setup(self, pair, market) for strategy in self.components]
