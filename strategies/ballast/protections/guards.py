"""The guards as Freqtrade protections: one says what the guard of its name has said.

Freqtrade searches a file's text for `class NAME(` before it loads it, so each stands here in full.
"""

from ballast.protections.guard_protection import GuardProtection


class VolatilityCooldown(GuardProtection):
    """See `ballast.core.guards`."""


class MarketShockHalt(GuardProtection):
    """See `ballast.core.guards`."""


class StopCascadeHalt(GuardProtection):
    """See `ballast.core.guards`."""


class LossStreakBackoff(GuardProtection):
    """See `ballast.core.guards`."""


class DailyLossLimit(GuardProtection):
    """See `ballast.core.guards`."""


class WeeklyLossLimit(GuardProtection):
    """See `ballast.core.guards`."""


class DrawdownLadder(GuardProtection):
    """See `ballast.core.guards`."""


class DrawdownLimit(GuardProtection):
    """See `ballast.core.guards`."""


class RollingDrawdownLimit(GuardProtection):
    """See `ballast.core.guards`."""


class DataOutageHalt(GuardProtection):
    """See `ballast.core.guards`."""


class EdgeDecay(GuardProtection):
    """See `ballast.core.guards`."""
