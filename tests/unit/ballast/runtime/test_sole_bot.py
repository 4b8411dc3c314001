"""Two bots on one database would sell the same positions twice: the second is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException
from freqtrade.persistence import Trade
from sqlalchemy import create_engine

from ballast.runtime import sole_bot

# Holds the file as another bot's process does, says so, and ends when it is told to.
_OTHER = """
import fcntl, os, sys
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(descriptor, fcntl.LOCK_EX)
os.write(descriptor, b"4711")
print("held", flush=True)
sys.stdin.read()
"""


def starts(url: str, mode: RunMode = RunMode.DRY_RUN, config: dict[str, Any] | None = None) -> None:
    host: Any = SimpleNamespace(dp=SimpleNamespace(runmode=mode), config=config or {})
    session = SimpleNamespace(get_bind=lambda: create_engine(url))
    with patch.object(Trade, "session", session, create=True):
        sole_bot.hold_database(host)


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    held: dict[Path, int] = {}
    with patch.object(sole_bot, "_held", held):
        yield
        for descriptor in held.values():
            os.close(descriptor)


@contextmanager
def other_bot(path: Path) -> Iterator[None]:
    command = [sys.executable, "-c", _OTHER, str(path)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield
        process.kill()


def test_a_second_bot_is_refused_as_long_as_the_first_lives(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/trades.sqlite"
    with other_bot(tmp_path / "trades.sqlite.lock"):
        with pytest.raises(OperationalException) as refused:
            starts(url)
        sentence = f"a bot trades on the database {tmp_path}/trades.sqlite already (process 4711)"
        assert str(refused.value).startswith(sentence)
    # Killed without a word, it leaves nothing that holds.
    starts(url)
    assert (tmp_path / "trades.sqlite.lock").read_text(encoding="ascii") == str(os.getpid())


def test_as_it_ends_it_takes_back_no_order_of_the_first(tmp_path: Path) -> None:
    """Freqtrade cancels open orders of the database where a start has failed, too."""
    config: dict[str, Any] = {"cancel_open_orders_on_exit": True}
    with other_bot(tmp_path / "trades.sqlite.lock"), pytest.raises(OperationalException):
        starts(f"sqlite:///{tmp_path}/trades.sqlite", config=config)
    assert config == {"cancel_open_orders_on_exit": False}


def test_a_bot_that_reloads_its_configuration_goes_on(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/trades.sqlite"
    starts(url)
    starts(url)


@pytest.mark.parametrize("mode", [RunMode.BACKTEST, RunMode.HYPEROPT, RunMode.WEBSERVER])
def test_what_does_not_trade_holds_nothing(mode: RunMode, tmp_path: Path) -> None:
    with other_bot(tmp_path / "trades.sqlite.lock"):
        starts(f"sqlite:///{tmp_path}/trades.sqlite", mode)


def test_a_database_in_memory_is_nobody_elses(tmp_path: Path) -> None:
    with patch.object(os, "open", side_effect=AssertionError):
        starts("sqlite://")


def test_a_folder_that_takes_no_file_keeps_no_bot_from_its_positions(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    starts(f"sqlite:///{tmp_path}/missing/trades.sqlite")
    assert "a second bot would not be seen" in caplog.text
