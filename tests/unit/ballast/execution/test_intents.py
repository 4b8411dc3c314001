"""What was decided about an entry is written down with it, and known again after a restart."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from ballast.core.backoff import Backoff
from ballast.execution.intents import ROW, Intents
from ballast.risk.proposals import OrderProposals, SentEntry
from ballast.risk.state_store import StateStore

PAIR, OTHER = "AAA/USDT", "BBB/USDT"
NOW = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> StateStore:
    return StateStore(create_engine(f"sqlite:///{tmp_path / 'trades.sqlite'}"))


def intents(store: StateStore, proposals: OrderProposals) -> Intents:
    """As a process has them that was just started on a database; no exchange is asked."""
    nobody: Any = None
    backoff = Backoff(timedelta(seconds=30), timedelta(hours=1))
    return Intents(store, nobody, backoff, proposals, nobody, nobody)


def test_the_stop_and_the_setup_of_an_entry_outlive_the_process(store: StateStore) -> None:
    proposals = OrderProposals()
    first = intents(store, proposals)
    for pair, stop in ((PAIR, 96.0), (OTHER, 9.6), (PAIR, 97.0)):
        proposals.recall(SentEntry(pair, "Mini", stop))
        first.note(pair, 1.0, 100.0, "Mini: high", NOW)
    recalled = OrderProposals()
    intents(store, recalled)
    assert recalled.sent(PAIR) == SentEntry(PAIR, "Mini", 97.0)
    assert recalled.sent(OTHER) == SentEntry(OTHER, "Mini", 9.6)


def test_what_was_decided_stays_when_the_entry_is_struck_out(store: StateStore) -> None:
    """Its order is recorded, and may fill much later."""
    proposals = OrderProposals()
    proposals.recall(SentEntry(PAIR, "Mini", 96.0))
    first = intents(store, proposals)
    first.note(PAIR, 1.0, 100.0, "Mini: high", NOW)
    first._keep([])
    recalled = OrderProposals()
    restarted = intents(store, recalled)
    assert restarted._row.intents == []
    assert recalled.sent(PAIR) == SentEntry(PAIR, "Mini", 96.0)


def test_entries_written_down_by_an_older_version_are_still_open(store: StateStore) -> None:
    old = {"pair": PAIR, "amount": 1.0, "rate": 100.0, "tag": "Mini: high", "sent": 1.0}
    store.write(ROW, json.dumps({"intents": [{**old, "failed": False}]}), "")
    proposals = OrderProposals()
    restarted = intents(store, proposals)
    assert [intent.pair for intent in restarted._row.intents] == [PAIR]
    assert proposals.sent(PAIR) is None
