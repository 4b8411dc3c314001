"""Each trade carries how long its entry took, and a command sums it up from the database."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from freqtrade.persistence import Trade

from ballast.__main__ import main
from ballast.core.events import EventKind
from ballast.core.latency import of_text
from tests.behaviour.live_story import Shy, story_run


def summed_up(folder: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, list[str]]:
    """Cells of the printed tables by their first one."""
    config = {"dry_run": False, "db_url": f"sqlite:///{folder / 'trades.sqlite'}"}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert main(["latency", "-c", str(folder / "config.json"), *more]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    rows: dict[str, list[str]] = {}
    for line in lines:
        first, *cells = re.split(r"\s{2,}", line.strip())
        rows.setdefault(first, []).extend(cells)
    return rows


def test_every_stage_of_an_entry_is_recorded_with_its_trade(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with story_run(tmp_path) as told:
        told.loops(3)
        (event,) = [event for event in told.events if event.code == "ENTRY"]
        assert event.kind is EventKind.LATENCY
        closed, record = of_text(told.trade.get_custom_data("latency"))
        # The clock stands still within a loop, and the stop is placed with the fill.
        stages = ("received", "analysed", "gate", "sent", "acknowledged", "first_fill", "filled")
        at_once = dict.fromkeys((*stages, "stop_live"), 1.0)
        assert closed == datetime(2024, 1, 26, 3, tzinfo=UTC)
        assert record == at_once
        assert (event.trade_id, event.value) == (told.trade.id, 1.0)
        told.leave()
        told.loops(2)
        assert not told.trade.is_open
        rows = summed_up(tmp_path, capsys)
    assert rows["order sent"] == ["1", "1.00", "1.00", "1.00", "1.00", "0.00", "0.00", "0.00"]
    assert rows["stop on the exchange"][:5] == ["1", "1.00", "1.00", "1.00", "1.00"]
    assert rows["1"] == ["0.00", "0.00", "0.00", "0.00"]


def test_a_part_that_filled_counts_as_uncovered_from_its_first_fill(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with story_run(tmp_path, hooks=Shy(buy=0.4)) as told:
        told.loops(7)
        _, record = of_text(told.trade.get_custom_data("latency"))
        assert record["first_fill"] == 6.0
        assert record["stop_live"] == 21.0
        Trade.commit()
        rows = summed_up(tmp_path, capsys)
    assert rows["1"] == ["15.00"] * 4


def test_a_wrong_argument_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["latency", "--days", "0"]) == 2
    assert capsys.readouterr().err == "ballast: --days is 0: expected a number above 0\n"
