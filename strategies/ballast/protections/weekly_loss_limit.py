"""WeeklyLossLimit as a Freqtrade protection."""

from ballast.protections.guard_protection import GuardProtection


class WeeklyLossLimit(GuardProtection):
    """See `ballast.core.guards.loss_limits.WeeklyLossLimit`."""
