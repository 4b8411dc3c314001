"""Simulated time for a Freqtrade bot in this process: it moves only where the bot would wait.

Freqtrade sleeps between two loops, before it repeats a failed request, and while it waits for a
cancellation. Each of these moves the clock of the whole process at once instead of waiting, so a
week passes as fast as the bot can compute it, and two runs see the same moments.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import freqtrade.exchange.common
import freqtrade.freqtradebot
import freqtrade.worker
import time_machine
from freqtrade.worker import Worker


class _Module:
    """A module in which sleeping is something else."""

    def __init__(self, module: Any, sleep: Callable[[float], Any]) -> None:
        self._module = module
        self.sleep = sleep

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


@contextmanager
def stepped_time(begin: datetime, after_step: Callable[[], None] = lambda: None) -> Iterator[Any]:
    """
    Let a bot run in simulated time; yields the clock, which others may move as well.

    Parameters
    ----------
    begin : datetime
        The time it is first. A second after a candle's border, as Freqtrade's loops are.
    after_step : callable
        Called after the bot has slept.
    """

    def move(seconds: float) -> None:
        clock.shift(timedelta(seconds=max(seconds, 0.0)))
        after_step()

    def move_soon(seconds: float) -> Awaitable[None]:
        move(seconds)
        return asyncio.sleep(0)

    with ExitStack() as stack:
        clock = stack.enter_context(time_machine.travel(begin, tick=False))
        for target, name, replacement in (
            (Worker, "_sleep", staticmethod(move)),
            (freqtrade.worker, "time", _Module(time, move)),
            (freqtrade.freqtradebot, "sleep", move),
            (freqtrade.exchange.common, "time", _Module(time, move)),
            (freqtrade.exchange.common, "asyncio", _Module(asyncio, move_soon)),
        ):
            stack.enter_context(patch.object(target, name, replacement))
        yield clock
