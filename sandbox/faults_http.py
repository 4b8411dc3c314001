"""Faults of whole requests and answers: a middleware in front of every handler of the exchange."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from sandbox.errors import ApiError
from sandbox.faults import OWN_PATHS, Kind
from sandbox.faults_answers import Answers
from sandbox.faults_plan import Asked, FaultPlan, Planned
from sandbox.routes import reply

# How often an open websocket looks whether it is to be cut [s].
WEBSOCKET_POLL_S = 0.05
RECV_WINDOW_MS, AHEAD_MS = 5000, 1000

Sleep = Callable[[float], Awaitable[None]]


def misbehave(plan: FaultPlan, answers: Answers, sleep: Sleep = asyncio.sleep) -> Middleware:
    """
    The middleware that makes requests fail as a plan says.

    Parameters
    ----------
    answers : changes what an answer says.
    sleep : waits for a number of seconds; a rehearsal in stepped time moves its clock instead.
    """

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        opens_socket = request.headers.get(hdrs.UPGRADE, "").lower() == "websocket"
        if request.path.startswith(OWN_PATHS) or not (plan.planned or opens_socket):
            return await handler(request)
        asked = await _asked(request)
        if plan.strike(Kind.DOWN, asked):
            return _cut(request)
        if opens_socket:
            return await _websocket(plan, asked, request, handler)
        refusal = await _refused(plan, asked, request, sleep)
        if refusal is not None:
            return refusal
        answer = await handler(request)
        if answer.status >= 400:
            return answer
        answer = answers.change(asked, request, answer)
        lost = plan.strike(Kind.ANSWER_LOST, asked)
        return _lose(request, lost) if lost else answer

    return middleware


async def _asked(request: web.Request) -> Asked:
    parameters = await _parameters(request)
    return Asked(request.method, request.path, parameters.get("symbol"))


async def _parameters(request: web.Request) -> dict[str, str]:
    """Parameters of the query and of the body: clients send signed ones in either."""
    form = await request.post() if request.can_read_body else {}
    sent = {key: value for key, value in form.items() if isinstance(value, str)}
    return {**request.query, **sent}


async def _refused(
    plan: FaultPlan, asked: Asked, request: web.Request, sleep: Sleep
) -> web.StreamResponse | None:
    """The answer of a request that is not handled; None if it is."""
    now_ms = plan.clock.now_ms()
    if banned := plan.strike(Kind.BANNED, asked):
        return _too_many(418, banned, now_ms)
    if limited := plan.strike(Kind.RATE_LIMITED, asked):
        return _too_many(429, limited, now_ms)
    if failed := plan.strike(Kind.SERVER_ERROR, asked):
        text = "Unknown error, please check your request or try again later."
        return reply({"code": -1000, "msg": text}, int(failed.fault.numbers["status"]))
    if held := plan.strike(Kind.TIMEOUT, asked):
        # In real seconds, for that is how a client measures its patience.
        await asyncio.sleep(held.fault.numbers["hold_s"])
        return _cut(request)
    if slow := plan.strike(Kind.SLOW, asked):
        await sleep(slow.fault.numbers["delay_s"])
    if skewed := plan.standing(Kind.CLOCK_SKEW, asked):
        _check_time(plan, asked, skewed, await _parameters(request))
    return None


def _too_many(status: int, planned: Planned, now_ms: int) -> web.Response:
    """Binance's two answers to too many requests."""
    wait_s = planned.fault.numbers["retry_after_s"]
    text = "Too many requests; current limit is 6000 request weight per 1 MINUTE."
    if status == 418:
        text = f"Way too many requests; IP banned until {now_ms + round(1000 * wait_s)}."
    answer = reply({"code": -1003, "msg": text}, status)
    answer.headers["Retry-After"] = f"{wait_s:.0f}"
    return answer


def _check_time(plan: FaultPlan, asked: Asked, skewed: Planned, parameters: dict[str, str]) -> None:
    """Refuse a signed request that a client with a wrong clock would have sent (-1021)."""
    stamp, window = parameters.get("timestamp", ""), parameters.get("recvWindow", "")
    if not stamp.isdigit():
        return
    behind_ms = plan.clock.now_ms() - (int(stamp) + 1000 * skewed.fault.numbers["skew_s"])
    if behind_ms <= -AHEAD_MS:
        plan.note(skewed, asked)
        raise ApiError(-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
    if behind_ms > (int(window) if window.isdigit() else RECV_WINDOW_MS):
        plan.note(skewed, asked)
        raise ApiError(-1021, "Timestamp for this request is outside of the recvWindow.")


def _lose(request: web.Request, planned: Planned) -> web.StreamResponse:
    """What a client gets of an answer that was lost on its way."""
    status = int(planned.fault.numbers["status"])
    if not status:
        return _cut(request)
    text = "Timeout waiting for response from backend server. Send status unknown;"
    return reply({"code": -1007, "msg": f"{text} execution status unknown."}, status)


def _cut(request: web.Request) -> web.StreamResponse:
    """End the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _websocket(
    plan: FaultPlan, asked: Asked, request: web.Request, handler: Handler
) -> web.StreamResponse:
    """Serve a websocket until it ends or is cut; refuse it while it would be."""
    if _cuts(plan, asked):
        return _cut(request)
    open_socket = asyncio.ensure_future(handler(request))
    try:
        while not open_socket.done():
            await asyncio.wait({open_socket}, timeout=WEBSOCKET_POLL_S)
            if not open_socket.done() and _cuts(plan, asked):
                return _cut(request)
        return open_socket.result()
    finally:
        open_socket.cancel()


def _cuts(plan: FaultPlan, asked: Asked) -> bool:
    """Whether a websocket ends now; looking again and again draws no probability each time."""
    for kind in (Kind.WEBSOCKET_DROP, Kind.DOWN):
        planned = plan.standing(kind, asked)
        if planned is not None:
            plan.note(planned, asked)
            return True
    return False
