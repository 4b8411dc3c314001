"""The journal forgets nothing that was written, and grows no larger than it may."""

from __future__ import annotations

import math
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from ballast.config.settings import JournalSettings
from ballast.core.decision import Decision, Outcome, Reading
from ballast.core.events import Event, EventKind
from ballast.core.verdict import Verdict
from ballast.journal.file import read_only
from ballast.journal.place import journal_path
from ballast.journal.reader import stop_moves
from ballast.journal.rows import as_stored, event_row, read_event
from ballast.journal.store import Journal, Version
from ballast.journal.tables import DECISIONS

START = datetime(2024, 1, 1, tzinfo=UTC)
VERSION = Version("abcd1234", "Trend", "1h", "0.1.0", ["DailyLossLimit"], {"Trend": ["up"]}, {})
WRITER = Path(__file__).with_name("writer.py")

numbers = st.floats(allow_infinity=False, width=32)
codes = st.text("ABC_", min_size=1, max_size=8)
moments = st.integers(0, 90_000).map(
    lambda hours: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
)
verdicts = st.builds(
    Verdict, codes, numbers, numbers, st.floats(0, 1, width=32), st.none() | moments
)
readings = st.builds(Reading, numbers | st.booleans(), st.just(">"), numbers, st.booleans())
decisions = st.builds(
    Decision,
    pair=st.sampled_from(["BTC/USDT", "ETH/USDT"]),
    candle=moments,
    outcome=st.sampled_from(Outcome),
    code=codes,
    value=numbers,
    limit=numbers,
    trust=st.integers(0, 7),
    close=numbers,
    atr=numbers,
    setup=st.just("Trend"),
    rules=st.fixed_dictionaries({"up": readings}),
    setups=st.just({"Trend": ("up",)}),
    guards=st.dictionaries(st.sampled_from(["A", "B"]), verdicts),
    sizing=st.dictionaries(codes, st.integers()),
    stop=numbers,
    stop_code=codes,
    trade_id=st.none() | st.integers(1, 9),
)


def row(hours: int = 0, pair: str = "ETH/USDT", outcome: Outcome = Outcome.NO_SIGNAL) -> Decision:
    candle = START + timedelta(hours=hours)
    reading = Reading(1.0, ">", 2.0, False)
    return Decision(
        pair, candle, outcome, "up", 1.0, 2.0, rules={"up": reading}, setups={"Trend": ("up",)}
    )


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path / "journal.sqlite", JournalSettings())
    yield opened
    opened.file.engine.dispose()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    return Journal(tmp_path_factory.mktemp("journal") / "journal.sqlite", JournalSettings())


def count(path: Path, table: str = "decisions") -> int:
    with sqlite3.connect(path) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608


def test_the_unit_of_a_verdict_is_written_and_read() -> None:
    outage = Verdict("DATA_OUTAGE", 12.0, 10.0, 0.0, unit="requests")
    judged = replace(row(), guards={"DataOutageHalt": outage})
    assert as_stored(judged).guards["DataOutageHalt"].unit == "requests"


@settings(max_examples=50)
@given(decisions)
def test_what_is_read_is_what_was_written(shared: Journal, decision: Decision) -> None:
    shared.write(VERSION, [decision], [])
    read = shared.decision(VERSION, decision.pair, decision.candle)
    assert repr(read) == repr(as_stored(decision))
    for name in ("value", "limit", "stop", "close", "atr"):
        assert getattr(read, name) == pytest.approx(getattr(decision, name), rel=1e-9, nan_ok=True)


@given(
    st.builds(
        Event,
        moments,
        st.sampled_from(EventKind),
        codes,
        st.just("BTC/USDT"),
        st.none() | st.integers(1, 9),
        numbers,
        numbers,
        st.dictionaries(codes, codes),
    )
)
def test_an_event_is_read_as_it_was_written(event: Event) -> None:
    once = read_event(event_row(event))
    assert repr(read_event(event_row(once))) == repr(once)
    assert (once.at, once.kind, once.code, once.facts) == (
        event.at,
        event.kind,
        event.code,
        event.facts,
    )


def test_a_pair_has_one_row_for_a_candle_however_often_it_is_written(journal: Journal) -> None:
    journal.write(VERSION, [row()], [])
    journal.write(VERSION, [replace(row(), outcome=Outcome.ENTERED, trade_id=3)], [])
    assert count(journal.file.path) == 1
    read = journal.decision(VERSION, "ETH/USDT", START)
    assert read is not None
    assert (read.outcome, read.trade_id) == (Outcome.ENTERED, 3)


def test_a_row_says_which_settings_decided_and_what_they_were(journal: Journal) -> None:
    other = replace(VERSION, settings="ffff0000", text={"risk": {"per_trade_pct": 0.25}})
    journal.write(VERSION, [row()], [])
    journal.write(other, [row(1)], [])
    journal.write(other, [row(2)], [])
    with sqlite3.connect(journal.file.path) as connection:
        found = connection.execute(
            "SELECT d.settings, v.text FROM decisions d JOIN versions v ON v.id = d.version "
            "ORDER BY d.candle"
        ).fetchall()
    text = '{"risk": {"per_trade_pct": 0.25}}'
    assert found == [("abcd1234", "{}"), ("ffff0000", text), ("ffff0000", text)]
    assert count(journal.file.path, "versions") == 2


