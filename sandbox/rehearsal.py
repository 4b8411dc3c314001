"""An exchange with the faults of a plan, as one application."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from aiohttp import web
from aiohttp.typedefs import Handler

from sandbox.exchange import Exchange
from sandbox.faults_answers import Answers
from sandbox.faults_http import Sleep, misbehave
from sandbox.faults_orders import OrderFaults
from sandbox.faults_plan import FaultPlan
from sandbox.faults_routes import FaultRoutes
from sandbox.server import build_exchange_app
from sandbox.signing import ApiKey


def build_rehearsal_app(
    exchange: Exchange,
    plan: FaultPlan,
    keys: Iterable[ApiKey] = (ApiKey(),),
    extra: Iterable[web.RouteDef] = (),
    sleep: Sleep = asyncio.sleep,
) -> web.Application:
    """
    The application of an exchange that misbehaves as a plan says.

    Parameters
    ----------
    extra : routes beside the exchange's and the plan's own.
    sleep : see `misbehave`.
    """
    orders = OrderFaults(plan, exchange)
    exchange.hooks = orders

    @web.middleware
    async def close_delisted(request: web.Request, handler: Handler) -> web.StreamResponse:
        if plan.planned:
            orders.close_delisted()
        return await handler(request)

    return build_exchange_app(
        exchange,
        keys,
        [*FaultRoutes(plan).table(), *extra],
        [misbehave(plan, Answers(plan, exchange.market), sleep), close_delisted],
    )
