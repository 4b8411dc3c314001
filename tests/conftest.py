"""What holds for every test: only loopback is contacted, and output is as wide as it likes."""

from __future__ import annotations

import logging
import signal
import socket
from collections.abc import Iterator
from typing import Any

import pytest

LOOPBACK = ("127.", "::1", "localhost")


@pytest.fixture(autouse=True, scope="session")
def wide_terminal() -> Iterator[None]:
    """Freqtrade breaks log lines and cuts names in tables at the width of a terminal."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("COLUMNS", "500")
        yield


@pytest.fixture(autouse=True, scope="session")
def interruptible() -> None:
    """A shell ignores SIGINT for what it runs in the background, and processes inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def heard_again() -> Iterator[None]:
    """What a command silences in its own process must not be silent in the tests after it."""
    logging.disable(logging.NOTSET)
    yield
    logging.disable(logging.NOTSET)


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
