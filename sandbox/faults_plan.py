"""The plan of a rehearsal: which faults there are, when each strikes, and what has struck.

The same seed, faults and order of requests give the same strikes: every fault draws from a random
stream of its own, and its episodes depend on the exchange's time alone.
"""

from __future__ import annotations

import json
import random
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.candles import DAY_MS
from sandbox.clock import Clock
from sandbox.errors import SandboxError
from sandbox.faults import Fault, Kind

# Strikes remembered; the counts of each fault are complete.
MAX_STRIKES = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, as faults see it; ``symbol`` is None where it concerns no pair."""

    method: str
    path: str
    symbol: str | None = None


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault that has struck: when [Unix ms], which one by number, at what."""

    time_ms: int
    fault: int
    kind: Kind
    asked: Asked


@dataclass(slots=True)
class Planned:
    """A fault in a plan: its number, when the plan took it up [Unix ms], and its memory."""

    number: int
    fault: Fault
    since_ms: int
    draws: random.Random
    gaps: random.Random
    struck: int = 0
    _starts: list[int] = field(default_factory=list)

    @property
    def exhausted(self) -> bool:
        """Whether it has struck as often as it may."""
        return self.fault.times is not None and self.struck >= self.fault.times

    @property
    def first_ms(self) -> int:
        """When its schedule begins [Unix ms]."""
        given = self.fault.from_ms
        return self.since_ms + self.fault.after_ms if given is None else given

    def began_ms(self, now_ms: int) -> int | None:
        """When the schedule or episode that now belongs to began [Unix ms]; None outside of any."""
        fault = self.fault
        start: int | None = self.first_ms
        if fault.per_day is not None:
            start = self._last_episode(fault.per_day, self.first_ms, now_ms)
        if start is None or now_ms < start:
            return None
        return start if fault.lasts_ms is None or now_ms < start + fault.lasts_ms else None

    def _last_episode(self, per_day: float, first_ms: int, now_ms: int) -> int | None:
        """The latest start of an episode by now; gaps between starts are exponential."""
        while not self._starts or self._starts[-1] <= now_ms:
            previous = self._starts[-1] if self._starts else first_ms
            self._starts.append(previous + int(self.gaps.expovariate(per_day / DAY_MS)) + 1)
        position = bisect_right(self._starts, now_ms)
        return self._starts[position - 1] if position else None


class FaultPlan:
    """The faults of an exchange, at its clock.

    Parameters
    ----------
    seed : of everything random in it.
    """

    def __init__(self, clock: Clock, seed: int = 0, faults: Iterable[Fault] = ()) -> None:
        self.clock = clock
        self.seed = seed
        self.strikes: deque[Strike] = deque(maxlen=MAX_STRIKES)
        # How often each kind has struck, faults that have been removed included.
        self.counts: Counter[str] = Counter()
        self._planned: list[Planned] = []
        self._given = 0
        for fault in faults:
            self.add(fault)

    @property
    def planned(self) -> tuple[Planned, ...]:
        """The faults that are in force, now or later."""
        return tuple(self._planned)

    def add(self, fault: Fault) -> int:
        """Take a fault up from now on; returns its number."""
        self._given += 1
        # Two streams: more requests do not move the episodes.
        draws, gaps = (
            random.Random(f"{self.seed} {self._given} {fault.kind} {use}")  # noqa: S311
            for use in ("draws", "gaps")
        )
        self._planned.append(Planned(self._given, fault, self.clock.now_ms(), draws, gaps))
        return self._given

    def remove(self, number: int | None = None) -> int:
        """End one fault, or all of them; returns how many."""
        kept = [p for p in self._planned if number is not None and p.number != number]
        removed = len(self._planned) - len(kept)
        self._planned = kept
        return removed

    def standing(self, kind: Kind, asked: Asked) -> Planned | None:
        """The fault of a kind that a request falls under now, whatever its probability."""
        now_ms = self.clock.now_ms()
        for planned in self._planned:
            if planned.fault.kind is kind and self._is_due(planned, asked, now_ms):
                return planned
        return None

    def strike(self, kind: Kind, asked: Asked) -> Planned | None:
        """Draw whether a fault of a kind strikes a request now, and take note of it."""
        now_ms = self.clock.now_ms()
        for planned in self._planned:
            if planned.fault.kind is not kind or not self._is_due(planned, asked, now_ms):
                continue
            certain = planned.fault.probability >= 1
            if certain or planned.draws.random() < planned.fault.probability:
                self.note(planned, asked)
                return planned
        return None

    def note(self, planned: Planned, asked: Asked) -> None:
        """Take note of a strike."""
        planned.struck += 1
        self.counts[planned.fault.kind.value] += 1
        now_ms = self.clock.now_ms()
        self.strikes.append(Strike(now_ms, planned.number, planned.fault.kind, asked))

    def _is_due(self, planned: Planned, asked: Asked, now_ms: int) -> bool:
        concerned = planned.fault.concerns(asked.method, asked.path, asked.symbol)
        return concerned and not planned.exhausted and planned.began_ms(now_ms) is not None


def faults_from_json(body: Any) -> tuple[int, list[Fault]]:
    """Seed and faults of a plan: ``{"seed": 7, "faults": [...]}``, a list, or a single fault.

    Raises
    ------
    SandboxError
        One sentence about the first thing that cannot be used.
    """
    plan = body if isinstance(body, dict) and "kind" not in body else {"faults": body}
    unknown = [key for key in plan if key not in ("seed", "faults")]
    if unknown:
        raise SandboxError(f"A plan has no field {unknown[0]!r}; known are seed and faults.")
    seed, given = plan.get("seed", 0), plan.get("faults", [])
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise SandboxError(f"seed must be a whole number, not {seed!r}.")
    if not isinstance(given, list):
        given = [given]
    return seed, [Fault.from_json(item, f"Fault {row}") for row, item in enumerate(given, 1)]


def read_plan(path: Path, clock: Clock) -> FaultPlan:
    """The plan in a JSON file; SandboxError with the file's name if it cannot be used."""
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SandboxError(f"Cannot read --faults {path}: {error.strerror}.") from error
    except ValueError as error:
        raise SandboxError(f"--faults {path} is not JSON: {error}.") from error
    try:
        seed, faults = faults_from_json(body)
    except SandboxError as error:
        raise SandboxError(f"--faults {path}: {error}") from None
    return FaultPlan(clock, seed, faults)
