"""A plan is what was decided and all that happened since, whoever asks and after every restart."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from freqtrade.persistence import Trade, init_db
from sqlalchemy import create_engine

from ballast.core.columns import CandleColumns
from ballast.core.reasons import Reason
from ballast.core.sizing import Sized
from ballast.core.stops import StopRules
from ballast.core.verdict import ALLOW
from ballast.risk.proposals import OrderProposal, OrderProposals, SentEntry
from ballast.risk.state_store import StateStore
from ballast.risk.stop_manager import INITIAL_STOP, StopManager, StopMove
from ballast.risk.stop_plans import ROW, StopPlanStore, _Row

PAIR = "AAA/USDT"
START = datetime(2024, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
# Bought at 100 with a stop at 96; then up to 120, and down to 115, with an ATR of 2.
CLOSES = [100.0, 105.0, 112.0, 120.0, 117.0, 115.0, 115.0]
RULES = StopRules(initial_atr=2, chandelier_atr=3, chandelier_slack_atr=1)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "trades.sqlite"
    init_db(f"sqlite:///{path}")
    yield path
    Trade.session.remove()
    Trade.session.get_bind().dispose()


def columns(closes: list[float] = CLOSES, first: int = 0) -> CandleColumns:
    """Candles from the `first` on."""
    dates = pd.Series(pd.date_range(START, periods=len(closes), freq="1h"))
    by_name = {
        "close": pd.Series(closes),
        "atr": pd.Series([2.0] * len(closes)),
        "trust": pd.Series([0] * len(closes)),
    }
    kept = {name: values[first:].to_numpy() for name, values in by_name.items()}
    return CandleColumns(dates[first:].reset_index(drop=True), "1h", kept)


def trade(**settings: Any) -> Trade:
    """Bought when the first candle had ended."""
    made = Trade(
        pair=PAIR,
        open_rate=100.0,
        open_date=START + HOUR,
        amount=10.0,
        amount_requested=10.0,
        stake_amount=1_000.0,
        fee_open=0.0,
        fee_close=0.0,
        exchange="binance",
        enter_tag="Mini: high",
        price_precision=0.01,
        precision_mode_price=4,
        **settings,
    )
    made.adjust_stop_loss(100.0, -0.1, initial=True)
    Trade.session.add(made)
    Trade.commit()
    return made


def manager(
    path: Path | None,
    candles: CandleColumns | None,
    *,
    sent: SentEntry | None = None,
    moves: list[StopMove] | None = None,
) -> StopManager:
    """As a process has it that was just started on a database."""
    proposals = OrderProposals()
    if sent is not None:
        proposals.recall(sent)
    made = StopManager(
        lambda _: candles,
        lambda _: RULES,
        proposals,
        lambda: 0.1,
        lambda _: 0.003,
        *([moves.append] if moves is not None else []),
    )
    if path is not None:
        made.remember_in(StopPlanStore(store_of(path)))
    return made


def store_of(path: Path) -> StateStore:
    return StateStore(create_engine(f"sqlite:///{path}"))


SENT = SentEntry(PAIR, "Mini", 96.0)


def at(candle: int) -> datetime:
    """When a candle has ended."""
    return START + HOUR * (candle + 1)


def test_a_restart_keeps_the_chandelier_although_its_high_is_no_longer_handed_out(
    database: Path,
) -> None:
    """Freqtrade hands out the last thousand candles: here those since the high of 120."""
    held = trade()
    before = manager(database, columns(), sent=SENT)
    before.opened(held, at(0))
    assert before.stop(held, at(5)) == 120 - 8
    before.keep({held.id})
    after = manager(database, columns(first=4))
    assert after.stop(held, at(6)) == 112.0
    plan = after._managed[held.id].plan
    assert (plan.chandelier, plan.highest_close) == (114.0, 120.0)
    # What it would be without being kept: from 115 and 117 alone.
    anew = manager(None, columns(first=4))
    anew.stop(held, at(6))
    assert anew._managed[held.id].plan.chandelier == 111.0


def test_a_restart_between_two_candles_counts_none_twice_and_none_not(database: Path) -> None:
    held = trade()
    whole = manager(None, columns(), sent=SENT)
    whole.opened(held, at(0))
    expected = [whole.stop(held, at(candle)) for candle in range(7)]
    for restart in range(7):
        first = manager(database, columns(), sent=SENT)
        first.opened(held, at(0))
        found = [first.stop(held, at(candle)) for candle in range(restart)]
        first.keep({held.id})
        second = manager(database, columns())
        found += [second.stop(held, at(candle)) for candle in range(restart, 7)]
        assert found == pytest.approx(expected)


def test_a_stop_raised_by_no_candle_survives_a_restart(database: Path) -> None:
    """The heat limit draws stops closer, and Freqtrade may not know of it yet."""
    held = trade()
    before = manager(database, columns(), sent=SENT)
    before.opened(held, at(0))
    before.tighten(held, 99.0, "PORTFOLIO_HEAT", at(0))
    before.keep({held.id})
    assert manager(database, columns()).stop(held, at(0)) == 99.0


def test_the_stop_that_was_decided_is_taken_up_before_any_candle_is_analysed(
    database: Path,
) -> None:
    """An entry that filled while the bot was dead is booked at start."""
    held = trade()
    plan = manager(database, None, sent=SENT).opened(held, at(0))
    assert plan is not None
    assert (plan.initial_stop, plan.stop) == (96.0, 96.0)
    assert manager(database, None).stop(held, at(0)) == 96.0


def test_candles_between_a_fill_and_the_notice_of_it_move_the_stop(database: Path) -> None:
    held = trade()
    late = manager(database, None, sent=SENT)
    late.opened(held, at(0))
    late._columns_of = lambda _: columns()
    assert late.stop(held, at(3)) == 112.0


def test_what_is_not_known_yet_is_not_taken_for_known(database: Path) -> None:
    """No proposal and no candles: the disaster stop answers, and R is not made of it for ever."""
    held = trade()
    unknown = manager(database, None)
    assert unknown.opened(held, at(0)) is None
    assert unknown.stop(held, at(0)) == 90.0
    unknown._columns_of = lambda _: columns()
    assert unknown.stop(held, at(0)) == 100 - 2 * 2.0
    held.exit_reason, held.close_profit = "time_stop", -0.02
    assert unknown.result_in_r(held) == pytest.approx(-0.5)


def test_the_first_stop_of_a_trade_from_before_plans_were_kept_is_that_of_its_data(
    database: Path,
) -> None:
    held = trade()
    held.set_custom_data(INITIAL_STOP, 95.5)
    assert manager(database, columns()).stop(held, at(0)) == 95.5


def test_a_plan_is_not_that_of_a_later_trade_with_the_same_number(database: Path) -> None:
    """SQLite gives the number of a deleted trade again."""
    held = trade()
    first = manager(database, columns(), sent=SENT)
    first.opened(held, at(0))
    held.open_rate = 50.0
    assert manager(database, None).stop(held, at(0)) == 90.0


def test_a_fill_that_is_noticed_again_does_not_begin_the_plan_anew(database: Path) -> None:
    """Freqtrade does so where it looks for a lost order: a raised stop went back to the first."""
    held, moves = trade(), list[StopMove]()
    found = manager(database, columns(), sent=SENT, moves=moves)
    found.opened(held, at(0))
    found.tighten(held, 99.0, "PORTFOLIO_HEAT", at(0))
    told = len(moves)
    plan = found.opened(held, at(0))
    assert plan is not None
    assert plan.stop == 99.0
    assert len(moves) == told


def test_plans_of_trades_that_are_closed_are_forgotten(database: Path) -> None:
    held = trade()
    kept = manager(database, columns(), sent=SENT)
    kept.opened(held, at(0))
    kept.keep(set())
    assert StopPlanStore(store_of(database)).of(held) is None


def test_plans_that_cannot_be_read_are_made_anew_and_said(
    database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    held = trade()
    store_of(database).write(ROW, "[1", "")
    with caplog.at_level(logging.ERROR):
        restarted = manager(database, columns(), sent=SENT)
    assert "the stored StopPlans is unreadable" in caplog.text
    assert restarted.stop(held, at(0)) == 96.0


def raised(database: Path, to: float = 104.0) -> tuple[Trade, StopManager]:
    held = trade()
    found = manager(database, columns([100.0] * 7), sent=SENT)
    found.opened(held, at(0))
    found.tighten(held, to, "BREAK_EVEN", at(0))
    return held, found


@pytest.mark.parametrize("candle", range(7))
@pytest.mark.parametrize("resting", [0.0, 96.0, 103.98])
def test_a_stop_through_the_market_is_left_however_long_ago_it_was_raised(
    resting: float, candle: int, database: Path
) -> None:
    held, found = raised(database)
    assert found.through_market(held, at(candle), 104.0, resting) == Reason.STOP_THROUGH_MARKET
    assert found.through_market(held, at(candle), 104.01, resting) is None


@pytest.mark.parametrize("resting", [104.0, 104.01, 110.0])
def test_a_stop_that_rests_at_its_level_deals_with_it(resting: float, database: Path) -> None:
    held, found = raised(database)
    assert found.through_market(held, at(0), 103.0, resting) is None


def test_within_a_tick_is_at_its_level(database: Path) -> None:
    held, found = raised(database, 104.006)
    assert found.through_market(held, at(0), 103.0, 104.0) is None
    assert found.through_market(held, at(0), 103.0, 103.99) == Reason.STOP_THROUGH_MARKET


def test_where_no_stop_rests_on_an_exchange_every_stop_through_the_market_is_left(
    database: Path,
) -> None:
    held, found = raised(database)
    assert found.through_market(held, at(0), 103.0, None) == Reason.STOP_THROUGH_MARKET


def test_dust_lost_no_more_of_an_r_than_it_was_of_the_order(database: Path) -> None:
    """Of ten coins a hundredth was bought; it is lost whole, at 25 times its own R."""
    held = trade()
    found = manager(database, columns(), sent=SENT)
    found.opened(held, at(0))
    held.amount, held.exit_reason = 0.1, "dust"
    held.close_profit, held.close_profit_abs = -1.0, -10.0
    assert found.result_in_r(held) == pytest.approx(-10.0 / (10 * 4.0))


def test_an_entry_that_was_sent_outlives_proposals_that_were_not() -> None:
    proposals = OrderProposals()
    assert proposals.sent(PAIR) is None
    sized = Sized(stake=100.0, binding=Reason.RISK_AT_STOP, loss_ratio=0.05)
    first = OrderProposal(PAIR, 0, "Mini", 96.0, sized, ALLOW)
    proposals.send(first)
    proposals.drop(PAIR)
    proposals.keep(OrderProposal(PAIR, 1, "Other", 80.0, sized, ALLOW))
    assert proposals.sent(PAIR) == SentEntry(PAIR, "Mini", 96.0)


def test_a_moved_stop_is_told_with_where_it_was(database: Path) -> None:
    held = trade()
    moves: list[StopMove] = []
    found = manager(database, columns(), sent=SENT, moves=moves)
    found.opened(held, at(0))
    found.stop(held, at(1))
    first, move = moves
    assert (first.stop, first.code, first.at) == (96.0, Reason.FIRST_STOP, at(0))
    assert (move.before, move.stop, move.code) == (96.0, 97.0, Reason.CHANDELIER)
    assert math.isfinite(move.stop)


def test_plans_from_before_there_was_a_parabolic_sar_are_taken_up(database: Path) -> None:
    held = trade()
    before = manager(database, columns(), sent=SENT)
    before.opened(held, at(0))
    assert before.stop(held, at(5)) == 112.0
    before.keep({held.id})
    row = store_of(database).read(ROW, _Row)
    assert row is not None
    written = json.loads(row.model_dump_json())
    (kept,) = written["plans"].values()
    del kept["sar"]
    store_of(database).write(ROW, json.dumps(written), "")
    after = manager(database, columns(first=4))
    assert after.stop(held, at(6)) == 112.0
    assert after.plan(held, at(6)).highest_close == 120.0
