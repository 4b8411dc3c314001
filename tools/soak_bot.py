"""Freqtrade's own worker in a process of its own, on a clock that the sandbox keeps.

Wherever Freqtrade sleeps, the bot asks the sandbox to move its clock and takes over the time it is
then: both are always at the same moment, days pass in minutes, and the process may be killed at any
of them.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import freqtrade.exchange.common
import freqtrade.freqtradebot
import freqtrade.worker
import time_machine
from freqtrade.worker import Worker

# The longest step, so that what happens between two loops happens in order [s].
LONGEST_STEP_S = 60.0
# Between two loops in which everything is covered [s]; Freqtrade's own pace is five.
CALM_S = 600.0


class SteppedClock:
    """
    The sandbox's clock, seen from the bot.

    Parameters
    ----------
    url : of the sandbox.
    candle_s : length of the bot's candles [s].
    """

    def __init__(self, url: str, candle_s: int) -> None:
        self._candle_s = candle_s
        self._connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
        self.now_ms = self._ask("GET", "/sandbox/clock", None)["now_ms"]
        self._traveller = time_machine.travel(self._moment(), tick=False)
        self._coordinates = self._traveller.start()

    def throttle(self, seconds: float) -> None:
        """
        Wait for the next loop, longer than asked where a loop would find nothing to do.

        With nothing open on either side that is until the next candle; with everything known and
        covered, until it no longer is, but no longer than `CALM_S`.
        """
        to_candle = self._candle_s - self.now_ms / 1000 % self._candle_s + 1
        self.sleep(seconds)
        slept = seconds
        while slept < to_candle and (state := self._ask("GET", "/sandbox/pace", None)["state"]):
            if state == "calm" and slept >= CALM_S:
                return
            step = min(LONGEST_STEP_S, to_candle - slept)
            self.sleep(step)
            slept += step

    def sleep(self, seconds: float) -> None:
        """Let time pass on both sides."""
        while seconds > 0:
            step = min(seconds, LONGEST_STEP_S)
            self.now_ms = self._ask("POST", "/sandbox/clock", {"seconds": step})["now_ms"]
            self._coordinates.move_to(self._moment())
            seconds -= step

    async def sleep_soon(self, seconds: float) -> None:
        """The same for coroutines."""
        self.sleep(seconds)

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self.now_ms / 1000, tz=UTC)

    def _ask(self, method: str, path: str, body: dict[str, float] | None) -> dict[str, Any]:
        self._connection.request(method, path, json.dumps(body) if body else None)
        answer: dict[str, Any] = json.load(self._connection.getresponse())
        return answer


class Sleeping:
    """A module in which sleeping moves the clock; everything else is the module's own."""

    def __init__(self, module: Any, sleep: Callable[[float], Awaitable[None] | None]) -> None:
        self._module = module
        self.sleep = sleep

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def keep_time(clock: SteppedClock) -> None:
    """Let Freqtrade sleep by a clock, for the rest of this process."""
    patched: Any = freqtrade
    Worker._sleep = staticmethod(clock.throttle)
    patched.worker.time = Sleeping(time, clock.sleep)
    patched.freqtradebot.sleep = clock.sleep
    patched.exchange.common.time = Sleeping(time, clock.sleep)
    patched.exchange.common.asyncio = Sleeping(asyncio, clock.sleep_soon)


def run(url: str, arguments: dict[str, Any], end_ms: int, output: Path, candle_s: int) -> None:
    """
    Run `freqtrade trade` until a moment, or until it is interrupted; the process's entry point.

    Parameters
    ----------
    url : of the sandbox.
    arguments : what Freqtrade's command line would have made of its options.
    end_ms : when the bot stops [Unix ms].
    output : file that everything it says is added to.
    candle_s : length of its candles [s].
    """
    # Processes inherit that a shell ignores it for what runs in the background.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdout = sys.stderr = output.open("a", encoding="utf-8", buffering=1)
    clock = SteppedClock(url, candle_s)
    keep_time(clock)
    worker = Worker(arguments)
    state = None
    # As Freqtrade's own main.
    try:
        while clock.now_ms < end_ms:
            state = worker._worker(old_state=state)
    except KeyboardInterrupt:
        sys.stdout.write("interrupted\n")
    finally:
        worker.exit()
