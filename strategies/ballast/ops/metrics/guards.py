"""Samples of what the journal does not tell and guards remember, from the bot's database."""

from collections.abc import Iterator

from ballast.config.guards import GuardSettings
from ballast.core.guards.edge_decay import EdgeDecay
from ballast.ops.metrics.families import Sample
from ballast.tooling.database import open_store

# Length of a candle does not matter to what is remembered.
_CANDLE_MINUTES = 60.0


def samples(url: str, settings: GuardSettings) -> Iterator[Sample]:
    """
    How near `EdgeDecay` is to its warning, where it is on and remembers.

    Parameters
    ----------
    url : str
        The bot's database.

    Raises
    ------
    CommandError
        If the database cannot be read.
    """
    guards = settings.build(_CANDLE_MINUTES)
    store, engine = open_store(url)
    try:
        lost = store.restore(guards)
    finally:
        engine.dispose()
    for name, guard in guards.items():
        if name not in lost and isinstance(guard, EdgeDecay):
            yield "decay_ratio", {}, guard.alarm_ratio
