"""The sandbox exchange, run beside a command that needs it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
READY_WITHIN_S = 120.0
STOP_WITHIN_S = 10.0


class SandboxNotReady(Exception):
    """The sandbox does not serve; its text is one sentence for the user."""


def leave_when_told() -> None:
    """On SIGTERM and SIGHUP leave by an exception: the sandbox is stopped on the way out."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _leave)


@contextmanager
def running(
    arguments: Sequence[str], folder: Path, *, quiet: bool = False
) -> Iterator[tuple[Path, str]]:
    """
    Run the sandbox until the block is left; yields its config overlay and its URL.

    Parameters
    ----------
    arguments : sequence of str
        What it serves and where, as on its command line.
    folder : Path
        Scratch folder.
    quiet : bool
        Keep its output off the terminal; errors are shown all the same.

    Raises
    ------
    SandboxNotReady
        If it does not start; it has then said why in a sentence of its own.
    """
    overlay, ready = folder / "overlay.json", folder / "ready"
    command = [sys.executable, "-m", "sandbox", *arguments]
    command += ["--write-overlay", str(overlay), "--ready-file", str(ready)]
    output = subprocess.DEVNULL if quiet else None
    process = subprocess.Popen(command, cwd=ROOT, stdout=output)  # noqa: S603
    try:
        yield overlay, _wait_until_ready(process, ready)
    finally:
        process.terminate()
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _wait_until_ready(process: subprocess.Popen[bytes], ready: Path) -> str:
    """Wait until the sandbox listens; returns its URL."""
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SandboxNotReady("The sandbox exchange did not start.")
        if ready.exists() and (url := ready.read_text(encoding="utf-8").strip()):
            return url
        time.sleep(0.05)
    raise SandboxNotReady(f"The sandbox exchange was not ready after {READY_WITHIN_S:.0f} seconds.")
