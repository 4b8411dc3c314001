"""Real Freqtrade commands for tests, as processes of their own.

Every Python process that a test starts is kept on loopback and lives by the test's clock, because
`conftest` puts `CHILD` on its path.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile

from tests import clock

ROOT = Path(__file__).resolve().parent.parent
CHILD = ROOT / "tests" / "child"


def python_path(*folders: Path) -> str:
    """PYTHONPATH of a process that finds these folders, whatever else is on the path here."""
    return os.pathsep.join(map(str, (CHILD, *folders)))


@dataclass
class Program:
    """A Python module that runs as a process of its own."""

    pid: int
    _asked: socket.socket
    returncode: int | None = None

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self) -> int:
        """Its exit code, as `subprocess` has it."""
        if self.returncode is None:
            self.returncode = int(self._asked.recv(64))
        return self.returncode


@cache
def _forks() -> socket.socket:
    """Where forks are asked for; the process that makes them ends with this one."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    environment = {k: v for k, v in os.environ.items() if k != clock.AHEAD}
    with there:
        process = subprocess.Popen(
            [sys.executable, str(CHILD / "forks.py"), str(there.fileno())],
            env={**environment, "PYTHONPATH": str(CHILD)},
            stdin=subprocess.DEVNULL,
            pass_fds=[there.fileno()],
        )
    atexit.register(process.wait)
    atexit.register(here.close)
    return here


@contextmanager
def started(
    folder: Path,
    module: str,
    *arguments: str,
    outputs: tuple[int, int],
    environment: Mapping[str, str] | None = None,
    timeout: float = 120.0,
) -> Iterator[Program]:
    """``python -m module`` in a folder, without the seconds that importing Freqtrade takes.

    It is a fork of a process that has: see `tests/child/forks.py`. One runs at a time; it is killed
    when the block is left, and after the timeout. Start-up itself is the subject of the tests
    that start `sys.executable`.

    Parameters
    ----------
    outputs : file descriptors for what it writes and for its errors.
    environment : its own, this process's by default.
    timeout : [s].
    """
    asked = _forks()
    wanted = {
        "module": module,
        "arguments": arguments,
        "folder": str(folder),
        "environment": dict(os.environ if environment is None else environment),
    }
    socket.send_fds(asked, [json.dumps(wanted).encode()], outputs)
    program = Program(int(asked.recv(64)), asked)
    watchdog = threading.Timer(timeout, program.kill)
    watchdog.start()
    try:
        yield program
    finally:
        watchdog.cancel()
        program.kill()
        program.wait()


def run(
    folder: Path, module: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a module to its end: see `started`."""
    with TemporaryFile("w+") as said, TemporaryFile("w+") as failed:
        outputs = (said.fileno(), failed.fileno())
        with started(
            folder, module, *arguments, outputs=outputs, environment=environment
        ) as program:
            code = program.wait()
        texts = [(file.seek(0), file.read())[1] for file in (said, failed)]
    assert "BEYOND LOOPBACK" not in "".join(texts), texts
    return subprocess.CompletedProcess([module, *arguments], code, *texts)


def freqtrade(
    directory: Path, *arguments: str, stop_after: str | None = None, timeout: float = 120.0
) -> str:
    """Run ``freqtrade`` with the arguments in a folder; all it wrote.

    Parameters
    ----------
    stop_after : text in the output at which the command is interrupted, for ``trade``.
    timeout : seconds until the command is killed.

    Raises
    ------
    AssertionError
        If it fails, ends without the text waited for, or tried to reach another host.
    """
    reading, writing = os.pipe()
    lines, seen = [], stop_after is None
    with (
        open(reading, encoding="utf-8") as said,
        started(
            directory, "freqtrade", *arguments, outputs=(writing, writing), timeout=timeout
        ) as program,
    ):
        os.close(writing)
        for line in said:
            lines.append(line)
            if stop_after is not None and not seen and stop_after in line:
                seen = True
                program.send_signal(signal.SIGINT)
        code = program.wait()
    output = "".join(lines)
    assert seen, output
    assert code == 0 or stop_after is not None, output
    assert "BEYOND LOOPBACK" not in output, output
    return output
