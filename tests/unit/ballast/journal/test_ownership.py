"""A database finds its own journal, adopts the one from before, and touches nobody else's."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ballast.config.settings import JournalSettings
from ballast.core.decision import Decision, Outcome
from ballast.core.events import Event, EventKind
from ballast.journal.file import read_only
from ballast.journal.identity import ForeignJournal, owner
from ballast.journal.ownership import own_journal
from ballast.journal.reader import Reader
from ballast.journal.store import Journal, Version

MINE, OTHERS = "1a2b3c4d", "5e6f7a8b"
BEFORE, NAMED = "ballast_journal.dryrun.sqlite", f"ballast_journal.dryrun.{MINE}.sqlite"
START = datetime(2024, 1, 1, tzinfo=UTC)
VERSION = Version("abcd1234", "Trend", "1h", "0.2.0", [], {}, {})
# As the first versions made it.
FORMER = """
CREATE TABLE versions (id INTEGER NOT NULL, settings VARCHAR(8) NOT NULL, strategy VARCHAR NOT NULL,
    timeframe VARCHAR NOT NULL, ballast VARCHAR NOT NULL, guards TEXT NOT NULL,
    setups TEXT NOT NULL, text TEXT NOT NULL, since DATETIME NOT NULL, PRIMARY KEY (id));
CREATE TABLE decisions (id INTEGER NOT NULL, strategy VARCHAR NOT NULL, timeframe VARCHAR NOT NULL,
    pair VARCHAR NOT NULL, candle DATETIME NOT NULL, settings VARCHAR(8) NOT NULL,
    version INTEGER NOT NULL, outcome VARCHAR NOT NULL, code VARCHAR NOT NULL, value FLOAT,
    "limit" FLOAT, trust VARCHAR NOT NULL, close FLOAT, atr FLOAT, setup VARCHAR NOT NULL,
    rules TEXT NOT NULL, guards TEXT NOT NULL, gate TEXT NOT NULL, sizing TEXT NOT NULL, stop FLOAT,
    stop_code VARCHAR NOT NULL, trade_id INTEGER, PRIMARY KEY (id),
    UNIQUE (strategy, timeframe, pair, candle));
CREATE INDEX decisions_candle ON decisions (candle);
CREATE INDEX decisions_trade ON decisions (trade_id);
CREATE TABLE events (id INTEGER NOT NULL, at DATETIME NOT NULL, kind VARCHAR NOT NULL,
    code VARCHAR NOT NULL, pair VARCHAR NOT NULL, trade_id INTEGER, value FLOAT, "limit" FLOAT,
    facts TEXT NOT NULL, PRIMARY KEY (id));
CREATE INDEX events_at ON events (at);
CREATE INDEX events_trade ON events (trade_id);
INSERT INTO versions VALUES (1, 'abcd1234', 'Trend', '1h', '0.2.0', '[]', '{"Trend": ["up"]}',
    '{}', '2024-01-01 00:00:00.000000');
INSERT INTO decisions VALUES (1, 'Trend', '1h', 'ETH/USDT', '2024-01-01 00:00:00.000000',
    'abcd1234', 1, 'ENTERED', 'RISK_AT_STOP', 500.0, 1000.0, 'OK', 101.0, 2.0, 'Trend', '{}', '{}',
    '{}', '{}', 97.0, '', 4);
INSERT INTO events VALUES (1, '2024-01-01 01:00:03.000000', 'order', 'ENTRY_FILLED', 'ETH/USDT', 4,
    101.2, 101.0, '{}');
INSERT INTO events VALUES (2, '2024-01-01 05:00:03.000000', 'stop', 'CHANDELIER', 'ETH/USDT', 4,
    98.0, 97.0, '{}');
"""


def former(path: Path) -> Path:
    """A journal without an identity, which tells of trade 4 of ETH/USDT last."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript(FORMER)
    return path


