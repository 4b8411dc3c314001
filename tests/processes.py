"""Real Freqtrade commands for tests, as processes of their own.

Every Python process that a test starts is kept on loopback and lives by the test's clock, because
`conftest` puts `CHILD` on its path.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHILD = ROOT / "tests" / "child"


def python_path(*folders: Path) -> str:
    """PYTHONPATH of a process that finds these folders, whatever else is on the path here."""
    return os.pathsep.join(map(str, (CHILD, *folders)))


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
    process = subprocess.Popen(
        [sys.executable, "-m", "freqtrade", *arguments],
        cwd=directory,
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
