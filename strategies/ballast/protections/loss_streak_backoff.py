"""LossStreakBackoff as a Freqtrade protection."""

from ballast.protections.guard_protection import GuardProtection


class LossStreakBackoff(GuardProtection):
    """See `ballast.core.guards.loss_streak_backoff.LossStreakBackoff`."""
