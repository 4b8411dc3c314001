"""`python -m ballast guards`: a person sees what blocks, and can end it with a reason."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from freqtrade.persistence import PairLocks, Trade, init_db
from sqlalchemy import create_engine

from ballast.__main__ import main
from ballast.config.guards import GuardSettings
from ballast.config.settings import JournalSettings
from ballast.core.beginnings import BEGINNINGS, Beginnings
from ballast.core.decision import Decision, Outcome
from ballast.core.guards.base import Guard
from ballast.core.snapshot import ClosedTrade, Snapshot
from ballast.journal.store import Journal, Version
from ballast.risk.state_store import TABLE, StateStore
from tests.engine import ROOT
from tests.processes import python_path

HOUR = timedelta(hours=1)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bot's folder, with its configuration, as the present directory."""
    monkeypatch.chdir(tmp_path)
    configure(tmp_path)
    return tmp_path


def configure(folder: Path, **ballast: Any) -> None:
    config = {"dry_run": True, "db_url": "sqlite:///bot.sqlite", "ballast": ballast}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


@pytest.fixture
def database(any_hour: datetime, folder: Path) -> Iterator[Path]:
    """
    What a bot has left: a drawdown beyond the floor, losses of one pair, a cooldown of another.
    """
    now = datetime.now(UTC)
    init_db("sqlite:///bot.sqlite")
    PairLocks.timeframe = "1h"
    guards = GuardSettings().build(60)
    trades = tuple(ClosedTrade("BTC/USDT", now - HOUR * (3 - n), -1.0) for n in range(3))
    observe(guards, Snapshot(now - HOUR, 10_000.0))
    observe(guards, Snapshot(now, 8_500.0, trades))
    StateStore(Trade.session.get_bind()).save(guards, now)
    until = now + 5 * HOUR
    reason = f"VOLATILITY began at 1.9x (limit 1x), until {until:%Y-%m-%d %H:%M} UTC"
    PairLocks.lock_pair("ETH/USDT", until, reason, now=now)
    PairLocks.lock_pair("XRP/USDT", until, "by hand", now=now)
    yield folder / "bot.sqlite"
    Trade.session.remove()
    Trade.session.get_bind().dispose()


def observe(guards: dict[str, Guard], snapshot: Snapshot) -> None:
    for guard in guards.values():
        guard.observe(snapshot)


def rows(output: str) -> dict[str, list[str]]:
    """Cells of the table by the guard's name; a cell goes on in the lines below."""
    head, _, *lines = [line for line in output.splitlines() if line.strip()]
    starts = [head.index(name) for name in ("guard", "on  ", "state", "by")]
    found: dict[str, list[str]] = {}
    for line in lines:
        ends = [*starts[1:], None]
        cells = [line[start:end].strip() for start, end in zip(starts, ends, strict=True)]
        if cells[0]:
            found[name := cells[0]] = cells[1:]
        else:
            found[name] = [f"{a} {b}".strip() for a, b in zip(found[name], cells[1:], strict=True)]
    return found


@pytest.mark.usefixtures("database")
def test_table_shows_what_each_guard_remembers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["guards"]) == 0
    shown = rows(capsys.readouterr().out)
    assert list(shown) == GuardSettings.names()
    on, state, by = shown["DrawdownLadder"]
    assert (on, state) == ("on", "blocks all entries")
    numbers, _, until = by.partition(", until ")
    assert numbers == "DRAWDOWN 15 % (limit 12 %)"
    in_a_week = datetime.now(UTC) + timedelta(days=7)
    told = datetime.fromisoformat(until.replace(" UTC", "+00:00"))
    assert abs(told - in_a_week) < timedelta(minutes=2)
    state, by = shown["LossStreakBackoff"][1:]
    assert state == "blocks BTC/USDT"
    assert by.startswith("LOSS_STREAK 3 trades (limit 3 trades), until ")
    state, by = shown["VolatilityCooldown"][1:]
    assert state == "blocks ETH/USDT"
    assert by.startswith("VOLATILITY began at 1.9x (limit 1x), until ")
    assert shown["MarketShockHalt"][1:] == ["allows", ""]
    assert shown["PortfolioHeat"][:2] == ["on", "in the sizer"]


