"""Series of counters that begin later than the others.

Which codes there will be is not known beforehand, and a series that begins at 1 has not increased:
the first refusal, failure or fill of its kind would be in no panel and no alert.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from ballast.ops.metrics.families import COUNTERS, Sample

# Longer than from one scrape to the next (`deploy/prometheus.yml`), whoever else asks meanwhile.
_HELD = timedelta(seconds=90)


class NewSeries:
    """Tells a counter that is new at 0 for a while, and those that were there first as they are."""

    def __init__(self) -> None:
        self._began: dict[tuple[str, tuple[tuple[str, str], ...]], datetime | None] | None = None

    def told(self, samples: Iterable[Sample], now: datetime) -> Iterator[Sample]:
        """All samples; what was counted before the first of these calls is told at once."""
        known, is_first = self._began or {}, self._began is None
        for name, labels, value in samples:
            key = name, tuple(sorted(labels.items()))
            began = known.setdefault(key, None if is_first else now)
            is_held = began is not None and now - began < _HELD
            yield name, labels, 0 if is_held and name in COUNTERS else value
        self._began = known
