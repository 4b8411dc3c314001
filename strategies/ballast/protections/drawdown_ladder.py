"""DrawdownLadder as a Freqtrade protection."""

from ballast.protections.guard_protection import GuardProtection


class DrawdownLadder(GuardProtection):
    """See `ballast.core.guards.drawdown_ladder.DrawdownLadder`."""
