"""MarketShockHalt as a Freqtrade protection."""

from ballast.protections.guard_protection import GuardProtection


class MarketShockHalt(GuardProtection):
    """See `ballast.core.guards.market_shock_halt.MarketShockHalt`."""
