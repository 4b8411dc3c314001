"""What a test starts reaches no other host and lives by the test's clock."""

import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import pytest

from sandbox.beside import SandboxNotReady, running_sandbox


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
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "BEYOND LOOPBACK" in result.stderr


def test_a_sandbox_that_cannot_start_says_why(tmp_path: Path) -> None:
    with (
        pytest.raises(SandboxNotReady, match="did not start: --generate must be a whole number"),
        running_sandbox(tmp_path, "--generate", "seven"),
    ):
        pass


def test_a_process_does_not_see_that_it_is_tested() -> None:
    """Freqtrade's output is narrower then."""
    asked = [sys.executable, "-c", "import sys; print('pytest' in sys.modules)"]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_process_lives_by_the_clock_of_the_test(any_hour: datetime) -> None:
    before = time.time()
    asked = [sys.executable, "-c", "import time; time.sleep(0.3); print(time.time())"]
    told = float(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
    assert before <= told <= time.time()
    assert any_hour.timestamp() <= told < any_hour.timestamp() + 60
