"""The sandbox's own endpoints for faults: inject them, see what has struck, end them."""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from sandbox.errors import ApiError, SandboxError
from sandbox.faults_plan import FaultPlan, faults_from_json
from sandbox.routes import reply


class FaultRoutes:
    """Handlers of /sandbox/faults; `table` lists them for an application."""

    def __init__(self, plan: FaultPlan) -> None:
        self._plan = plan

    def table(self) -> list[web.RouteDef]:
        """Paths and their handlers."""
        return [
            web.get("/sandbox/faults", self.show),
            web.post("/sandbox/faults", self.inject),
            web.delete("/sandbox/faults", self.end_all),
            web.delete(r"/sandbox/faults/{number:\d+}", self.end),
        ]

    async def show(self, request: web.Request) -> web.Response:
        """The faults in force with how often each struck, and every strike, oldest first."""
        return reply(self._body())

    async def inject(self, request: web.Request) -> web.Response:
        """A fault, a list of them, or ``{"faults": [...]}``: from now on."""
        try:
            _, faults = faults_from_json(orjson.loads(await request.read()))
        except orjson.JSONDecodeError:
            raise ApiError(-1100, "The body must be JSON.") from None
        except SandboxError as error:
            raise ApiError(-1100, str(error)) from None
        numbers = [self._plan.add(fault) for fault in faults]
        return reply({"added": numbers})

    async def end_all(self, request: web.Request) -> web.Response:
        """End every fault; the strikes stay on record."""
        return reply({"ended": self._plan.remove()})

    async def end(self, request: web.Request) -> web.Response:
        """End one fault."""
        number = int(request.match_info["number"])
        if not self._plan.remove(number):
            raise ApiError(-1100, f"There is no fault {number}.", 404)
        return reply({"ended": 1})

    def _body(self) -> dict[str, Any]:
        return {
            "seed": self._plan.seed,
            "counts": dict(self._plan.counts),
            "faults": [
                {"number": planned.number, "struck": planned.struck} | planned.fault.as_json()
                for planned in self._plan.planned
            ],
            "strikes": [
                {"time_ms": strike.time_ms, "fault": strike.fault, "kind": strike.kind.value}
                | {"method": strike.asked.method, "path": strike.asked.path}
                | {"symbol": strike.asked.symbol}
                for strike in self._plan.strikes
            ],
        }
