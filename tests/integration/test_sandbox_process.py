"""The helper that starts sandboxes and Freqtrade for tests keeps its promises."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.sandbox_process import loopback_only, running_sandbox


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_connection(('192.0.2.1', 80), timeout=1)",
        "socket.getaddrinfo('exchange.example', 443)",
        "socket.socket().connect_ex(('192.0.2.1', 80))",
    ],
)
def test_a_process_under_the_guard_reaches_no_other_host(tmp_path: Path, attempt: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", f"import socket; {attempt}"],
        env=loopback_only(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "BEYOND LOOPBACK" in result.stderr


def test_a_sandbox_that_cannot_start_says_why(tmp_path: Path) -> None:
    with (
        pytest.raises(RuntimeError, match="--generate must be a whole number"),
        running_sandbox(tmp_path, "--generate", "seven"),
    ):
        pass
