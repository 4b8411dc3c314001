"""A real sandbox process and real Freqtrade commands for tests, kept on loopback.

`running_sandbox` starts ``python -m sandbox`` on a free port and yields its URL and its config
overlay. `freqtrade` runs a Freqtrade command in a process that cannot look up or reach any other
host.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
STOP_TIMEOUT = 5.0

# Python runs this at start: a connection or a name look-up beyond loopback fails.
_LOOPBACK_ONLY = """
import socket
import sys

# aiohttp would look names up through this one, past the guard below.
sys.modules["aiodns"] = None

def _refuse(host):
    if str(host) not in ("127.0.0.1", "::1", "localhost", "None", "0.0.0.0", "", "b''"):
        # Written as well as raised: the caller may swallow it.
        sys.stderr.write(f"BEYOND LOOPBACK: {host}\\n")
        raise OSError(f"BEYOND LOOPBACK: {host}")

def _guard(name):
    original = getattr(socket.socket, name)
    def guarded(self, address, *rest):
        if isinstance(address, tuple):
            _refuse(address[0])
        return original(self, address, *rest)
    setattr(socket.socket, name, guarded)

_guard("connect")
_guard("connect_ex")
_look_up = socket.getaddrinfo
def _guarded_look_up(host, *rest, **named):
    _refuse(host)
    return _look_up(host, *rest, **named)
socket.getaddrinfo = _guarded_look_up
"""


@dataclass(frozen=True)
class Sandbox:
    """A sandbox that is listening."""

    url: str
    overlay: Path
    process: subprocess.Popen[str]

    def get(self, path: str) -> Any:
        """The JSON body of GET ``path``; urllib's HTTPError for a refusal."""
        with urllib.request.urlopen(self.url + path, timeout=10) as response:  # noqa: S310
            return json.load(response)


@contextlib.contextmanager
def running_sandbox(directory: Path, *arguments: str) -> Iterator[Sandbox]:
    """A sandbox process on a free port.

    Parameters
    ----------
    directory : where the overlay is written.
    arguments : of ``python -m sandbox``, such as ``"--generate", "7", "--shift-to-now"``.

    Raises
    ------
    RuntimeError
        If the process ends before it listens; the text is what it wrote.
    """
    overlay = directory / "sandbox-overlay.json"
    command = [sys.executable, "-m", "sandbox", *arguments]
    process = subprocess.Popen(
        [*command, "--port", "0", "--write-overlay", str(overlay)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield Sandbox(_url_when_ready(process), overlay, process)
    finally:
        process.terminate()
        try:
            process.communicate(timeout=STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _url_when_ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        if line.startswith("ready "):
            return line.split()[1]
        said.append(line)
    raise RuntimeError(f"The sandbox did not start: {''.join(said).strip()}")


def loopback_only(directory: Path) -> dict[str, str]:
    """An environment whose Python processes reach no host but this one."""
    site = directory / "loopback-only"
    site.mkdir(exist_ok=True)
    (site / "sitecustomize.py").write_text(_LOOPBACK_ONLY, encoding="utf-8")
    environment = dict(os.environ)
    inherited = environment.get("PYTHONPATH")
    environment["PYTHONPATH"] = os.pathsep.join([str(site)] + ([inherited] if inherited else []))
    return environment


def freqtrade(
    directory: Path, *arguments: str, stop_after: str | None = None, timeout: float = 120.0
) -> str:
    """Run ``freqtrade`` with the arguments in a folder, on loopback only; all it wrote.

    Parameters
    ----------
    stop_after : text in the output at which the command is interrupted, for ``trade``.
    timeout : seconds until the command is killed.

    Raises
    ------
    AssertionError
        If it fails, ends without the text waited for, or tried to reach another host.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "freqtrade", *arguments],
        cwd=directory,
        env=loopback_only(directory),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watchdog = threading.Timer(timeout, process.kill)
    watchdog.start()
    assert process.stdout is not None
    lines, seen = [], stop_after is None
    try:
        for line in process.stdout:
            lines.append(line)
            if stop_after is not None and not seen and stop_after in line:
                seen = True
                process.send_signal(signal.SIGINT)
    finally:
        process.stdout.close()
        process.wait()
        watchdog.cancel()
    output = "".join(lines)
    assert seen, output
    assert process.returncode == 0 or stop_after is not None, output
    assert "BEYOND LOOPBACK" not in output, output
    return output
