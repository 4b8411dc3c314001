"""A bot starts only on a database that can be written, and what it holds stays as it was."""

import resource
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException

from ballast.runtime.database_file import DatabaseWatch, refuse_unwritable


def started(path: Path, mode: RunMode = RunMode.DRY_RUN) -> None:
    refuse_unwritable({"runmode": mode, "db_url": f"sqlite:///{path}"})


def test_a_disk_without_room_is_told(tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(OperationalException, match=r"bot\.sqlite cannot be written \(.*room"):
            started(tmp_path / "bot.sqlite")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_folder_that_is_not_there_is_told_to_bots_alone(tmp_path: Path) -> None:
    started(tmp_path / "none" / "bot.sqlite", RunMode.BACKTEST)
    with pytest.raises(OperationalException, match=r"cannot be written \(unable to open database"):
        started(tmp_path / "none" / "bot.sqlite")


def test_what_a_database_holds_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE trades (id); PRAGMA user_version = 3")
        started(path)
        assert connection.execute("PRAGMA user_version").fetchone() == (3,)
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("trades",)]


def test_somebody_who_writes_is_no_reason_to_refuse(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "bot.sqlite", isolation_level=None)) as writer:
        writer.execute("CREATE TABLE trades (id)")
        writer.execute("BEGIN EXCLUSIVE")
        started(tmp_path / "bot.sqlite")


@pytest.mark.parametrize("url", ["sqlite://", "postgresql+psycopg2://bot:pass@localhost/bot"])
def test_what_is_no_file_is_not_looked_at(url: str) -> None:
    refuse_unwritable({"runmode": RunMode.LIVE, "db_url": url})


def test_a_file_that_goes_is_told_once_and_one_that_is_back_too(tmp_path: Path) -> None:
    said: list[str] = []
    path, aside = tmp_path / "bot.sqlite", tmp_path / "aside"
    path.write_text("")
    watch = DatabaseWatch(path, said.append)
    assert not watch.verdict().blocks
    path.rename(aside)
    assert [watch.verdict().code for _ in range(3)] == ["DATABASE_LOST"] * 3
    path.write_text("")
    assert watch.verdict().blocks
    aside.replace(path)
    assert not watch.verdict().blocks
    gone, back = said
    assert gone.startswith(f"Ballast: the database {path} was deleted or replaced: no entries")
    assert back == f"Ballast: the database {path} is back: entries are allowed again"


def test_what_was_no_file_is_not_missed() -> None:
    assert not DatabaseWatch(None, pytest.fail).verdict().blocks
