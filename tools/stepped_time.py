"""Simulated time for a Freqtrade bot in this process: it moves only where the bot would wait.

Freqtrade sleeps between two loops, before it repeats a failed request, and while it waits for a
cancellation. Each of these moves the clock of the whole process at once instead of waiting, so a
week passes as fast as the bot can compute it, and two runs see the same moments. Tokens of the REST
API alone are of real time: a person uses them, and a quarter of an hour would be over in seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, tzinfo
from typing import Any, Self
from unittest.mock import patch

import freqtrade.exchange.common
import freqtrade.freqtradebot
import freqtrade.rpc.api_server.api_auth
import freqtrade.worker
import jwt.api_jwt
import time_machine
from freqtrade.worker import Worker


class _Module:
    """A module in which sleeping is something else."""

    def __init__(self, module: Any, sleep: Callable[[float], Any]) -> None:
        self._module = module
        self.sleep = sleep

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


class _RealDatetime(datetime):
    """Tells the machine's time while another one is simulated."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls.fromtimestamp(time_machine.escape_hatch.time.time(), tz)


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
            # Made there, and judged there.
            (freqtrade.rpc.api_server.api_auth, "datetime", _RealDatetime),
            (jwt.api_jwt, "datetime", _RealDatetime),
        ):
            stack.enter_context(patch.object(target, name, replacement))
        yield clock
