"""StopCascadeHalt as a Freqtrade protection."""

from ballast.protections.guard_protection import GuardProtection


class StopCascadeHalt(GuardProtection):
    """See `ballast.core.guards.stop_cascade_halt.StopCascadeHalt`."""
