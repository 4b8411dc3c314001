"""What Python runs first in every process that a test starts (see `tests.processes`).

A connection or a look-up of a name beyond loopback fails, and the clock is the test's.
"""

import os
import socket
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import Any

# aiohttp would look names up through this one, past the guard below.
sys.modules["aiodns"] = None  # type: ignore[assignment]

_look_up = socket.getaddrinfo


def _refuse(host: object) -> None:
    if str(host) not in ("127.0.0.1", "::1", "localhost", "None", "0.0.0.0", "", "b''"):  # noqa: S104
        # Written as well as raised: the caller may swallow it.
        sys.stderr.write(f"BEYOND LOOPBACK: {host}\n")
        raise OSError(f"BEYOND LOOPBACK: {host}")


def _guard(name: str) -> None:
    original = getattr(socket.socket, name)

    def guarded(self: socket.socket, address: Any, *rest: Any) -> Any:
        if isinstance(address, tuple):
            _refuse(address[0])
        return original(self, address, *rest)

    setattr(socket.socket, name, guarded)


def _guarded_look_up(host: Any, *rest: Any, **named: Any) -> Any:
    _refuse(host)
    return _look_up(host, *rest, **named)


_guard("connect")
_guard("connect_ex")
socket.getaddrinfo = _guarded_look_up


def set_clock() -> None:
    """Let it be what the environment says."""
    ahead_s = os.environ.get("BALLAST_TEST_CLOCK_AHEAD_S")
    if ahead_s is None:
        return
    # It would bring pytest along, and Freqtrade behaves otherwise where it sees that.
    sys.modules["pytest"] = None  # type: ignore[assignment]
    import time_machine

    del sys.modules["pytest"]
    time_machine.travel(datetime.now(UTC) + timedelta(seconds=float(ahead_s))).start()
    # It ticks from the moment on when it is first asked for.
    time.time()


set_clock()
