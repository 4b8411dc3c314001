"""Candles and an exchange for a reader without an account: the sandbox, started for one command."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.files import export
from sandbox.regimes import Label
from sandbox.sources import GeneratedSource
from tools.judge_figures import Window
from tools.judge_runs import ROOT, JudgeError

# What a fall or a long stay in one does to an account is asked of these.
HARD_TIMES = ("flash_crash", "slow_crash", "bear", "chop")
_READY_WITHIN_S, _STOP_WITHIN_S = 120.0, 10.0
# Strategies on fine candles look at hourly ones too.
_SLOW_TIMEFRAME = "1h"


@dataclass(frozen=True)
class Generated:
    """A generated market on disk: its folder, pairs and the windows that its script names."""

    datadir: Path
    pairs: tuple[str, ...]
    windows: tuple[Window, ...]


def generate(seed: int, days: int, timeframe: str, folder: Path) -> Generated:
    """
    Write a generated market's candles.

    Parameters
    ----------
    days : int
        Length; see the sandbox for what it accepts.
    timeframe : str
        Of the candles that are traded.
    folder : Path
        Where the files go.

    Raises
    ------
    JudgeError
        In the words of the sandbox.
    """
    try:
        source = GeneratedSource(seed, days=days)
        export(source, folder, dict.fromkeys((timeframe, _SLOW_TIMEFRAME)))
    except SandboxError as error:
        raise JudgeError(str(error)) from None
    pairs = tuple(market.pair for market in source.markets())
    return Generated(folder, pairs, windows_of(source.labels()))


def windows_of(labels: tuple[Label, ...]) -> tuple[Window, ...]:
    """The hard times among a script's labels; numbered where a name occurs more than once."""
    hard = [label for label in labels if label.name in HARD_TIMES]
    names = [label.name for label in hard]
    windows = []
    for number, label in enumerate(hard):
        name = label.name.replace("_", " ")
        if names.count(label.name) > 1:
            name += f" {names[: number + 1].count(label.name)}"
        windows.append(Window(name, label.start, label.end))
    return tuple(windows)


@contextmanager
def exchange(datadir: Path, folder: Path) -> Iterator[Path]:
    """
    Run the sandbox exchange on a folder of candles; yields the configuration that points there.

    Parameters
    ----------
    folder : Path
        Scratch folder.

    Raises
    ------
    JudgeError
        If it does not start; it has then said why in a sentence of its own.
    """
    overlay, ready = folder / "overlay.json", folder / "ready"
    command = [sys.executable, "-m", "sandbox", "--data", str(datadir.resolve()), "--port", "0"]
    command += ["--write-overlay", str(overlay), "--ready-file", str(ready)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)  # noqa: S603
    try:
        _wait_until_ready(process, ready)
        yield overlay
    finally:
        process.terminate()
        try:
            process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], ready: Path) -> None:
    deadline = time.monotonic() + _READY_WITHIN_S
    while not (ready.exists() and ready.read_text(encoding="utf-8").strip()):
        if process.poll() is not None:
            raise JudgeError("The sandbox exchange did not start.")
        if time.monotonic() > deadline:
            raise JudgeError(f"The sandbox exchange was not ready after {_READY_WITHIN_S:.0f} s.")
        time.sleep(0.05)
