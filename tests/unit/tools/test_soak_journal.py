"""What rested against what was planned, and losses against what was decided, from made journals."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from ballast.journal.tables import EVENTS, create_tables
from tests.exchange import START_MS, SYMBOL, Desk, Row, table
from tools import soak_truth
from tools.soak_journal import Plans, Written, differing_s, over_decided, read_plans

STILL: Row = (100, 100, 100, 100, 6000)
TICK = 0.01


@pytest.fixture
def desk() -> Desk:
    return Desk(table([STILL] * 8))


def position(desk: Desk) -> soak_truth.Position:
    end_ms = desk.exchange.market.clock.now_ms()
    (found,) = soak_truth.positions(SYMBOL, desk.exchange.orders, end_ms)
    return found


def planned(*stops: tuple[float, float]) -> Plans:
    """Stops by the minute from which they are planned."""
    return Plans({SYMBOL: [Written(round(START_MS + 60_000 * m), stop) for m, stop in stops]}, {})


def unlike(desk: Desk, plans: Plans, away: tuple[tuple[int, int], ...] = ()) -> float:
    now_ms = desk.exchange.market.clock.now_ms()
    return differing_s(position(desk), desk.exchange.orders, plans, TICK, away, now_ms)


def test_a_stop_that_rests_as_planned_is_as_planned_within_a_tick(desk: Desk) -> None:
    desk.place("BUY", 2)
    desk.place("SELL", 1.998, 80, stop=95)
    desk.go_to(20)
    assert unlike(desk, planned((0, 95.009))) == 0
    assert unlike(desk, planned((0, 95.02))) == 1200


def test_a_raised_plan_differs_until_the_stop_follows(desk: Desk) -> None:
    desk.place("BUY", 2)
    first = desk.place("SELL", 1.998, 80, stop=95)
    desk.go_to(7)
    desk.exchange.cancel(first)
    desk.place("SELL", 1.998, 80, stop=97)
    desk.go_to(20)
    assert unlike(desk, planned((0, 95), (5, 97))) == 120


def test_no_stop_and_no_plan_are_unlike_the_plan(desk: Desk) -> None:
    desk.place("BUY", 2)
    desk.go_to(10)
    assert unlike(desk, planned((0, 95))) == 600
    desk.place("SELL", 1.998, 80, stop=95)
    desk.go_to(20)
    assert unlike(desk, planned()) == 1200


def test_time_without_a_bot_is_not_counted(desk: Desk) -> None:
    desk.place("BUY", 2)
    desk.go_to(10)
    gone = ((START_MS + 60_000, START_MS + 540_000),)
    assert unlike(desk, planned((0, 95)), gone) == 120


def test_a_position_that_is_being_left_needs_no_stop(desk: Desk) -> None:
    desk.place("BUY", 2)
    desk.go_to(2)
    desk.place("SELL", 1.998, 150)
    desk.go_to(20)
    assert unlike(desk, planned((0, 95))) == 120


def test_a_loss_is_measured_by_what_its_entry_was_decided_to_lose(
    desk: Desk, tmp_path: Path
) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'ballast_journal.x.sqlite'}")
    create_tables(engine)
    at = datetime.fromtimestamp(START_MS / 1000, UTC).replace(tzinfo=None)
    sized = {"at": at, "code": "RISK_AT_STOP", "pair": "AAA/USDT", "trade_id": None, "limit": None}
    facts = json.dumps({"loss_ratio": 0.05})
    with engine.begin() as connection:
        for kind, value in (("sized", 4.0), ("stop", 95.0), ("order", 1.0)):
            row = {**sized, "kind": kind, "value": value, "facts": facts}
            connection.execute(EVENTS.insert(), row)
    plans = read_plans(tmp_path)
    assert plans == Plans({SYMBOL: [Written(START_MS, 95.0)]}, {SYMBOL: [Written(START_MS, 0.2)]})
    desk.place("BUY", 2)
    assert over_decided([position(desk)], plans) == []
    desk.go_to(5)
    desk.place("SELL", 1.998)
    assert over_decided([position(desk)], plans) == [pytest.approx(position(desk).loss / 0.2)]


def test_plans_are_in_order_though_a_fill_was_noticed_again_later(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'ballast_journal.x.sqlite'}")
    create_tables(engine)
    of_all = {"kind": "stop", "code": "S", "pair": "AAA/USDT", "trade_id": 1, "limit": None}
    with engine.begin() as connection:
        for minute, value in ((0, 95.0), (9, 97.0), (0, 95.0)):
            at = datetime.fromtimestamp(START_MS / 1000 + 60 * minute, UTC).replace(tzinfo=None)
            row = {**of_all, "at": at, "value": value, "facts": "{}"}
            connection.execute(EVENTS.insert(), row)
    assert [plan.value for plan in read_plans(tmp_path).stops[SYMBOL]] == [95.0, 95.0, 97.0]


def test_a_folder_without_a_journal_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no journal in"):
        read_plans(tmp_path)
