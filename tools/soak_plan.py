"""What goes wrong in a soak run: faults far more often than in real life, and kills."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterable
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from sandbox.clock import FixedClock
from sandbox.faults import Kind
from sandbox.faults_plan import Strike

_ORDER = "/api/v3/order"

# Real life, for comparison: a lost answer or a refused request in some ten thousand, an hour of
# maintenance in some months.
FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "rate_limited", "probability": 0.002},
    {"kind": "rate_limited", "per_day": 1, "lasts_s": 300, "probability": 0.5},
    {"kind": "banned", "per_day": 0.5, "lasts_s": 180},
    {"kind": "server_error", "probability": 0.003},
    {"kind": "server_error", "per_day": 1, "lasts_s": 600, "probability": 0.5},
    # The clock stands still while a request is held: a moment is as good as a minute.
    {"kind": "timeout", "probability": 0.002, "hold_s": 0.01},
    {"kind": "slow", "probability": 0.01, "delay_s": 3},
    {"kind": "answer_lost", "endpoint": f"POST {_ORDER}", "probability": 0.05},
    {"kind": "answer_lost", "endpoint": f"POST {_ORDER}", "probability": 0.03, "status": 0},
    {"kind": "answer_lost", "endpoint": f"DELETE {_ORDER}", "probability": 0.05},
    {"kind": "down", "per_day": 1, "lasts_s": 120},
    {"kind": "down", "per_day": 0.15, "lasts_s": 3600},
    {"kind": "clock_skew", "per_day": 0.3, "lasts_s": 600, "skew_s": 15},
    {"kind": "candle_missing", "probability": 0.02, "late_s": 45},
    {"kind": "candle_unfinished", "probability": 0.02, "early_s": 300, "late_s": 30},
    {"kind": "candles_disordered", "probability": 0.02},
    {"kind": "candles_frozen", "per_day": 0.3, "lasts_s": 3600},
    {"kind": "bad_tick", "probability": 0.001, "ratio": 0.8},
    {"kind": "balance_late", "probability": 0.1, "late_s": 60},
    {"kind": "order_stuck", "probability": 0.05},
    {"kind": "order_partial", "probability": 0.1, "share": 0.4},
    {"kind": "fill_in_cancel", "probability": 0.1},
    {"kind": "cancel_refused", "probability": 0.05},
    {"kind": "stop_jumped", "probability": 0.1},
    {"kind": "stop_rejected", "probability": 0.03},
)
# Half of the kills wait for an order, to fall between it and its answer; no longer than this.
PATIENCE_MS = 2 * 3_600_000


# Faults in which it answers nothing, and how far apart requests are that one of them refuses.
_SILENT = (Kind.BANNED, Kind.CLOCK_SKEW, Kind.DOWN)
_PAUSE_MS = 60_000

# Of the kills so many are SIGINT: the bot may put in order what it leaves behind.
_INTERRUPTS = 0.25


def unanswered(strikes: Iterable[Strike]) -> list[tuple[int, int]]:
    """
    When the exchange answered nothing that is signed: (start, end) [Unix ms].

    By the first and the last request that was refused for it; the bot asks all the time.
    """
    found: list[tuple[int, int]] = []
    for strike in strikes:
        if strike.kind not in _SILENT:
            continue
        start, end = found[-1] if found else (strike.time_ms, strike.time_ms)
        if strike.time_ms - end > _PAUSE_MS:
            start = strike.time_ms
        elif found:
            found.pop()
        found.append((start, strike.time_ms))
    return found


class Killer:
    """
    Kills the bot, or interrupts it, at random moments of the exchange's time.

    Parameters
    ----------
    moments : of the kills, ascending [Unix ms].
    """

    def __init__(self, clock: FixedClock, moments: list[int], stream: random.Random) -> None:
        self.process: Any = None
        self.kills = 0
        self._clock = clock
        self._moments = moments
        self._stream = stream
        self._waits_for: str | None = None

    @property
    def left(self) -> int:
        """Kills that are still to come."""
        return len(self._moments)

    def middleware(self) -> Middleware:
        """Sees every request before any other, and may make it the bot's last."""

        @web.middleware
        async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
            when = self._due(request)
            if when is not None and self._stream.random() < _INTERRUPTS:
                self._count()
                os.kill(self.process.pid, signal.SIGINT)
                return await handler(request)
            if when == "before":
                return self._kill(request)
            answer = await handler(request)
            return self._kill(request) if when == "after" else answer

        return watch

    def _due(self, request: web.Request) -> str | None:
        """Whether the bot is killed before or after this request is handled."""
        now_ms = self._clock.now_ms()
        if not self._moments or now_ms < self._moments[0] or self.process is None:
            return None
        if self._waits_for is None:
            self._waits_for = self._stream.choice(["any", "any", "before", "after"])
        if self._waits_for == "any" or now_ms - self._moments[0] > PATIENCE_MS:
            return self._stream.choice(["before", "after"])
        trades = request.path == _ORDER and request.method in ("POST", "DELETE")
        return self._waits_for if trades else None

    def _kill(self, request: web.Request) -> web.Response:
        self._count()
        self.process.kill()
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    def _count(self) -> None:
        self._moments.pop(0)
        self._waits_for = None
        self.kills += 1


def kill_moments(stream: random.Random, count: int, start_ms: int, end_ms: int) -> list[int]:
    """Moments of kills, one in each of as many equal stretches of time [Unix ms]."""
    stretch = (end_ms - start_ms) / (count or 1)
    return [round(start_ms + stretch * (n + stream.random())) for n in range(count)]
