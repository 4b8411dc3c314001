"""WeeklyLossLimit as a Freqtrade protection."""

from ballast.guard_protection import GuardProtection


class WeeklyLossLimit(GuardProtection):
    """See `ballast.core.guards.loss_limits.WeeklyLossLimit`."""
