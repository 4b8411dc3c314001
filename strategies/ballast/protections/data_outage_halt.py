"""DataOutageHalt as a Freqtrade protection."""

from ballast.protections.guard_protection import GuardProtection


class DataOutageHalt(GuardProtection):
    """See `ballast.core.guards.data_outage_halt.DataOutageHalt`."""
