"""VolatilityCooldown as a Freqtrade protection."""

from ballast.protections.guard_protection import GuardProtection


class VolatilityCooldown(GuardProtection):
    """See `ballast.core.guards.volatility_cooldown.VolatilityCooldown`."""