def test_table_shows_what_is_off_and_what_only_scales(
    folder: Path, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(folder, guards={"off": ["LossStreakBackoff"], "DrawdownLadder": {"halt_pct": 50}})
    memory = json.dumps({"peak": 10_000, "rung": 3, "drawdown_pct": 3.5, "halted_until": 0})
    edit(database, memory)
    assert main(["guards"]) == 0
    shown = rows(capsys.readouterr().out)
    assert shown["LossStreakBackoff"][:2] == ["OFF", ""]
    assert shown["EdgeDecay"][0] == "waits for a baseline of this strategy"
    assert shown["DrawdownLadder"] == [
        "on",
        "cuts sizes to 67 %",
        "DRAWDOWN 3.5 % (limit 3 %), until below 2.5 %",
    ]


BASELINE = {"mean_r": 0.3, "sd_r": 1.5, "trades": 400}


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("baseline", "ran", "on", "shown"),
    [
        ({"strategy": "Own"}, "Own", ["EdgeDecay"], "on"),
        ({"strategy": "Own"}, "Another", [], "waits for a baseline of this strategy"),
        ({}, "OfThePack", ["EdgeDecay"], "on"),
        ({}, "GuardedTheirs", [], "waits for a baseline of this strategy"),
    ],
)
def test_a_baseline_of_another_strategy_is_waited_for_as_the_bot_says(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    baseline: dict[str, str],
    ran: str,
    on: list[str],
    shown: str,
) -> None:
    """It was shown as on, under a strategy that it says nothing of."""
    configure(folder, guards={"EdgeDecay": {**BASELINE, **baseline}})
    journal = Journal(folder / "user_data" / "ballast_journal.dryrun.sqlite", JournalSettings())
    opened = datetime(2024, 3, 1, tzinfo=UTC)
    decision = Decision("ETH/USDT", opened, Outcome.NO_SIGNAL, "up", 1.0, 2.0)
    journal.write(Version("abcd1234", ran, "1h", "0.2.0", on, {}, {}), [decision], [])
    journal.file.engine.dispose()
    assert main(["guards"]) == 0
    assert rows(capsys.readouterr().out)["EdgeDecay"][0] == shown


