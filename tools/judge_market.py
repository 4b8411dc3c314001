"""Candles and an exchange for a reader without an account: the sandbox, started for one command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.files import export
from sandbox.regimes import Label
from sandbox.sources import GeneratedSource
from tools.judge_figures import Window
from tools.judge_runs import JudgeError
from tools.sandbox_process import SandboxNotReady, running

# What a fall or a long stay in one does to an account is asked of these.
HARD_TIMES = ("flash_crash", "slow_crash", "bear", "chop")
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
    served = ["--data", str(datadir.resolve()), "--port", "0"]
    try:
        with running(served, folder, quiet=True) as (overlay, _):
            yield overlay
    except SandboxNotReady as error:
        raise JudgeError(str(error)) from None
