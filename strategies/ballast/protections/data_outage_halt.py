"""DataOutageHalt as a Freqtrade protection."""

from ballast.protections.guard_protection import GuardProtection


class DataOutageHalt(GuardProtection):
    """See `ballast.core.guards.candle_guards.DataOutageHalt`."""
