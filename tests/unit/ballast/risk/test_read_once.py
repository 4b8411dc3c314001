"""What is read once is what a new reading would give, whoever has written meanwhile."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from freqtrade.persistence import Trade, init_db
from sqlalchemy import event
from sqlalchemy.engine import Engine

from ballast.risk.read_once import read_anew, read_once

OPENED = datetime(2024, 1, 3, 12, tzinfo=UTC)


def trade(pair: str) -> Trade:
    return Trade(
        pair=pair,
        exchange="binance",
        stake_amount=100.0,
        amount=1.0,
        open_rate=100.0,
        fee_open=0.001,
        fee_close=0.001,
        open_date=OPENED,
        is_open=True,
    )


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """A database with one open trade."""
    file = tmp_path / "trades.sqlite"
    init_db(f"sqlite:///{file}")
    Trade.session.add(trade("AAA/USDT"))
    Trade.commit()
    yield file
    Trade.session.remove()


def pairs() -> list[str]:
    """As they are read once; a new reading must find the same."""
    found = [trade.pair for trade in read_once(Trade.get_open_trades)]
    assert found == [trade.pair for trade in Trade.get_open_trades()]
    return found


def statements(asked: Callable[[], object]) -> int:
    made: list[object] = []

    def noted(*of: object) -> None:
        made.append(of)

    event.listen(Engine, "before_cursor_execute", noted)
    try:
        asked()
    finally:
        event.remove(Engine, "before_cursor_execute", noted)
    return len(made)


def test_what_nobody_has_written_to_is_read_once(path: Path) -> None:
    assert pairs() == ["AAA/USDT"]
    assert read_once(Trade.get_total_closed_profit) == 0
    assert statements(lambda: read_once(Trade.get_open_trades)) == 0
    assert statements(lambda: read_once(Trade.get_total_closed_profit)) == 0


def test_what_this_thread_flushes_commits_and_takes_back_is_read(path: Path) -> None:
    assert pairs() == ["AAA/USDT"]
    Trade.session.add(trade("BBB/USDT"))
    assert pairs() == ["AAA/USDT"]
    Trade.session.flush()
    assert pairs() == ["AAA/USDT", "BBB/USDT"]
    Trade.rollback()
    assert pairs() == ["AAA/USDT"]
    (opened,) = Trade.get_open_trades()
    opened.is_open, opened.close_profit_abs = False, 3.0
    Trade.commit()
    assert pairs() == []
    assert read_once(Trade.get_total_closed_profit) == 3.0


def test_what_another_thread_commits_is_read_at_once_and_each_has_its_own_trades(
    path: Path,
) -> None:
    """An order of Telegram's or the API's is given in a thread of theirs."""
    mine = read_once(Trade.get_open_trades)
    theirs: list[Trade] = []

    def ordered() -> None:
        theirs.extend(read_once(Trade.get_open_trades))
        Trade.session.add(trade("BBB/USDT"))
        Trade.commit()
        Trade.session.remove()

    thread = threading.Thread(target=ordered)
    thread.start()
    thread.join()
    assert theirs[0] is not mine[0]
    assert pairs() == ["AAA/USDT", "BBB/USDT"]


def test_what_another_process_writes_is_read_when_a_loop_begins(path: Path) -> None:
    assert pairs() == ["AAA/USDT"]
    with closing(sqlite3.connect(path)) as other:
        other.execute("UPDATE trades SET is_open = 0")
        other.commit()
    assert len(read_once(Trade.get_open_trades)) == 1
    read_anew()
    assert pairs() == []
