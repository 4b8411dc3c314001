"""A sandbox exchange in a thread of the test's process, so that both live by the same clock."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

READY_TIMEOUT = 10.0


@contextmanager
def serving(app: web.Application) -> Iterator[str]:
    """Serve an application on a free port of loopback until the block is left; yields its URL."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    async def start() -> str:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    thread = threading.Thread(target=loop.run_forever, name="sandbox exchange", daemon=True)
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(start(), loop).result(READY_TIMEOUT)
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(READY_TIMEOUT)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(READY_TIMEOUT)
        loop.close()
