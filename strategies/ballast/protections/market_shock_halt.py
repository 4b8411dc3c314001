"""MarketShockHalt as a Freqtrade protection."""

from ballast.guard_protection import GuardProtection


class MarketShockHalt(GuardProtection):
    """See `ballast.core.guards.market_shock.MarketShockHalt`."""
