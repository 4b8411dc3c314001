"""DrawdownLimit as a Freqtrade protection."""

from ballast.protections.guard_protection import GuardProtection


class DrawdownLimit(GuardProtection):
    """See `ballast.core.guards.drawdown_limit.DrawdownLimit`."""
