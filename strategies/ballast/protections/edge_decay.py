"""EdgeDecay as a Freqtrade protection."""

from ballast.protections.guard_protection import GuardProtection


class EdgeDecay(GuardProtection):
    """See `ballast.core.guards.edge_decay.EdgeDecay`."""
