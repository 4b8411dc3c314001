"""The HTTP server: aiohttp, because Binance's own parameter and error texts leave nothing for a
validating framework to do, and because its runner reports the port it got and closes at once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterable

from aiohttp import web
from aiohttp.typedefs import Middleware

from sandbox.admin import AdminRoutes
from sandbox.errors import SandboxError
from sandbox.exchange import Exchange
from sandbox.market_data import MarketData
from sandbox.routes import MarketRoutes, errors_as_json
from sandbox.signing import ApiKey, Signatures
from sandbox.trading_routes import TradingRoutes
from sandbox.websocket import KlineStreams

# Requests still running at shutdown get this long [s].
SHUTDOWN_TIMEOUT = 0.5


def build_app(
    market: MarketData, extra: Iterable[web.RouteDef] = (), middlewares: Iterable[Middleware] = ()
) -> web.Application:
    """The application that serves a market.

    ``extra`` routes come beside the market's own; ``middlewares`` see every request before its
    handler, the first one first.
    """
    app = web.Application(middlewares=[errors_as_json, *middlewares])
    streams = KlineStreams(market)
    app.add_routes([*MarketRoutes(market).table(), *streams.table(), *extra])
    app.on_shutdown.append(streams.close)
    return app


def build_exchange_app(
    exchange: Exchange,
    keys: Iterable[ApiKey] = (ApiKey(),),
    extra: Iterable[web.RouteDef] = (),
    middlewares: Iterable[Middleware] = (),
) -> web.Application:
    """The application that also trades, for the holders of ``keys``."""
    trading = TradingRoutes(exchange, Signatures(keys)).table()
    routes = [*trading, *AdminRoutes(exchange).table(), *extra]
    return build_app(exchange.market, routes, middlewares)


async def serve(
    app: web.Application, host: str, port: int, on_ready: Callable[[str], None]
) -> None:
    """Serve until SIGINT or SIGTERM.

    Parameters
    ----------
    port : 0 for any free one.
    on_ready : called with the base URL once connections are accepted.

    Raises
    ------
    SandboxError
        If the address cannot be listened on.
    """
    # Before anyone is told that it is ready: a stop that follows at once must be a clean one.
    told_to_stop = _stop_signal()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise SandboxError(f"Cannot listen on {host} port {port}: {reason}.") from error
        on_ready(_url(runner))
        await told_to_stop.wait()
    finally:
        await runner.cleanup()


def _url(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _stop_signal() -> asyncio.Event:
    """An event that SIGINT and SIGTERM set."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop
