"""Freqtrade's REST API of a bot in the test's process, on loopback.

The application is Freqtrade's own; it is served here, because Freqtrade's server leaves its event
loop open when it ends.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import uvicorn
from freqtrade.freqtradebot import FreqtradeBot
from freqtrade.rpc.api_server.webserver import ApiServer
from freqtrade_client import FtRestClient

from tests.bot_process import USER, free_port

PASSWORD = "visitor-password"  # noqa: S105
START_S = 10.0


@contextmanager
def unserved() -> Iterator[dict[str, Any]]:
    """Settings for a bot whose API is not served by itself; the bot must be made inside."""
    section = {
        "enabled": True,
        "listen_ip_address": "127.0.0.1",
        "listen_port": free_port(),
        "username": USER,
        "password": PASSWORD,
        "jwt_secret_key": "a key of no meaning, long enough",
    }
    try:
        with patch.object(ApiServer, "start_api"):
            yield section
    finally:
        ApiServer.shutdown()


@contextmanager
def served(bot: FreqtradeBot) -> Iterator[FtRestClient]:
    """Serve a bot's API until the block is left; yields Freqtrade's own client, logged in."""
    (module,) = [m for m in bot.rpc.registered_modules if isinstance(m, ApiServer)]
    port = bot.config["api_server"]["listen_port"]
    server = uvicorn.Server(
        uvicorn.Config(module.app, host="127.0.0.1", port=port, log_config=None, lifespan="off")
    )
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), name="REST", daemon=True)
    thread.start()
    until = time.monotonic() + START_S
    while not server.started:
        assert time.monotonic() < until, "the API does not start"
        time.sleep(0.01)
    client = FtRestClient(f"http://127.0.0.1:{port}", USER, PASSWORD)
    try:
        yield client
    finally:
        client._session.close()
        server.should_exit = True
        thread.join(START_S)
