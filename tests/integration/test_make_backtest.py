"""`make backtest` as it runs: a real sandbox, real Freqtrade commands, real signals."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

import pytest

from ballast.__main__ import main
from ballast.research.report.results import read_zip
from tests.engine import ROOT
from tools.run_backtest import find_strategies

COMMAND = [sys.executable, "-m", "tools.run_backtest", "--days", "60"]
ADDRESS = re.compile(r"ready at http://127\.0\.0\.1:(\d+)")


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "--userdir", str(folder), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def sandbox_listens(output: str) -> bool:
    """Whether the sandbox that announced itself in `output` still accepts connections."""
    announced = ADDRESS.search(output)
    assert announced, output
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(announced[1]))) == 0


@pytest.mark.slow
def test_every_strategy_is_backtested_on_candles_downloaded_from_the_sandbox(
    tmp_path: Path,
) -> None:
    """The main job: one table, a page, what to do next, and no sandbox left behind."""
    done = run(tmp_path, "--port", "0")
    assert done.returncode == 0, done.stdout + done.stderr
    table, _, after = done.stdout.partition("Next:")
    names = find_strategies(ROOT / "strategies")
    assert [name for name in names if table.count(name) != 1] == []
    # Not the thousand lines that Freqtrade's commands say: they are in a log.
    assert len(done.stdout.splitlines()) < 30
    assert done.stderr == ""
    assert "STRATEGY SUMMARY" in (tmp_path / "logs" / "backtest.log").read_text(encoding="utf-8")
    assert (tmp_path / "report.html").is_file()
    steps = [line.strip() for line in after.splitlines() if line.strip()]
    assert len(steps) == 3
    works_as_printed(steps[0], tmp_path / "report.html")
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert {shlex.split(step, comments=True)[1] for step in steps[1:]} <= set(targets)
    assert (tmp_path / "data" / "sandbox" / "BTC_USDT-1h.feather").is_file()
    assert not sandbox_listens(done.stdout)
    report_on(tmp_path)


def works_as_printed(command: str, page: Path) -> None:
    page.unlink()
    words = shlex.split(command, comments=True)
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "RisingMarket" in done.stdout
    assert page.is_file()


def report_on(userdir: Path) -> None:
    """The results can be judged: with the candles, and with the first stop of every trade."""
    (result,) = (userdir / "backtest_results").glob("*.zip")
    runs = read_zip(result)
    assert {run.strategy for run in runs} == set(find_strategies(ROOT / "strategies"))
    assert all(run.has_stops for run in runs)
    page, figures = userdir / "report.html", io.StringIO()
    candles = str(userdir / "data" / "sandbox")
    arguments = ["report", str(result), "-d", candles, "--html", str(page), "--json"]
    with redirect_stdout(figures):
        assert main(arguments) == 0
    for found in json.loads(figures.getvalue()).values():
        assert found["notices"] == []
        assert found["holding"] is not None


def test_unknown_strategy_stops_the_sandbox_and_fails(tmp_path: Path) -> None:
    """A failure is visible to whoever called, and leaves nothing running."""
    done = run(tmp_path, "--port", "0", "--strategies", "NoSuchStrategy")
    assert done.returncode != 0
    assert "NoSuchStrategy" in done.stdout + done.stderr
    assert not sandbox_listens(done.stdout)


def test_taken_port_is_answered_in_a_sentence(tmp_path: Path) -> None:
    """No traceback, and no Freqtrade command run against a stranger's server."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = run(tmp_path, "--port", port)
    assert done.returncode == 2
    assert f"port {port}" in done.stderr
    assert "Traceback" not in done.stderr
    assert "freqtrade" not in done.stdout


@contextmanager
def running(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command with its sandbox up, in a process group of its own as a terminal gives it."""
    command = [*COMMAND, "--port", "0", "--userdir", str(folder)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )
    assert process.stdout
    try:
        line = ""
        while not ADDRESS.search(line):
            line = process.stdout.readline()
            assert line, "ended before the sandbox was ready"
        yield process, line
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.stdout.close()


def test_ctrl_c_stops_the_sandbox(tmp_path: Path) -> None:
    """A terminal sends it to every process of the group at once."""
    with running(tmp_path) as (process, line):
        os.killpg(process.pid, signal.SIGINT)
        rest, _ = process.communicate(timeout=30)
    assert process.returncode == 130, rest
    assert "Traceback" not in rest
    assert not sandbox_listens(line)


def test_sigterm_stops_the_sandbox(tmp_path: Path) -> None:
    """A supervisor sends it to the one process it started."""
    with running(tmp_path) as (process, line):
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert not sandbox_listens(line)
