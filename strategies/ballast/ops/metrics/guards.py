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


def capital(url: str) -> float:
    """
    Capital given to the bot as its ledger has it, quote currency; NaN before it has begun.

    Raises
    ------
    CommandError
        If the database cannot be read.
    """
    store, engine = open_store(url)
    try:
        ledger = store.read(LEDGER, LedgerMemory)
    finally:
        engine.dispose()
    return math.nan if ledger is None or ledger.capital is None else ledger.capital


def samples(url: str, guards: GuardSettings, equity: float, now: datetime) -> Iterator[Sample]:
    """
    Multipliers of guards that remember, the drawdown from the peak that is remembered, and decay.

    Parameters
    ----------
    url : str
        The bot's database.
    equity : float
        Present account value, quote currency.

    Raises
    ------
    CommandError
        If the database cannot be read.
    """
    store, engine = open_store(url)
    try:
        built = guards.build(_CANDLE_MINUTES)
        lost = store.restore(built)
    finally:
        engine.dispose()
    snapshot = Snapshot(now, math.nan)
    for name, guard in built.items():
        if name in lost or not type(guard.memory).model_fields:
            continue
        yield "guard_multiplier", {"guard": name}, guard.market_verdict(snapshot).multiplier
        if isinstance(guard, EdgeDecay):
            yield "decay_ratio", {}, guard.alarm_ratio
        peak = getattr(guard.memory, "peak", None)
        if peak:
            yield "drawdown_ratio", {}, max(0.0, 1 - equity / peak)
