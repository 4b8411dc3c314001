"""The journal as tables: every row of it, in columns that say what they are."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ballast.__main__ import main
from ballast.config.settings import JournalSettings
from ballast.journal import read
from ballast.journal.store import Journal
from tests.engine import ROOT
from tests.unit.ballast.commands.test_journal import NO_SIGNAL, VERSION, later, written
from tests.unit.ballast.ops.test_panel import ACCOUNT

NOTEBOOK = ROOT / "docs" / "notebooks" / "journal.ipynb"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    journal = Journal(tmp_path / "journal.sqlite", JournalSettings())
    rows, events = written()
    journal.write(VERSION, rows, events, [ACCOUNT])
    journal.file.engine.dispose()
    return journal.file.path


def test_each_decision_is_a_row_with_the_rules_that_are_unmet(path: Path) -> None:
    frame = read.decisions(path)
    rows, _ = written()
    assert len(frame) == len(rows)
    first = frame.iloc[0]
    assert (first["pair"], first["outcome"]) == (NO_SIGNAL.pair, "NO_SIGNAL")
    assert first["candle"] == pd.Timestamp(NO_SIGNAL.candle)
    assert first["unmet"] == "breakout"
    assert first["trust"] == "OK"
    entered = frame[frame["outcome"] == "ENTERED"].iloc[0]
    assert (entered["trade_id"], entered["bound_by"], entered["unmet"]) == (4, "RISK_AT_STOP", "")
    assert set(frame["blocked_by"]) >= {"DailyLossLimit"}


def test_each_account_is_a_row_with_its_gauges_and_their_limits(path: Path) -> None:
    (row,) = read.accounts(path).to_dict("records")
    assert (row["state"], row["equity"], row["multiplier"]) == ("HALTED", 10_630.0, 0.0)
    assert (row["PORTFOLIO_HEAT"], row["PORTFOLIO_HEAT_limit"]) == (1.2, 2.0)
    assert (row["positions"], row["risk"]) == (1, 55.0)


def test_a_beginning_cuts_off_what_was_before_it(path: Path) -> None:
    since = later(3)
    for frame, moment in (
        (read.decisions(path, since=since), "candle"),
        (read.events(path, since=since), "at"),
    ):
        assert len(frame)
        assert frame[moment].min() >= pd.Timestamp(since)


@pytest.mark.parametrize("table", ["decisions", "accounts", "events"])
def test_export_writes_what_read_gives(
    path: Path, tmp_path: Path, table: str, capsys: pytest.CaptureFixture[str]
) -> None:
    expected: pd.DataFrame = getattr(read, table)(path)
    assert main(["export", table, "--journal", str(path)]) == 0
    told = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(told) == len(expected)
    assert list(told[0]) == list(expected.columns)
    target = tmp_path / "out" / "table.csv"
    assert main(["export", table, "--journal", str(path), "--csv", str(target)]) == 0
    assert len(target.read_text(encoding="utf-8").splitlines()) == len(expected) + 1


def test_nothing_to_export_is_one_sentence(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["export", "accounts", "--journal", str(path), "--since", "2030-01-01"]
    assert main(line) == 2
    assert "the journal has no accounts since 2030-01-01" in capsys.readouterr().err


def test_the_notebook_runs_on_a_journal(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    names: dict[str, Any] = {}
    named = "user_data/ballast_journal.dryrun.1a2b3c4d.sqlite"
    assert code[0].count(named) == 1
    for cell in code:
        exec(cell.replace(named, str(path)), names)  # noqa: S102 - the repository's own
    assert len(names["decisions"])
    assert len(names["daily"].columns)
