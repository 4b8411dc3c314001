"""The bot on PostgreSQL instead of SQLite: the same memory, locks and trades, across a restart.

A real server, started in a folder of the test; skipped where there is no server or no driver.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from freqtrade.persistence import PairLocks, Trade

from ballast.__main__ import main
from ballast.ops.preflight.check import Bot, Level
from ballast.ops.preflight.host import database
from tests.behaviour import mini
from tests.behaviour.mini import LEADER, PAIR, Mini, at, quiet, told
from tests.behaviour.paper import Paper, paper
from tests.engine import candle_frame

pytest.importorskip("psycopg", reason="the driver is an extra")

FOLDERS = ["/usr/lib/postgresql", "/usr/local/bin", "/usr/local/pgsql/bin"]
STORY = [*quiet(2), mini.signal(), *quiet(3, 101), (101, 101.2, 90, 95), *quiet(3, 95)]
BALLAST = {"guards": {"LossStreakBackoff": {"pair_losses": 1}}}


def tool(name: str) -> str | None:
    """A program of PostgreSQL's, which Debian keeps off the path."""
    found = [path for folder in FOLDERS for path in sorted(Path(folder).rglob(name))]
    return str(found[-1]) if found else shutil.which(name)


# A server refuses to run as root.
AS_USER: dict[str, Any] = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}


@contextmanager
def server() -> Iterator[str]:
    """A server with an empty database on a free port; yields its URL, password included."""
    initdb, postgres = tool("initdb"), tool("postgres")
    if initdb is None or postgres is None:
        pytest.skip("no PostgreSQL here")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    if AS_USER:
        shutil.chown(folder, "postgres", "postgres")
    (folder / "password").write_text("hushhush", encoding="utf-8")
    (folder / "password").chmod(0o644)
    data = str(folder / "data")
    made = [initdb, "-D", data, "-U", "bot", "--pwfile", str(folder / "password")]
    try:
        quietly: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([*made, "-A", "scram-sha-256", "-N"], check=True, **quietly, **AS_USER)
        run = [postgres, "-D", data, "-p", port, "-k", str(folder), "-h", "127.0.0.1", "-F"]
        process = subprocess.Popen(run, **quietly, **AS_USER)
        try:
            _wait_until_listening(int(port), process)
            yield f"postgresql+psycopg://bot:hushhush@127.0.0.1:{port}/postgres"
        finally:
            # Its fast shutdown: the other one waits for every client to leave.
            process.send_signal(signal.SIGINT)
            process.wait(20)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_listening(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, "PostgreSQL ended"
        time.sleep(0.05)
    raise AssertionError("PostgreSQL does not listen")


@contextmanager
def bot(folder: Path, url: str, begin: int) -> Iterator[Paper]:
    """A paper bot on the database, at the candle of that number."""
    stories = {LEADER: [], PAIR: STORY}
    frames = {p: candle_frame(told(s, len(STORY)), "1h") for p, s in stories.items()}
    with paper(Mini, frames, folder, at(begin), db_url=url, ballast=BALLAST) as started:
        engine = Trade.session.get_bind()
        yield started
    # Its end has asked the database once more.
    Trade.session.remove()
    assert not engine.pool.checkedout()
    engine.dispose()


@pytest.mark.slow
def test_bot_remembers_on_postgresql_across_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with server() as url:
        with bot(tmp_path, url, 0) as first:
            for candle in range(1, 9):
                first.step(at(candle))
            (trade,) = first.trades
            assert not trade.is_open
            remembered = first.bot.strategy.session.engine.guard_set.guards[
                "LossStreakBackoff"
            ].memory
            assert remembered.pairs[PAIR].losses == 1
            locked = {(lock.pair, lock.reason) for lock in PairLocks.get_all_locks()}
            assert any(reason.startswith("LOSS_STREAK") for _, reason in locked)
        with bot(tmp_path, url, 9) as second:
            guards = second.bot.strategy.session.engine.guard_set.guards
            assert guards["LossStreakBackoff"].memory == remembered
            assert len(second.trades) == 1
            assert Trade.session.get_bind().dialect.name == "postgresql"

        monkeypatch.chdir(tmp_path)
        (tmp_path / "config.json").write_text("{}", encoding="utf-8")
        assert main(["guards", "--db-url", url]) == 0
        assert main(["guards", "--db-url", f"{url}x"]) == 2
        said = capsys.readouterr()
        assert "LossStreakBackoff" in said.out
        assert "hushhush" not in said.out + said.err
        config = {"dry_run": True, "db_url": url}
        (finding,) = database(Bot(config, Mini))
        assert (finding.level, "hushhush" in finding.what) == (Level.PASS, False)
