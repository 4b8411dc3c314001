"""`make paper` as it runs: a real bot on a real sandbox, days in minutes, reachable meanwhile."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.engine import ROOT
from tools.run_paper import main

COMMAND = [sys.executable, "-m", "tools.run_paper"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def status_over_rest(port: int, said: str) -> list:
    """Open trades over REST, with the password that was said, once the bot answers."""
    found = re.search(r"user (\S+)  password (\S+)", said)
    assert found, said
    credentials = base64.b64encode(f"{found[1]}:{found[2]}".encode()).decode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/v1/status")
    request.add_header("Authorization", f"Basic {credentials}")
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
                return json.load(answer)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


@pytest.mark.slow
def test_some_hours_are_traded_reachable_over_rest_and_summed_up(tmp_path: Path) -> None:
    port = free_port()
    line = [*COMMAND, "--api-port", str(port), "--days", "0.25", "--userdir", str(tmp_path)]
    # Freqtrade sets up no logging where it finds pytest's variables.
    environment = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    process = subprocess.Popen(
        line,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = ""
        while "2024-10-20  " not in said:
            read = process.stdout.readline()
            assert read, said
            said += read
        assert isinstance(status_over_rest(port, said), list)
        rest, _ = process.communicate(timeout=300)
    finally:
        # Not killed: it has a sandbox to stop.
        process.terminate()
        process.wait(timeout=60)
        process.stdout.close()
    assert process.returncode == 0, said + rest
    assert "why it closed" in rest
    with sqlite3.connect(tmp_path / "paper" / "trades.sqlite") as database:
        (count,) = database.execute("select count(*) from trades").fetchone()
    database.close()
    # The journal is this run's own: no file beside the journals of real bots.
    with sqlite3.connect(tmp_path / "paper" / "journal.sqlite") as journal:
        (told,) = journal.execute("select count(distinct trade_id) from events").fetchone()
    journal.close()
    assert told == count
    assert not list(tmp_path.glob("ballast_journal*"))
    closed = re.findall(r"^ *\w+/USDT +\d\d-\d\d \d\d:\d\d ", rest, flags=re.MULTILINE)
    assert len(closed) == count > 0
    assert_explained(rest, tmp_path / "paper")
    log = (tmp_path / "paper" / "freqtrade.log").read_text()
    assert "2024-10-20 05:" in log
    assert " ERROR " not in log


def assert_explained(said: str, kept: Path) -> None:
    """It ends with what was decided and what differs from a backtest; the commands work later."""
    assert "candle 2024-10-20 " in said.partition("ballast why ")[2]
    assert "Signal match 100 %" in said
    assert "…" not in said
    asked = [line.removeprefix("==> ") for line in said.splitlines() if " -c " in line]
    (why,) = (line for line in asked if " why " in line)
    done = subprocess.run(shlex.split(why), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "journal journal.sqlite" in done.stdout
    # It has the password of the API.
    assert (kept / "config.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "days",
    [
        ["--days", "0"],
        ["--days", "nan"],
        ["--days", "1e9"],
        ["--start", "2024-01-05"],
        ["--start", "2024-12-30"],
    ],
)
def test_days_outside_the_market_are_one_sentence(
    days: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(days) == 2
    said = capsys.readouterr().err
    assert said.startswith("make paper: The days must lie between 2024-04-10 and 2025-01-01")
    assert said.count("\n") == 1
