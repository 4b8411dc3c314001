"""An entry that rests on the exchange, which fills it, or falls silent, when the test says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.orders import Order
from sandbox.units import UNIT, from_float
from tests.behaviour.live_story import BOUGHT, Shy, Told, story_run
from tests.behaviour.mini import Story

# The stop of an entry at row 3: four ATR below the close of the signal, on the tick above.
PLAN = 96.89


@dataclass
class Silence:
    """An exchange that answers nothing while it is silent."""

    silent: bool = False
    asked: int = field(default=0)

    @property
    def middleware(self) -> Any:
        @web.middleware
        async def answering(request: web.Request, handler: Any) -> web.StreamResponse:
            if self.silent:
                self.asked += 1
                return web.json_response({"code": -1001, "msg": "Disconnected."}, status=503)
            answer: web.StreamResponse = await handler(request)
            return answer

        return answering


@contextmanager
def waiting(folder: Path, story: Story = BOUGHT, **settings: Any) -> Iterator[tuple[Told, Silence]]:
    """An entry that rests on the exchange, which may fall silent."""
    silence = Silence()
    patient = {"pricing": {"entry_timeout_s": 86_400.0}, **settings.pop("ballast", {})}
    no_other = {"entry": 1440, "exit": 1440, "unit": "minutes"}
    with story_run(
        folder,
        story,
        hooks=settings.pop("hooks", Shy(buy=0.0)),
        middlewares=[silence.middleware],
        ballast=patient,
        unfilledtimeout=no_other,
        **settings,
    ) as told:
        told.loops(1)
        (entry,) = told.run.exchange.open_orders()
        assert not entry.executed
        yield told, silence


def fill(told: Told, share: float = 1.0) -> Order:
    """Somebody sells to the bot's resting entry."""
    exchange = told.run.exchange
    exchange.advance()
    (entry,) = [order for order in exchange.open_orders() if not order.request.stop_price]
    lot = from_float(0.001)
    amount = max(lot, round(entry.remaining * share) // lot * lot)
    now_ms = round(told.run.now.timestamp() * 1000)
    exchange.fill(entry, entry.price, amount, now_ms, maker=True)
    return entry


def resting(told: Told) -> list[float]:
    """Stops on the exchange."""
    told.run.exchange.advance()
    orders = told.run.exchange.open_orders()
    return [order.request.stop_price / UNIT for order in orders if order.waits_for_trigger]
