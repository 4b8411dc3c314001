"""The guards as Freqtrade protections: one says what the guard of its name has said.

Freqtrade searches a file's text for `class NAME(` before it loads it, so each stands here in full.
"""

from ballast.protections.guard_protection import GuardProtection, MarketGuardProtection


class VolatilityCooldown(GuardProtection):
    """See `ballast.core.guards`."""


class MarketShockHalt(MarketGuardProtection):
    """See `ballast.core.guards`."""


class StopCascadeHalt(MarketGuardProtection):
    """See `ballast.core.guards`."""


class LossStreakBackoff(GuardProtection):
    """See `ballast.core.guards`."""


class DailyLossLimit(MarketGuardProtection):
    """See `ballast.core.guards`."""


class WeeklyLossLimit(MarketGuardProtection):
    """See `ballast.core.guards`."""


class DrawdownLadder(MarketGuardProtection):
    """See `ballast.core.guards`."""


class DrawdownLimit(MarketGuardProtection):
    """See `ballast.core.guards`."""


class RollingDrawdownLimit(MarketGuardProtection):
    """See `ballast.core.guards`."""


class DataOutageHalt(GuardProtection):
    """See `ballast.core.guards`."""


class EdgeDecay(MarketGuardProtection):
    """See `ballast.core.guards`."""
