"""The sandbox exchange as a process beside whoever needs it: a command, a test, a rehearsal."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

READY_WITHIN_S = 120.0
STOP_WITHIN_S = 10.0
# `python -m sandbox` finds it there, installed or not.
_ROOT = Path(__file__).resolve().parents[1]


class SandboxNotReady(Exception):
    """The sandbox does not serve; its text is one sentence for the user."""


@dataclass(frozen=True)
class Sandbox:
    """
    A sandbox that listens.

    Parameters
    ----------
    overlay : Path
        Freqtrade configuration that points there.
    """

    url: str
    overlay: Path
    process: subprocess.Popen[bytes]

    def get(self, path: str) -> Any:
        """The JSON body of GET `path`; urllib's HTTPError for a refusal."""
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:  # noqa: S310
            return json.load(answer)


@contextmanager
def running_sandbox(folder: Path, *arguments: str) -> Iterator[Sandbox]:
    """
    Run the sandbox until the block is left, on a free port unless the arguments say another.

    Parameters
    ----------
    folder : Path
        Scratch folder; what the sandbox writes is kept there in `sandbox.log`.
    arguments : str
        What it serves, as on its command line; paths in them must be absolute.

    Raises
    ------
    SandboxNotReady
        If it does not start, in its own words.
    """
    folder = folder.resolve()
    overlay, ready = folder / "sandbox-overlay.json", folder / "sandbox-ready"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "sandbox", "--port", "0", *arguments]
    command += ["--write-overlay", str(overlay), "--ready-file", str(ready)]
    log = folder / "sandbox.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=_ROOT, stdout=output, stderr=output)  # noqa: S603
    try:
        yield Sandbox(_url_when_ready(process, ready, log), overlay, process)
    finally:
        process.terminate()
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def leave_when_told() -> None:
    """On SIGTERM and SIGHUP leave by an exception: a sandbox is stopped on the way out."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _url_when_ready(process: subprocess.Popen[bytes], ready: Path, log: Path) -> str:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            said = log.read_text(encoding="utf-8").strip().splitlines() or ["it says nothing"]
            raise SandboxNotReady(
                f"The sandbox exchange did not start: {said[-1].removeprefix('sandbox: ')}"
            )
        if ready.exists() and (url := ready.read_text(encoding="utf-8").strip()):
            return url
        time.sleep(0.05)
    raise SandboxNotReady(f"The sandbox exchange was not ready after {READY_WITHIN_S:.0f} seconds.")
