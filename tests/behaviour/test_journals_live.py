"""Every bot has a journal of its own: paper runs, rehearsals and real money are never told as one.

Trade numbers begin at one in every database, so that two bots' trades in one file become one life.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from freqtrade.exceptions import OperationalException
from freqtrade.persistence import Trade

from ballast.__main__ import main
from ballast.journal.place import journal_path
from tests.behaviour.mini import OTHER, PAIR, at
from tests.behaviour.test_journal_live import bot, walk
from tests.engine import ROOT
from tests.journals import journal_in, journals_in

BEFORE = "ballast_journal.dryrun.sqlite"


def url(folder: Path, name: str) -> str:
    return f"sqlite:///{folder / name}"


def traded(folder: Path, database: str, last: int, **settings: Any) -> list[int]:
    """A bot that has bought; numbers of its trades."""
    with bot(folder, db_url=url(folder, database), **settings) as running:
        walk(running, 1, last)
        return [trade.id for trade in running.trades]


def said(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(arguments) == code
    captured = capsys.readouterr()
    return " ".join((captured.err if code else captured.out).split())


def configured(folder: Path, **settings: Any) -> list[str]:
    """Options of a command for a bot in a folder."""
    config = json.loads((ROOT / "config.json").read_text())
    config |= {"strategy": "Mini", "user_data_dir": str(folder), **settings}
    path = folder / "config.json"
    path.write_text(json.dumps(config))
    return ["-c", str(path), "--userdir", str(folder)]


def entries(path: Path) -> list[tuple[int, str]]:
    """Trades that a journal tells of having been entered: number and pair."""
    with closing(sqlite3.connect(path)) as connection:
        wanted = "SELECT trade_id, pair FROM events WHERE code = 'ENTRY_FILLED'"
        return connection.execute(wanted).fetchall()


def test_two_databases_in_one_folder_have_two_journals_and_each_command_finds_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = traded(tmp_path, "trades.sqlite", 5)
    paper = journal_in(tmp_path)
    numbers += traded(tmp_path, "rehearsal.sqlite", 5, max_open_trades=1)
    assert numbers == [1, 1]
    (rehearsal,) = set(journals_in(tmp_path)) - {paper}
    assert entries(paper) == entries(rehearsal) == [(1, PAIR)]
    options = configured(tmp_path, db_url=url(tmp_path, "trades.sqlite"))
    with closing(sqlite3.connect(rehearsal)) as connection:
        connection.execute("UPDATE events SET pair = ?", (OTHER,))
        connection.execute("UPDATE decisions SET pair = ? WHERE pair = ?", (PAIR + "x", OTHER))
        connection.execute("UPDATE decisions SET pair = ? WHERE pair = ?", (OTHER, PAIR))
        connection.commit()
    assert f"trade 1 {PAIR}" in said(capsys, "why", "--trade", "1", *options)
    other = ("--db-url", url(tmp_path, "rehearsal.sqlite"))
    assert f"trade 1 {OTHER}" in said(capsys, "why", "--trade", "1", *options, *other)
    # One that is named is found whatever the configuration says now.
    live = configured(tmp_path, db_url=url(tmp_path, "trades.sqlite"), dry_run=False)
    assert f"trade 1 {OTHER}" in said(capsys, "why", "--trade", "1", *live, *other)
    assert "ENTERED 1" in said(capsys, "review", "--since", "2024-01-01", *options)
    refused = said(capsys, "drift", *options[:2], "--journal", str(rehearsal), code=2)
    assert "is the journal of database" in refused
    assert "expected both of one bot" in refused


def test_a_dry_run_database_that_was_reset_begins_another_journal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    traded(tmp_path, "trades.sqlite", 5)
    first = journal_in(tmp_path)
    (tmp_path / "trades.sqlite").unlink()
    traded(tmp_path, "trades.sqlite", 5)
    (second,) = set(journals_in(tmp_path)) - {first}
    assert entries(first) == entries(second) == [(1, PAIR)]
    options = configured(tmp_path, db_url=url(tmp_path, "trades.sqlite"))
    told = said(capsys, "why", "--trade", "1", *options)
    assert told.count("ENTRY_FILLED") == 1


def test_a_restart_goes_on_in_the_same_journal(tmp_path: Path) -> None:
    traded(tmp_path, "trades.sqlite", 4)
    assert traded(tmp_path, "trades.sqlite", 6) == [1]
    assert entries(journal_in(tmp_path)) == [(1, PAIR)]


def test_paper_and_real_money_are_apart_even_on_one_database(tmp_path: Path) -> None:
    with bot(tmp_path) as running:
        place = running.bot.strategy.session.journal
        config = {**running.bot.config, "dry_run": False}
    assert journal_path(config, None, place.identity) != place.path


def test_a_journal_from_before_is_adopted_by_its_database_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A rehearsal that is started first does not take it."""
    traded(tmp_path, "trades.sqlite", 5)
    before = forget_identity(tmp_path, "trades.sqlite")
    traded(tmp_path, "rehearsal.sqlite", 2)
    assert before.exists()
    with caplog.at_level(logging.WARNING, logger="ballast.runtime.journal"):
        assert traded(tmp_path, "trades.sqlite", 6) == [1]
        traded(tmp_path, "trades.sqlite", 6)
    assert not before.exists()
    sentences = [r.getMessage() for r in caplog.records if r.name == "ballast.runtime.journal"]
    assert len(sentences) == 1
    assert sentences[0].startswith(f"the journal {BEFORE} is adopted as this database's: ")
    adopted = tmp_path / sentences[0].rpartition(" ")[2]
    assert entries(adopted) == [(1, PAIR)]


def forget_identity(folder: Path, database: str) -> Path:
    """Database and journal as a version without identities has left them."""
    path, before = journal_in(folder), folder / BEFORE
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE identity")
        connection.execute("VACUUM INTO ?", (str(before),))
    for file in folder.glob(f"{path.name}*"):
        file.unlink()
    with closing(sqlite3.connect(folder / database)) as connection:
        connection.execute("DELETE FROM ballast_guards WHERE name = 'Identity'")
        connection.commit()
    return before


def test_a_path_that_is_set_to_another_bots_journal_ends_the_start_in_a_sentence(
    tmp_path: Path,
) -> None:
    shared = {"ballast": {"journal": {"path": str(tmp_path / "diary.sqlite")}}}
    assert traded(tmp_path, "trades.sqlite", 5, **shared) == [1]
    with pytest.raises(OperationalException, match=r"^ballast\.journal\.path is .*diary\.sqlite"):
        traded(tmp_path, "rehearsal.sqlite", 5, **shared)
    Trade.session.remove()
    assert traded(tmp_path, "trades.sqlite", 6, **shared) == [1]
    assert entries(tmp_path / "diary.sqlite") == [(1, PAIR)]


def test_the_version_says_which_journal_is_kept(tmp_path: Path) -> None:
    """By it `health` and the metrics find it, who do not know how the bot was started."""
    with bot(tmp_path) as running:
        running.step(at(1))
        running.loop(at(1) + timedelta(seconds=10))
        assert f" journal {journal_in(tmp_path).name}, guards off" in running.bot.strategy.version()
    with bot(tmp_path, ballast={"journal": {"enabled": False}}) as running:
        assert "journal" not in running.bot.strategy.version()