def knows(*trades: tuple[int, str]) -> Callable[[int, str], bool]:
    """A database with these trades."""
    return lambda number, pair: (number, pair) in trades


def found(folder: Path, has: Callable[[int, str], bool] | None, path: Path | None = None) -> Path:
    return told(folder, has, path)[0]


def told(
    folder: Path, has: Callable[[int, str], bool] | None, path: Path | None = None
) -> tuple[Path, str]:
    settings = JournalSettings(path=str(path) if path else None)
    return own_journal({"user_data_dir": folder, "dry_run": True}, settings, MINE, has)


def written(path: Path, identity: str | None = None) -> Path:
    """A journal with a row and an event of trade 4."""
    journal = Journal(path, JournalSettings(), identity)
    row = Decision("ETH/USDT", START, Outcome.NO_SIGNAL, "up")
    journal.write(VERSION, [row], [Event(START, EventKind.ORDER, "ENTRY_FILLED", "ETH/USDT", 4)])
    journal.file.engine.dispose()
    return path


def whose(path: Path) -> str | None:
    engine = read_only(path)
    try:
        return owner(engine)
    finally:
        engine.dispose()


def test_a_new_database_gets_a_journal_of_its_own_and_leaves_the_one_that_is_there(
    tmp_path: Path,
) -> None:
    """A rehearsal beside a real-money bot, or a paper bot whose database was reset."""
    former(tmp_path / BEFORE)
    written(tmp_path / f"ballast_journal.dryrun.{OTHERS}.sqlite", OTHERS)
    assert told(tmp_path, None) == (tmp_path / NAMED, "")
    assert whose(tmp_path / BEFORE) is None


def test_a_journal_from_before_is_adopted_once_with_all_that_it_holds(tmp_path: Path) -> None:
    former(tmp_path / BEFORE)
    path, sentence = told(tmp_path, knows((4, "ETH/USDT")))
    assert sentence == f"the journal {BEFORE} is adopted as this database's: {NAMED}"
    assert path == tmp_path / NAMED
    assert (whose(path), (tmp_path / BEFORE).exists()) == (MINE, False)
    assert told(tmp_path, knows((4, "ETH/USDT"))) == (path, "")
    reader = Reader(path)
    rows, events = reader.life(4)
    reader.close()
    assert [row.decision.stop for row in rows] == [97.0]
    assert [event.code for event in events] == ["ENTRY_FILLED", "CHANDELIER"]


def test_what_is_written_after_the_adoption_stands_beside_what_was_before(tmp_path: Path) -> None:
    former(tmp_path / BEFORE)
    path = found(tmp_path, knows((4, "ETH/USDT")))
    journal = Journal(path, JournalSettings(), MINE)
    row = Decision("ETH/USDT", START + timedelta(hours=6), Outcome.LEFT, "stop_loss", trade_id=4)
    journal.write(VERSION, [row], [Event(START, EventKind.EXIT, "stop_loss", "ETH/USDT", 4, -1.0)])
    journal.file.engine.dispose()
    reader = Reader(path)
    rows, events = reader.life(4)
    reader.close()
    assert [row.decision.outcome for row in rows] == [Outcome.ENTERED, Outcome.LEFT]
    assert [event.kind for event in events] == [EventKind.ORDER, EventKind.STOP, EventKind.EXIT]


def test_rows_that_a_reader_keeps_in_the_write_ahead_log_move_with_the_journal(
    tmp_path: Path,
) -> None:
    """A scrape in the moment of the adoption: the log is not written back into the file then."""
    path = former(tmp_path / BEFORE)
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM events").fetchone()
        with closing(sqlite3.connect(path)) as writer:
            row = "3, '2024-01-02 00:00:00', 'stop', 'X', 'ETH/USDT', 4, 99, 98, '{}'"
            writer.execute(f"INSERT INTO events VALUES ({row})")  # noqa: S608
            writer.commit()
        moved = found(tmp_path, knows((4, "ETH/USDT")))
        with closing(sqlite3.connect(moved)) as connection:
            assert connection.execute("SELECT count(*) FROM events").fetchone() == (3,)
    assert whose(moved) == MINE


