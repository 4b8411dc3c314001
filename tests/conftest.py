"""
What holds for every test: only loopback is contacted, the clock is set, output is wide, and no
database waits for the disk.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine, event

from tests import clock
from tests.processes import CHILD

# However busy the machine is, nothing is judged by how long it takes. A random search of
# `make test` finds the same each time; that of `make fuzz` goes on, and begins with what failed.
_UNHURRIED: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow],
}
settings.register_profile("fixed", derandomize=True, database=None, **_UNHURRIED)
settings.register_profile("fuzz", max_examples=1000, print_blob=True, **_UNHURRIED)
settings.load_profile("fixed")

LOOPBACK = ("127.", "::1", "localhost")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let somebody run all tests at another hour."""
    parser.addoption(
        "--at",
        type=datetime.fromisoformat,
        help="when all tests run, as 2024-02-29T00:00:20 (UTC)",
    )


@event.listens_for(Engine, "connect")
def _unsynced(connection: Any, _record: Any) -> None:
    """
    No database of a test outlives the machine: none waits for the disk at every commit. A killed
    process loses nothing by that, and who asks for another level after this has it.
    """
    if isinstance(connection, sqlite3.Connection):
        # A file that is locked, or none of SQLite's, is for the test to find.
        with contextlib.suppress(sqlite3.Error):
            connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture(autouse=True, scope="session")
def environment() -> Iterator[None]:
    """
    Of the processes that tests start: see `tests.processes`. Freqtrade breaks log lines and cuts
    names in tables at the width of a terminal.
    """
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("COLUMNS", "500")
        environment.setenv("PYTHONPATH", str(CHILD), prepend=os.pathsep)
        yield


@pytest.fixture(autouse=True, scope="module")
def usual_hour(environment: None, request: pytest.FixtureRequest) -> Iterator[None]:
    """No test takes the machine's clock: it would be another test at another hour."""
    asked = request.config.getoption("--at")
    with clock.set_to(asked.replace(tzinfo=UTC) if asked else clock.USUAL):
        yield


@pytest.fixture(scope="module", params=clock.ANY_HOUR, ids="{:%b %d %H:%M}".format)
def any_hour(usual_hour: None, request: pytest.FixtureRequest) -> Iterator[datetime]:
    """For tests that live by the clock: once at each of several hours and dates."""
    with clock.set_to(request.param):
        yield request.param


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> None:
    """A shell ignores SIGINT for what it runs in the background, and processes inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def heard_again() -> Iterator[None]:
    """What a command, or a bot, silences in its own process must not be silent in later tests."""
    _unsilence()
    yield
    _unsilence()


def _unsilence() -> None:
    logging.disable(logging.NOTSET)
    # A bot in this process hides answers and secrets from every handler, that of `caplog` too.
    for handler in logging.root.handlers:
        handler.filters.clear()
    for name, logger in logging.root.manager.loggerDict.items():
        if isinstance(logger, logging.Logger) and name.partition(".")[0] == "freqtrade":
            logger.setLevel(logging.NOTSET)
            logger.disabled = False


@pytest.fixture(autouse=True)
def only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that leaves the machine, and every look-up of a name."""
    connect, resolve = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            _refuse_unless_local(address[0])
        connect(self, address)

    def guarded_resolve(host: Any, *args: Any, **kwargs: Any) -> Any:
        _refuse_unless_local(host or "localhost")
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_resolve)


def _refuse_unless_local(host: Any) -> None:
    name = host.decode() if isinstance(host, bytes) else str(host)
    if name != "0.0.0.0" and not name.startswith(LOOPBACK):  # noqa: S104
        raise RuntimeError(f"a test tried to reach {name}; only loopback is allowed")
