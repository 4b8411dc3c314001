"""StopCascadeHalt as a Freqtrade protection."""

from ballast.protections.guard_protection import GuardProtection


class StopCascadeHalt(GuardProtection):
    """See `ballast.core.guards.losing_trades.StopCascadeHalt`."""
