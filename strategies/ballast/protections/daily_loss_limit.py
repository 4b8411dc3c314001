"""DailyLossLimit as a Freqtrade protection."""

from ballast.protections.guard_protection import GuardProtection


class DailyLossLimit(GuardProtection):
    """See `ballast.core.guards.loss_limits.DailyLossLimit`."""
