"""How long the way from a candle's close to a resting stop takes, stage by stage."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

# In the order in which they happen; each is recorded as seconds since the signal candle closed.
STAGES: Mapping[str, str] = {
    "received": "candles fetched",
    "analysed": "all pairs analysed",
    "gate": "gate passed",
    "sent": "order sent",
    "acknowledged": "order acknowledged",
    "first_fill": "first fill",
    "filled": "filled",
    "stop_live": "stop on the exchange",
}
PERCENTILES = (50, 95, 99)
_CLOSED = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True)
class Summary:
    """
    One stage over many trades.

    Parameters
    ----------
    count : int
        Trades in which it was recorded.
    since_close, of_stage : tuple of float
        Percentiles of `PERCENTILES`: seconds since the candle's close, and since the stage before
        that was recorded.
    worst : float
        Longest since the candle's close, seconds.
    """

    count: int
    since_close: tuple[float, ...]
    of_stage: tuple[float, ...]
    worst: float


def as_text(closed: datetime, seconds: Mapping[str, float]) -> str:
    """
    A record as a person reads it with the trade.

    Parameters
    ----------
    closed : datetime
        Close of the signal candle (UTC).
    seconds : mapping of str to float
        By stage, since then.
    """
    stages = ", ".join(f"{STAGES[name]} {seconds[name]:g} s" for name in STAGES if name in seconds)
    return f"after the candle that closed {closed.astimezone(UTC):{_CLOSED}} UTC: {stages}"


def of_text(kept: Any) -> tuple[datetime, dict[str, float]]:
    """
    Close of the signal candle (UTC) and seconds by stage, of a text or of what was kept before it
    was one.
    """
    if isinstance(kept, Mapping):
        seconds = {name: float(kept[name]) for name in STAGES if name in kept}
        return datetime.fromisoformat(kept["candle_close"]), seconds
    when, _, told = str(kept).partition(" UTC: ")
    closed = datetime.strptime(when.partition("closed ")[2], _CLOSED).replace(tzinfo=UTC)
    names = {words: name for name, words in STAGES.items()}
    found = re.findall(r"([a-z ]+?) ([0-9.e+-]+) s(?:, |$)", told)
    return closed, {names[words]: float(number) for words, number in found}


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent do not exceed (nearest rank); NaN of none."""
    if not values:
        return math.nan
    rank = math.ceil(percent / 100 * len(values))
    return sorted(values)[max(0, rank - 1)]


def percentiles(values: Sequence[float]) -> tuple[float, ...]:
    """Those of `PERCENTILES`."""
    return tuple(percentile(values, percent) for percent in PERCENTILES)


def steps(record: Mapping[str, float]) -> dict[str, float]:
    """Seconds that each recorded stage took, by its name; the first one since the close."""
    taken: dict[str, float] = {}
    before = 0.0
    for stage in STAGES:
        if stage in record:
            taken[stage] = record[stage] - before
            before = record[stage]
    return taken


def summarise(records: Iterable[Mapping[str, float]]) -> dict[str, Summary]:
    """Stages that were recorded at all, by name, in their order."""
    kept = list(records)
    taken = [steps(record) for record in kept]
    found: dict[str, Summary] = {}
    for stage in STAGES:
        reached = [record[stage] for record in kept if stage in record]
        if reached:
            of_stage = [step[stage] for step in taken if stage in step]
            found[stage] = Summary(
                len(reached), percentiles(reached), percentiles(of_stage), max(reached)
            )
    return found
