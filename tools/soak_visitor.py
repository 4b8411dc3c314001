"""A visitor to the bot of a soak run: charts, health and metrics, asked all the time as it trades.

What answers is Freqtrade's web server, in a thread of the bot's own process; a request that fails
there, or leaves a connection to the database behind, has cost what trades something.
"""

from __future__ import annotations

import logging
import os
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests

from ballast.config.settings import Settings
from ballast.ops.metrics.sidecar import Sidecar
from ballast.tooling.bot_api import BotApi

USER, PASSWORD = "visitor", "of no meaning, on loopback"
# Between two questions, real seconds.
PAUSE_S = 0.1
TIMEOUT_S = 60.0
# A question in so many is a whole scrape of the metrics, ten requests and more.
SCRAPE_EVERY = 25
# Said by a server whose bot is not there yet, or no more.
NOT_READY = ("Bot is not in the correct state", "Strategy is mandatory in webserver mode")


def api_section(port: int) -> dict[str, Any]:
    """Freqtrade's section of settings for an API that the visitor may ask."""
    return {
        "enabled": True,
        "listen_ip_address": "127.0.0.1",
        "listen_port": port,
        "verbosity": "error",
        "username": USER,
        "password": PASSWORD,
        "jwt_secret_key": "of no meaning, and on loopback alone",
        "ws_token": "of no meaning either",
    }


@dataclass
class Visitor:
    """
    Asks until it is told to stop.

    Parameters
    ----------
    port : int
        Of the bot's API.
    pairs : tuple of str
    timeframe : str
    database : Path
        The bot's, SQLite.
    """

    port: int
    pairs: tuple[str, ...]
    timeframe: str
    database: Path
    # Process of the bot that lives now.
    pid: int | None = None
    asked: int = 0
    failed: list[str] = field(default_factory=list)
    # Most connections to the database that the bot has had open at once.
    connections: int = 0
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, in a thread of its own."""
        # Of a bot that is dead the sidecar says so; here it dies all the time.
        logging.getLogger("ballast.ops.metrics.sidecar").setLevel(logging.ERROR)
        self._thread = threading.Thread(target=self._visit, name="visitor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, after the question that is being asked."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(2 * TIMEOUT_S)

    def _visit(self) -> None:
        url = f"http://127.0.0.1:{self.port}"
        address = f"sqlite:///{self.database}"
        api = BotApi(url, USER, PASSWORD)
        sidecar = Sidecar(api, Settings(), address, self.database.parent / "user_data")
        paths = self._paths()
        with requests.Session() as session:
            session.auth = (USER, PASSWORD)
            while not self._over.wait(PAUSE_S):
                self._ask(session, f"{url}/api/v1/{paths[self.asked % len(paths)]}")
                if self.asked % SCRAPE_EVERY == 0:
                    list(sidecar.collect())
                self.connections = max(self.connections, self._open_connections())

    def _paths(self) -> list[str]:
        """What is answered without the exchange, which may be away."""
        charts = [
            "pair_candles?" + urlencode({"pair": p, "timeframe": self.timeframe, "limit": 300})
            for p in self.pairs
        ]
        others = ("plot_config", "show_config", "health", "locks", "whitelist", "trades", "version")
        return [path for chart in charts for path in (chart, *others)]

    def _ask(self, session: requests.Session, url: str) -> None:
        self.asked += 1
        try:
            answer = session.get(url, timeout=TIMEOUT_S)
        except requests.Timeout:
            self.failed.append(f"{url}: no answer")
        except requests.ConnectionError:
            # The bot is dead just now.
            return
        else:
            if answer.status_code == requests.codes.ok:
                return
            if not any(said in answer.text for said in NOT_READY):
                self.failed.append(f"{url}: {answer.status_code} {answer.text[:200]}")

    def _open_connections(self) -> int:
        """Of the bot to its database; 0 where the system does not tell."""
        folder, database, count = Path(f"/proc/{self.pid}/fd"), str(self.database.resolve()), 0
        with suppress(OSError):
            for name in os.listdir(folder):
                with suppress(OSError):
                    count += os.readlink(folder / name) == database
        return count
