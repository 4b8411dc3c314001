"""A real `freqtrade trade` in a process of its own, with its REST API and Telegram on loopback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freqtrade_client import FtRestClient

# Freqtrade has no setting for where Telegram is.
_RUN = """
import os
import sys
from telegram.ext import ApplicationBuilder

begin = ApplicationBuilder.__init__

def begin_on_loopback(self):
    begin(self)
    self.base_url(os.environ["TELEGRAM_URL"])

ApplicationBuilder.__init__ = begin_on_loopback

from freqtrade.main import main

sys.exit(main(sys.argv[1:]))
"""
START_S = 60.0
USER = "operator"


@dataclass(frozen=True)
class Bot:
    """
    A bot that is running.

    Parameters
    ----------
    client : FtRestClient
        Freqtrade's own, logged in.
    console : Path
        What the process has written.
    folder : Path
        Where it runs.
    pid : int
        Of the process.
    """

    client: FtRestClient
    console: Path
    folder: Path
    pid: int

    def written(self) -> str:
        """The console so far."""
        return self.console.read_text(encoding="utf-8")

    def wait_for(self, text: str, seconds: float = START_S) -> None:
        """Wait until the console says something.

        Raises
        ------
        AssertionError
            With what it says instead.
        """
        until = time.monotonic() + seconds
        while text not in self.written():
            assert time.monotonic() < until, f"no {text!r} in:\n{self.written()}"
            time.sleep(0.1)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_bot(
    folder: Path, configs: Sequence[Path], password: str, telegram_url: str, **settings: Any
) -> Iterator[Bot]:
    """
    Start a bot in a folder; end it in the end, without the ten seconds that Telegram takes to stop.

    Parameters
    ----------
    configs : sequence of Path
        Configuration files, later ones over earlier.
    password : str
        Of the REST API.
    settings : any
        More configuration, over all of them.
    """
    port = free_port()
    settings["api_server"] = {
        "enabled": True,
        "listen_ip_address": "127.0.0.1",
        "listen_port": port,
        "username": USER,
        "password": password,
        **settings.get("api_server", {}),
    }
    extra = folder / "bot.json"
    extra.write_text(json.dumps(settings), encoding="utf-8")
    named = [part for path in (*configs, extra) for part in ("--config", str(path))]
    environment = {**os.environ, "TELEGRAM_URL": telegram_url}
    # Under a test Freqtrade leaves the log alone; this one is to be as a person has it.
    environment.pop("PYTEST_VERSION", None)
    console = folder / "console.txt"
    with console.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", _RUN, "trade", *named],
            cwd=folder,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        client = FtRestClient(f"http://127.0.0.1:{port}", USER, password)
        bot = Bot(client, console, folder, process.pid)
        bot.wait_for("state='RUNNING'")
        yield bot
    finally:
        process.kill()
        process.wait()
