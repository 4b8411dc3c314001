"""The labelled script of a generated history: which market it is, when, for which pairs.

Phases fill the whole length and scale with it; events have a fixed duration and a fixed place in
it. Labels are the answer sheet for tests: a detector is right when it finds what the label says.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sandbox.candles import DAY_MS, HOUR_MS, MINUTE_MS

MIN_DAYS = 30
MAX_DAYS = 1500


@dataclass(frozen=True, slots=True)
class Label:
    """A named stretch of history: from ``start`` up to but excluding ``end`` (UTC)."""

    name: str
    start_ms: int
    end_ms: int
    pairs: tuple[str, ...]

    @property
    def start(self) -> datetime:
        return datetime.fromtimestamp(self.start_ms / 1000, tz=UTC)

    @property
    def end(self) -> datetime:
        return datetime.fromtimestamp(self.end_ms / 1000, tz=UTC)

    def shifted(self, shift_ms: int) -> Label:
        """The same label ``shift_ms`` later."""
        return replace(self, start_ms=self.start_ms + shift_ms, end_ms=self.end_ms + shift_ms)

    def as_json(self) -> dict[str, Any]:
        """The form ``GET /sandbox/labels`` gives."""
        return {
            "name": self.name,
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
            "pairs": list(self.pairs),
        }


@dataclass(frozen=True, slots=True)
class Phase:
    """A market-wide stretch.

    ``share`` is its part of the whole length [ratio]; ``log_return`` is what the market factor
    returns over it, exactly; ``volatility`` multiplies the ordinary one.
    """

    name: str
    share: float
    log_return: float
    volatility: float


# Sizes after 2019-2024: two- to three-month advances of 70 to 130 %, a grind down of about 35 %,
# three weeks that lose about 40 % (May 2021, June 2022), ranges in between.
PHASES: tuple[Phase, ...] = (
    Phase("chop", 0.10, 0.00, 0.80),
    Phase("bull", 0.20, 0.70, 1.00),
    Phase("chop", 0.10, -0.02, 0.85),
    Phase("bear", 0.18, -0.45, 0.85),
    Phase("slow_crash", 0.06, -0.50, 1.80),
    Phase("chop", 0.08, 0.05, 1.00),
    Phase("bull", 0.20, 0.70, 1.00),
    Phase("chop", 0.08, 0.00, 0.80),
)

# Places of the events [share of the length] and their durations [ms].
FLASH_CRASH_AT, FLASH_CRASH_MS = 0.345, 12 * HOUR_MS
OUTAGES = ((0.47, 6 * HOUR_MS), (0.78, 45 * MINUTE_MS))
BAD_TICKS_AT = (0.20, 0.85)
LISTING_AT = 0.22
DELISTING_ANNOUNCED_AT, DELISTING_NOTICE_MS = 0.64, 9 * DAY_MS


@dataclass(frozen=True, slots=True)
class Roles:
    """Which pairs play the special parts; each may be empty."""

    thin: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    delisted: tuple[str, ...] = ()
    bad_tick: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """Phases and labels laid out on the candles of one history."""

    start_ms: int
    end_ms: int
    timeframe_ms: int
    phases: tuple[tuple[Phase, Label], ...]
    events: tuple[Label, ...]

    @property
    def labels(self) -> tuple[Label, ...]:
        """Every label, by start."""
        found = [label for _, label in self.phases] + list(self.events)
        return tuple(sorted(found, key=lambda label: (label.start_ms, label.name)))

    def row(self, time_ms: int) -> int:
        """The row number of the candle that opens at a time."""
        return (time_ms - self.start_ms) // self.timeframe_ms


def find_labels(labels: Iterable[Label], name: str, pair: str | None = None) -> list[Label]:
    """The labels of a name, in order; with ``pair`` only those that concern it."""
    return [
        label for label in labels if label.name == name and (pair is None or pair in label.pairs)
    ]


def write_script(
    start_ms: int, days: int, timeframe_ms: int, pairs: tuple[str, ...], roles: Roles
) -> Script:
    """Lay phases and events out over ``days`` days from ``start_ms``, on whole hours."""
    length_ms = days * DAY_MS

    def at(share: float) -> int:
        return start_ms + round(share * length_ms) // HOUR_MS * HOUR_MS

    phases, share = [], 0.0
    for phase in PHASES:
        label = Label(phase.name, at(share), at(share + phase.share), pairs)
        phases.append((phase, label))
        share += phase.share
    end_ms = start_ms + length_ms
    phases[-1] = (phases[-1][0], replace(phases[-1][1], end_ms=end_ms))

    crash = at(FLASH_CRASH_AT)
    events = [Label("flash_crash", crash, crash + FLASH_CRASH_MS, pairs)]
    for place, duration in OUTAGES:
        events.append(Label("outage", at(place), at(place) + duration, pairs))
    for place, pair in zip(BAD_TICKS_AT, roles.bad_tick, strict=False):
        events.append(Label("bad_tick", at(place), at(place) + timeframe_ms, (pair,)))
    events += [Label("thin", start_ms, end_ms, (pair,)) for pair in roles.thin]
    events += [Label("listing", at(LISTING_AT), end_ms, (pair,)) for pair in roles.late]
    announced = at(DELISTING_ANNOUNCED_AT)
    for pair in roles.delisted:
        events.append(Label("delisting", announced, announced + DELISTING_NOTICE_MS, (pair,)))
    return Script(start_ms, end_ms, timeframe_ms, tuple(phases), tuple(events))