@pytest.mark.parametrize("has", [knows(), knows((4, "BTC/USDT")), None])
def test_a_journal_that_tells_of_another_databases_trades_is_not_adopted(
    has: Callable[[int, str], bool] | None, tmp_path: Path
) -> None:
    former(tmp_path / BEFORE)
    assert told(tmp_path, has) == (tmp_path / NAMED, "")
    assert whose(tmp_path / BEFORE) is None


def test_an_adoption_that_was_broken_off_is_brought_to_its_end(tmp_path: Path) -> None:
    """Killed between the identity and the name."""
    written(tmp_path / BEFORE, MINE)
    assert found(tmp_path, None) == tmp_path / NAMED
    assert whose(tmp_path / NAMED) == MINE
    assert not (tmp_path / BEFORE).exists()


def test_a_path_that_is_set_is_kept_by_its_database_and_adopted_in_place(tmp_path: Path) -> None:
    path = tmp_path / "diary.sqlite"
    assert told(tmp_path, None, path) == (path, "")
    former(path)
    adopted, sentence = told(tmp_path, knows((4, "ETH/USDT")), path)
    assert (adopted, whose(path)) == (path, MINE)
    assert sentence.startswith("the journal diary.sqlite is adopted")
    assert told(tmp_path, None, path) == (path, "")


@pytest.mark.parametrize(("identity", "words"), [(OTHERS, OTHERS), (None, "not known")])
def test_a_path_that_is_set_to_anothers_journal_is_refused_in_a_sentence(
    identity: str | None, words: str, tmp_path: Path
) -> None:
    path = written(tmp_path / "diary.sqlite", identity)
    with pytest.raises(ForeignJournal) as refusal:
        told(tmp_path, None, path)
    sentence = str(refusal.value)
    assert sentence.startswith(f"ballast.journal.path is '{path}'")
    assert words in sentence
    assert MINE in sentence
    assert whose(path) == identity


def test_a_journal_of_another_database_is_not_opened_to_be_written(tmp_path: Path) -> None:
    """Whatever name it was given: entries are refused then, as where a file cannot be written."""
    for identity in (OTHERS, None):
        path = written(tmp_path / f"{identity}.sqlite", identity)
        with pytest.raises(ForeignJournal, match=identity or "not known"):
            Journal(path, JournalSettings(), MINE)
        assert whose(path) == identity


@pytest.mark.parametrize("other", ['{"dry_run": true}', "a,b", "[]", "ARROW1\0\0"])
def test_a_file_that_never_was_a_journal_is_refused_and_left_as_it_is(
    other: str, tmp_path: Path
) -> None:
    """A configuration named by mistake was taken for a damaged journal and moved aside."""
    path = tmp_path / "config.json"
    path.write_text(other, encoding="ascii")
    with pytest.raises(ForeignJournal, match=r"is '.*config\.json': that is another kind of file"):
        told(tmp_path, None, path)
    assert path.read_text(encoding="ascii") == other


def test_a_database_of_trades_is_no_journal(tmp_path: Path) -> None:
    """Two engines would have held one file, and each waited for the other's locks."""
    path = tmp_path / "trades.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE trades (id INTEGER)")
    with pytest.raises(ForeignJournal, match="that is another database and no journal"):
        told(tmp_path, None, path)


def test_a_folder_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(ForeignJournal, match="that is a folder and no journal; name a file"):
        told(tmp_path, None, tmp_path)


@pytest.mark.parametrize("damage", [b"", b"\0" * 100, b"\x07no database" * 100, b"SQLite form\0t"])
def test_a_damaged_file_in_its_place_is_left_to_whoever_opens_it(
    damage: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "diary.sqlite"
    path.write_bytes(damage)
    assert told(tmp_path, None, path)[0] == path