def test_settings_whose_first_row_could_not_be_written_are_written_with_the_next(
    journal: Journal,
) -> None:
    broken = replace(row(), pair=None)  # type: ignore[arg-type]
    with pytest.raises(Exception, match="NOT NULL"):
        journal.write(VERSION, [broken], [])
    journal.write(VERSION, [row()], [])
    decision = journal.decision(VERSION, row().pair, row().candle)
    assert decision is not None
    assert decision.setups == {"Trend": ("up",)}


def test_a_batch_is_written_whole_or_not_at_all(journal: Journal) -> None:
    journal.write(VERSION, [row()], [])
    broken = replace(row(1), outcome=Outcome.ENTERED, pair=None)  # type: ignore[arg-type]
    with pytest.raises(Exception, match="NOT NULL"):
        journal.write(VERSION, [row(2), broken], [Event(START, EventKind.ORDER, "SENT")])
    assert count(journal.file.path) == 1
    assert count(journal.file.path, "events") == 0


def test_somebody_who_holds_the_file_makes_writing_fail_and_not_wait(journal: Journal) -> None:
    journal.write(VERSION, [row()], [])
    with sqlite3.connect(journal.file.path) as holder:
        holder.execute("BEGIN IMMEDIATE")
        before = datetime.now(UTC)
        with pytest.raises(OperationalError, match="locked"):
            journal.write(VERSION, [row(1)], [])
        assert datetime.now(UTC) - before < timedelta(seconds=3)
        holder.rollback()
    journal.write(VERSION, [row(1)], [])
    assert count(journal.file.path) == 2


