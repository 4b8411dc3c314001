"""Samples of what the guards remember, from the bot's database."""

import math
from collections.abc import Iterator
from datetime import datetime

from ballast.config.guards import GuardSettings
from ballast.core.guards.edge_decay import EdgeDecay
from ballast.core.ledger import LedgerMemory
from ballast.core.snapshot import Snapshot
from ballast.ops.metrics.families import Sample
from ballast.risk.state_store import LEDGER
from ballast.tooling.database import open_store

# Length of a candle does not matter to what is remembered.
_CANDLE_MINUTES = 60.0


class Remembered:
    """
    What a bot's database holds at a moment.

    Parameters
    ----------
    url : str
        The bot's database.
    guards : GuardSettings

    Raises
    ------
    CommandError
        If the database cannot be read.
    """

    def __init__(self, url: str, guards: GuardSettings) -> None:
        store, engine = open_store(url)
        try:
            self._ledger = store.read(LEDGER, LedgerMemory)
            self._guards = guards.build(_CANDLE_MINUTES)
            self._lost = store.restore(self._guards)
        finally:
            engine.dispose()

    @property
    def capital(self) -> float:
        """Given to the bot as its ledger has it, quote currency; NaN before it has begun."""
        known = self._ledger.capital if self._ledger is not None else None
        return math.nan if known is None else known

    def samples(self, equity: float, now: datetime) -> Iterator[Sample]:
        """
        Multipliers of guards, the drawdown from the highest peak that is remembered, and decay.

        Parameters
        ----------
        equity : float
            Present account value, quote currency.
        """
        snapshot, peaks = Snapshot(now, math.nan), []
        for name, guard in self._guards.items():
            if name in self._lost or not type(guard.memory).model_fields:
                continue
            yield "guard_multiplier", {"guard": name}, guard.market_verdict(snapshot).multiplier
            if isinstance(guard, EdgeDecay):
                yield "decay_ratio", {}, guard.alarm_ratio
            peaks.append(getattr(guard.memory, "peak", 0.0))
        if peak := max(peaks, default=0.0):
            yield "drawdown_ratio", {}, max(0.0, 1 - equity / peak)
