"""What time the exchange believes it is.

Every answer of the exchange is cut at ``clock.now_ms()``; nothing else in the package reads a
clock.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """The exchange's time."""

    def now_ms(self) -> int:
        """Now [Unix ms UTC]."""
        ...


def wall_ms() -> int:
    """The machine's time [Unix ms UTC]."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class RealClock:
    """The machine's own time."""

    def now_ms(self) -> int:
        return wall_ms()


@dataclass(slots=True)
class FixedClock:
    """A time that stands still until it is set."""

    time_ms: int

    def now_ms(self) -> int:
        return self.time_ms


class ReplayClock:
    """Time that starts at a chosen moment and runs at a chosen speed.

    Parameters
    ----------
    start_ms : the moment shown at construction [Unix ms].
    speed : simulated seconds per real second [ratio, above 0].
    source_ms : the real time behind it; the wall clock by default (so that libfaketime works).
    """

    def __init__(
        self, start_ms: int, speed: float = 1.0, source_ms: Callable[[], int] = wall_ms
    ) -> None:
        self._start_ms = start_ms
        self._speed = speed
        self._source_ms = source_ms
        self._anchor_ms = source_ms()

    def now_ms(self) -> int:
        return self._start_ms + int((self._source_ms() - self._anchor_ms) * self._speed)
