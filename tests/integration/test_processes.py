"""What a test starts reaches no other host and lives by the test's clock."""

import os
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from sandbox.beside import SandboxNotReady, running_sandbox
from tests.processes import python_path, run, started


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


def asked_of_a_fork(folder: Path, program: str, *arguments: str, **environment: str) -> str:
    """What a module of the user's said, as a fork of the process that has imported Freqtrade."""
    (folder / "own.py").write_text(program, encoding="utf-8")
    own = {**os.environ, **environment}
    done = run(folder, "own", *arguments, environment=own)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize("folders", [(), ("more",)])
def test_a_fork_is_started_as_python_starts_a_module(
    tmp_path: Path, folders: tuple[str, ...]
) -> None:
    """Whatever this process, and the one that it is a fork of, has on its path or has imported."""
    program = (
        "import os, sys\n"
        "print(__name__, __file__, os.getcwd(), sys.argv[1:], os.environ.get('GIVEN'), sys.path)\n"
        "print([name in sys.modules for name in ('pytest', 'ballast', 'sandbox', 'tests')])\n"
    )
    own = {"PYTHONPATH": python_path(*(tmp_path / name for name in folders)), "GIVEN": "this"}
    said = asked_of_a_fork(tmp_path, program, "-c", "two words", **own)
    usual = subprocess.run(
        [sys.executable, "-m", "own", "-c", "two words"],
        cwd=tmp_path,
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.splitlines() == usual.stdout.splitlines()


def test_a_fork_has_imported_freqtrade_already(tmp_path: Path) -> None:
    """Otherwise it saves nothing."""
    program = "import sys\nprint('freqtrade.optimize.backtesting' in sys.modules)\n"
    assert asked_of_a_fork(tmp_path, program) == "True\n"


def test_a_fork_is_guarded_and_lives_by_the_clock_of_the_test(
    any_hour: datetime, tmp_path: Path
) -> None:
    told = float(asked_of_a_fork(tmp_path, "import time; print(time.time())"))
    assert any_hour.timestamp() <= told < any_hour.timestamp() + 60
    with pytest.raises(AssertionError, match="BEYOND LOOPBACK: 192"):
        asked_of_a_fork(tmp_path, "import socket; socket.create_connection(('192.0.2.1', 80))")


def test_how_a_fork_ended_is_known(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("import atexit; atexit.register(print, 'left'); exit(3)")
    assert run(tmp_path, "own").returncode == 3
    assert run(tmp_path, "own").stdout == "left\n"
    (tmp_path / "own.py").write_text("import time; time.sleep(60)")
    with TemporaryFile() as said, started(tmp_path, "own", outputs=(said.fileno(),) * 2) as program:
        program.send_signal(signal.SIGTERM)
        assert program.wait() == -signal.SIGTERM
    (tmp_path / "own.py").write_text("raise ValueError('no such thing')")
    failed = run(tmp_path, "own")
    assert failed.returncode == 1
    assert failed.stderr.endswith("ValueError: no such thing\n")