def test_a_block_is_told_with_its_beginning_as_on_every_other_screen(
    folder: Path, database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(folder, guards={"DrawdownLadder": {"halt_pct": 50}})
    edit(database, json.dumps({"peak": 10_000, "rung": 3, "drawdown_pct": 2.6, "halted_until": 0}))
    engine = create_engine(f"sqlite:///{database}")
    begun = Beginnings(begun={"DrawdownLadder *": (3.0, 3.2)})
    StateStore(engine).write(BEGINNINGS, begun.model_dump_json(), "")
    engine.dispose()
    assert main(["guards"]) == 0
    _, _, by = rows(capsys.readouterr().out)["DrawdownLadder"]
    assert by == "DRAWDOWN began at 3.2 % (limit 3 %), now 2.6 %, until below 2.5 %"


def edit(database: Path, memory: str) -> None:
    with sqlite3.connect(database) as connection:
        statement = f"UPDATE {TABLE} SET memory = ? WHERE name = 'DrawdownLadder'"  # noqa: S608
        connection.execute(statement, (memory,))
    connection.close()


@pytest.mark.usefixtures("database")
def test_rearmed_ladder_resumes_at_its_smallest_step_with_the_reason_as_note(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["guards", "rearm", "DrawdownLadder", "--because", "withdrew 1500 USDT"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "DrawdownLadder is re-armed (cuts sizes to 11 %)" in said
    assert "adopts it at its next candle" in said
    assert main(["guards"]) == 0
    on, state, by = rows(capsys.readouterr().out)["DrawdownLadder"]
    assert (on, state) == ("on", "cuts sizes to 11 %")
    assert by.startswith("DRAWDOWN 15 % (limit 8 %), until below 7.5 % re-armed 20")
    assert by.endswith("UTC: withdrew 1500 USDT")


@pytest.mark.usefixtures("database")
def test_a_smaller_size_can_be_rearmed_too_and_what_holds_then_is_said(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a ladder that is not halted, and of an edge that has decayed to half sizes."""
    configure(folder, guards={"EdgeDecay": {"mean_r": 1.0}})
    store = StateStore(Trade.session.get_bind())
    store.write("EdgeDecay", json.dumps({"score": 9.0, "step": 2, "trades": 80}), "")
    ladder = {"peak": 10_000, "rung": 2, "drawdown_pct": 2.5, "halted_until": 0}
    store.write("DrawdownLadder", json.dumps(ladder), "")
    for name, share in (("EdgeDecay", 50), ("DrawdownLadder", 78)):
        cut = f"cuts sizes to {share} %"
        assert main(["guards"]) == 0
        assert rows(capsys.readouterr().out)[name][1] == cut
        assert main(["guards", "rearm", name, "--because", "looked at every trade"]) == 0
        assert f"{name} is re-armed (allows)" in " ".join(capsys.readouterr().out.split())
        assert main(["guards"]) == 0
        assert rows(capsys.readouterr().out)[name][1] == "allows"
        assert main(["guards", "rearm", name, "--because", "again"]) == 2
        assert f"{name} remembers no block and no smaller size" in capsys.readouterr().err


@pytest.mark.usefixtures("database")
def test_running_bot_adopts_what_was_rearmed_and_keeps_the_rest() -> None:
    store, guards = StateStore(Trade.session.get_bind()), GuardSettings().build(60)
    store.restore(guards)
    streak = guards["LossStreakBackoff"].memory.model_copy(deep=True)
    assert main(["guards", "rearm", "DrawdownLadder", "--because", "seen"]) == 0
    assert store.take_over_edits(guards) == ["DrawdownLadder"]
    snapshot = Snapshot(datetime.now(UTC), 8_500.0)
    assert guards["DrawdownLadder"].market_verdict(snapshot).multiplier == 0.11
    assert guards["LossStreakBackoff"].memory == streak


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["rearm", "DrawdownLader", "--because", "x"], "DrawdownLader is not a guard: expected"),
        (["rearm", "DrawdownLadder"], "--because is missing: say why DrawdownLadder"),
        (["rearm", "DrawdownLadder", "--because", " "], "--because is missing"),
        (["rearm"], "NAME"),
        (["rearm", "PortfolioHeat", "--because", "x"], "PortfolioHeat cannot be re-armed (keeps"),
        (["rearm", "EdgeDecay", "--because", "x"], "EdgeDecay cannot be re-armed (waits for a"),
        (["rearm", "VolatilityCooldown", "--because", "x"], "VolatilityCooldown remembers no"),
        (["rearm", "MarketShockHalt", "--because", "x"], "MarketShockHalt remembers no block"),
        (["disarm", "DrawdownLadder"], "invalid choice: 'disarm'"),
        (["--db-url", "sqlite:///nowhere.sqlite"], "nowhere.sqlite: there is no such database"),
        (
            ["--db-url", "nowhere"],
            "--db-url 'nowhere' is no database URL: expected one such as sqlite:///",
        ),
        (["--db-url", "oracel://x"], "--db-url 'oracel://x' is no database URL"),
        (["--db-url", "sqlite:///config.json"], "config.json cannot be read: "),
        (["-c", "nowhere.json"], "--config nowhere.json is not a file"),
        (["-c", "bot.sqlite"], "--config bot.sqlite: "),
    ],
)
@pytest.mark.usefixtures("database")
def test_bad_input_is_answered_in_one_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    store = StateStore(Trade.session.get_bind())
    before = store.rows(), {path.name for path in folder.iterdir()}
    assert main(["guards", *arguments]) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert (store.rows(), {path.name for path in folder.iterdir()}) == before


def test_database_of_another_strategy_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And left as it is: no table is made in it."""
    other = create_engine("sqlite:///bot.sqlite")
    with other.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE trades (id INTEGER)")
    before = (folder / "bot.sqlite").read_bytes()
    assert main(["guards"]) == 2
    assert f"bot.sqlite has no table {TABLE}: expected" in capsys.readouterr().err
    assert (folder / "bot.sqlite").read_bytes() == before


def test_wrong_settings_are_answered_in_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(folder, guards={"off": ["Seatbelt"]})
    assert main(["guards"]) == 2
    assert "Seatbelt" in capsys.readouterr().err


def test_guard_without_readable_memory_cannot_be_rearmed(
    database: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(database, "oops")
    assert main(["guards", "rearm", "DrawdownLadder", "--because", "x"]) == 2
    assert "DrawdownLadder has no readable memory" in capsys.readouterr().err
    assert main(["guards"]) == 0
    assert rows(capsys.readouterr().out)["DrawdownLadder"][1] == "nothing stored"


@pytest.mark.usefixtures("database")
def test_it_runs_as_a_module_and_finds_the_usual_database(folder: Path) -> None:
    """Without a URL anywhere, that of Freqtrade for the mode of the configuration."""
    Trade.session.remove()
    Trade.session.get_bind().dispose()
    (folder / "bot.sqlite").rename(folder / "tradesv3.sqlite")
    (folder / "config.json").write_text('{"dry_run": false}', encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "ballast", "guards"],
        env={**os.environ, "PYTHONPATH": python_path(ROOT / "strategies")},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert rows(done.stdout)["DrawdownLadder"][1] == "blocks all entries"
