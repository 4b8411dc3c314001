"""What the layer decided in a backtest, kept in the result's zip beside what Freqtrade exports."""

import json
import zipfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

import pandas as pd
from freqtrade.strategy import IStrategy

from ballast.core.events import Event, EventKind
from ballast.strategy.layer import Layer

_STOPS, _DECISIONS = "stops.feather", "decisions.json"


class RecordingError(Exception):
    """A result does not tell what was decided; the text is one sentence for the user."""


@dataclass(frozen=True)
class EntryCounts:
    """
    What became of the entries that were asked for.

    Parameters
    ----------
    bound : mapping of str to int
        How many got a size, by the code of the cap that bound.
    refused : mapping of str to int
        How many were refused, by the code of the reason. Those that a lock took were never asked.
    scaled : mapping of str to int
        How many of them got a smaller size, by the code of the guard that said so.
    """

    bound: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    scaled: Mapping[str, int] = field(default_factory=dict)


class Recording:
    """Listens to a strategy of the layer; of one without it there is nothing to hear."""

    def __init__(self, strategy: IStrategy) -> None:
        self._stops: list[tuple[str, datetime, float]] = []
        self._bound: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._scaled: Counter[str] = Counter()
        if isinstance(strategy, Layer):
            strategy._ballast.events.listen(self._hear)

    def write(self, archive: zipfile.ZipFile) -> None:
        """Into a result's zip."""
        with archive.open(_STOPS, "w") as file:
            pd.DataFrame(self._stops, columns=["pair", "date", "stop"]).to_feather(file)
        counts = EntryCounts(dict(self._bound), dict(self._refused), dict(self._scaled))
        archive.writestr(_DECISIONS, json.dumps(asdict(counts), sort_keys=True))

    def _hear(self, event: Event) -> None:
        if event.kind is EventKind.STOP:
            self._stops.append((event.pair, event.at, event.value))
        elif event.kind is EventKind.SIZED:
            self._bound[str(event.code)] += 1
            if "guard" in event.facts:
                self._scaled[str(event.facts["guard"])] += 1
        elif event.kind is EventKind.REFUSED:
            self._refused[str(event.code)] += 1


def stops_of(zipped: Path) -> pd.DataFrame:
    """
    Every stop that was raised in a backtest: pair, date (UTC), stop (quote currency).

    Raises
    ------
    RecordingError
        If the zip does not tell.
    """
    try:
        with zipfile.ZipFile(zipped) as archive, archive.open(_STOPS) as file:
            return pd.read_feather(file)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        raise RecordingError(
            f"{zipped} does not tell its stops: `python -m ballast stress` does"
        ) from None


def entries_of(zipped: Path) -> EntryCounts:
    """
    What became of the entries that were asked for in a backtest.

    Raises
    ------
    RecordingError
        If the zip does not tell.
    """
    try:
        with zipfile.ZipFile(zipped) as archive:
            return EntryCounts(**json.loads(archive.read(_DECISIONS)))
    except (OSError, KeyError, ValueError, TypeError, zipfile.BadZipFile):
        raise RecordingError(
            f"{zipped} does not tell its entries: `python -m ballast compare` does"
        ) from None
