"""`python -m ballast holdings`: a person says which coins are theirs, and the bot believes it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from ballast.__main__ import main
from ballast.execution.holdings import ROW, Holdings
from ballast.risk.state_store import StateStore


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StateStore]:
    """The database of a bot that has seen its account."""
    monkeypatch.chdir(tmp_path)
    config = {"dry_run": False, "db_url": "sqlite:///bot.sqlite"}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    engine = create_engine("sqlite:///bot.sqlite")
    store = StateStore(engine)
    held = Holdings(since=0.0, units={"BTC": 0.5, "ETH": 0.0})
    store.write(ROW, held.model_dump_json(), "")
    yield store
    engine.dispose()


def kept(store: StateStore) -> dict[str, float]:
    return Holdings.model_validate_json(store.rows()[ROW]["memory"]).units


def test_it_shows_what_is_the_owners(store: StateStore, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["holdings"]) == 0
    shown = capsys.readouterr().out
    assert "BTC" in shown
    assert "0.5" in shown


def test_a_change_is_kept_with_its_reason(
    store: StateStore, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["holdings", "--own", "ETH", "2.25", "--because", "a deposit"]) == 0
    assert kept(store) == {"BTC": 0.5, "ETH": 2.25}
    assert store.rows()[ROW]["note"] == "ETH 0 became 2.25: a deposit"
    assert "a deposit" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--own", "XRP", "1", "--because", "x"], "--own XRP is not traded here: expected one of"),
        (["--own", "BTC", "-1", "--because", "x"], "--own BTC -1: expected units from 0"),
        (["--own", "BTC", "many", "--because", "x"], "--own BTC many: expected units from 0"),
        (["--own", "BTC", "inf", "--because", "x"], "--own BTC inf: expected units from 0"),
        (["--own", "BTC", "1"], "--because is missing"),
    ],
)
def test_what_cannot_be_is_one_sentence_and_changes_nothing(
    arguments: list[str], sentence: str, store: StateStore, capsys: pytest.CaptureFixture[str]
) -> None:
    before = store.rows()[ROW]
    assert main(["holdings", *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"ballast: {sentence}")
    assert store.rows()[ROW] == before


def test_a_database_without_an_account_says_so(
    tmp_path: Path, store: StateStore, capsys: pytest.CaptureFixture[str]
) -> None:
    StateStore(create_engine("sqlite:///paper.sqlite"))
    assert main(["holdings", "--db-url", "sqlite:///paper.sqlite"]) == 2
    assert "no holdings in this database" in capsys.readouterr().err