def overwritten(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.write(b"no database at all" * (size // 10))


def copied_over(path: Path) -> None:
    other = path.with_name("other")
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE t (a)")
    path.write_bytes(other.read_bytes())


def replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"no database at all" * 10_000)
    other.replace(path)


def halved(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


TOUCHED: dict[str, tuple[Callable[[Path], object], str]] = {
    "deleted": (Path.unlink, "was taken away: begun anew"),
    "replaced": (replaced, "was damaged: kept as"),
    "overwritten": (overwritten, "was damaged: kept as"),
    "halved": (halved, "was damaged: kept as"),
    "emptied": (partial(os.truncate, length=0), "was overwritten: gone on with"),
    "copied over": (copied_over, "was overwritten: gone on with"),
}


@pytest.mark.parametrize("touched", TOUCHED)
def test_what_is_written_after_a_file_was_spoiled_under_the_bot_is_there_and_told(
    touched: str, tmp_path: Path
) -> None:
    """What is open goes on as if nothing had happened, and nothing of it could be read again."""
    told: list[str] = []
    path = tmp_path / "journal.sqlite"
    journal = Journal(path, JournalSettings(), tell=told.append)
    for hour in range(0, 3000, 100):
        journal.write(VERSION, [row(hour + more) for more in range(100)], [])
        journal.prune(None, at_once=10)
    assert not told
    journal.file.engine.dispose()
    journal.write(VERSION, [row(3000)], [])
    told.clear()
    spoil, sentence = TOUCHED[touched]
    spoil(path)
    for hour in range(3001, 3006):
        journal.write(VERSION, [row(hour)], [])
    journal.file.engine.dispose()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
    assert count(path) >= 5
    assert sentence in " ".join(told)
    assert len(told) <= 2


@pytest.mark.parametrize("damage", ["not a database at all" * 500, ""], ids=["overwritten", "page"])
def test_a_damaged_file_is_kept_aside_and_begun_anew(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "journal.sqlite"
    first = Journal(path, JournalSettings())
    first.write(VERSION, [row(hour) for hour in range(500)], [])
    first.file.engine.dispose()
    if damage:
        path.write_text(damage)
    else:
        with path.open("r+b") as file:
            file.seek(4096 * 3)
            file.write(os.urandom(4096 * 4))
    again = Journal(path, JournalSettings())
    again.write(VERSION, [row()], [])
    assert count(path) == 1
    assert len(list(tmp_path.glob("journal.sqlite.damaged-*"))) == 1


def test_old_rows_are_forgotten(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite", JournalSettings(keep_days=2))
    events = [Event(START + timedelta(hours=hour), EventKind.STOP, "X") for hour in range(100)]
    journal.write(VERSION, [row(hour) for hour in range(100)], events)
    journal.prune(START + timedelta(hours=100), at_once=500)
    assert count(journal.file.path) == count(journal.file.path, "events") == 48
    assert journal.decision(VERSION, "ETH/USDT", START + timedelta(hours=99)) is not None


def test_the_file_stays_within_its_size_and_keeps_the_newest(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite", JournalSettings(max_mb=1))
    path = journal.file.path
    for hour in range(0, 12_000, 100):
        journal.write(VERSION, [row(hour + more) for more in range(100)], [])
        journal.prune(None, at_once=500)
        everything = sum(file.stat().st_size for file in path.parent.iterdir())
        # The write-ahead log and its index come on top.
        assert everything < 1_500_000 + 4_500_000
    assert path.stat().st_size < 1_400_000
    assert journal.decision(VERSION, "ETH/USDT", START + timedelta(hours=11_999)) is not None
    assert journal.decision(VERSION, "ETH/USDT", START) is None


def test_a_file_that_is_too_large_becomes_smaller(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    large = Journal(path, JournalSettings())
    large.write(VERSION, [row(hour) for hour in range(12_000)], [])
    large.file.engine.dispose()
    assert path.stat().st_size > 2_000_000
    small = Journal(path, JournalSettings(max_mb=1))
    for _ in range(40):
        small.prune(None, at_once=500)
    small.file.engine.dispose()
    assert path.stat().st_size < 1_200_000


def test_a_killed_writer_leaves_a_sound_file_with_everything_but_the_last_candle(
    tmp_path: Path,
) -> None:
    path = tmp_path / "journal.sqlite"
    for _ in range(2):
        with subprocess.Popen(
            [sys.executable, str(WRITER), str(path)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            said = [process.stdout.readline() for _ in range(40)]
            os.kill(process.pid, signal.SIGKILL)
            said += process.stdout.readlines()
        confirmed = int([line for line in said if line.endswith("\n")][-1])
        journal = Journal(path, JournalSettings())
        assert not list(tmp_path.glob("journal.sqlite.damaged-*"))
        with sqlite3.connect(path) as connection:
            rows = connection.execute(
                "SELECT candle, count(*) FROM decisions GROUP BY candle"
            ).fetchall()
        # Each candle whole; what the writer said it had written, and at most one more.
        assert {number for _, number in rows} == {50}
        assert confirmed <= len(rows) <= confirmed + 1
        journal.file.engine.dispose()


def test_each_database_and_mode_has_its_own_file(tmp_path: Path) -> None:
    config = {"user_data_dir": tmp_path, "dry_run": True}
    names = [
        journal_path(config, None, "1a2b3c4d").name,
        journal_path({**config, "dry_run": False}, None, "1a2b3c4d").name,
        journal_path(config, None, "5e6f7a8b").name,
        journal_path(config, None, None, backtest=True).name,
    ]
    assert names == [
        "ballast_journal.dryrun.1a2b3c4d.sqlite",
        "ballast_journal.1a2b3c4d.sqlite",
        "ballast_journal.dryrun.5e6f7a8b.sqlite",
        "ballast_journal.backtest.sqlite",
    ]
    own = "diary.sqlite"
    assert journal_path(config, own, "1a2b3c4d") == Path("diary.sqlite")
    # A backtest begins its journal anew: never a bot's.
    assert journal_path(config, own, None, backtest=True).name == "ballast_journal.backtest.sqlite"


def test_a_reader_keeps_the_writer_from_nothing(journal: Journal) -> None:
    """A chart that is drawn slowly: the writer waits a quarter of a second at most, then fails."""
    journal.write(VERSION, [row(hour) for hour in range(50)], [])
    with read_only(journal.file.path).connect() as reader:
        halfway = reader.execution_options(yield_per=1).execute(select(DECISIONS.c.candle))
        halfway.fetchone()
        for hour in range(50, 60):
            journal.write(VERSION, [row(hour)], [Event(START, EventKind.ORDER, "SENT")])
            journal.prune(START + timedelta(hours=hour), at_once=500)
        assert len(halfway.fetchall()) == 49
    assert count(journal.file.path) == 60


def test_a_reader_is_answered_in_the_middle_of_a_write(journal: Journal) -> None:
    first = Event(START, EventKind.STOP, "FIRST_STOP", "ETH/USDT", 3, 95.0)
    journal.write(VERSION, [row()], [first])
    with closing(sqlite3.connect(journal.file.path)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM events")
        (move,) = stop_moves(journal.file.path, [3])[3]
        writer.rollback()
    assert (move.code, move.value, move.trade_id) == ("FIRST_STOP", 95.0, 3)


def test_the_moves_of_stops_are_told_by_trade_and_in_order(journal: Journal) -> None:
    moves = [
        Event(START, EventKind.STOP, "FIRST_STOP", "ETH/USDT", 3, 95.0),
        Event(START, EventKind.STOP, "FIRST_STOP", "BTC/USDT", 4, 50.0),
        Event(START, EventKind.EXIT, "stop_loss", "BTC/USDT", 4, -1.0),
        Event(START, EventKind.STOP, "PORTFOLIO_HEAT", "ETH/USDT", 3, 97.0, 95.0),
    ]
    journal.write(VERSION, [], moves)
    told = stop_moves(journal.file.path, [3, 9])
    assert {trade: [move.value for move in of] for trade, of in told.items()} == {
        3: [95, 97],
        9: [],
    }


def test_numbers_that_are_missing_are_null_in_the_file(journal: Journal) -> None:
    journal.write(VERSION, [replace(row(), value=math.nan, limit=math.inf)], [])
    with sqlite3.connect(journal.file.path) as connection:
        assert connection.execute('SELECT value, "limit" FROM decisions').fetchone() == (None, None)
