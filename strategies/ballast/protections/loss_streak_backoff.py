"""LossStreakBackoff as a Freqtrade protection."""

from ballast.protections.guard_protection import GuardProtection


class LossStreakBackoff(GuardProtection):
    """See `ballast.core.guards.losing_trades.LossStreakBackoff`."""
