"""Parts of a position that its setup sells: each once, and what is left keeps its stop.

Bought at row 3 of every story, for 101 after a signal candle that closed at 100.9 with an ATR of 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from freqtrade.exceptions import OperationalException

from ballast.core.decision import Outcome
from ballast.core.events import EventKind
from ballast.core.exits import sell
from ballast.core.stops import StopRules
from ballast.journal.reader import Reader
from ballast.research.drift import record
from ballast.research.report import trades
from ballast.research.report.export import trades_of
from ballast.risk.planned_exits import PlannedExits
from ballast.risk.stop_manager import StopManager
from ballast.strategy.guarded import GuardedStrategy
from sandbox.errors import ApiError
from sandbox.hooks import Hooks
from sandbox.orders import OrderRequest, OrderType, Side
from sandbox.units import UNIT
from tests.behaviour.live_story import LostAnswers, Told, story_run
from tests.behaviour.mini import FEE, Mini, Story, at, play, quiet, seen, signal
from tests.behaviour.test_fail_closed_live import lost
from tests.behaviour.waiting_entry import resting
from tests.engine import BacktestOutcome
from tests.journals import journal_in

BOUGHT: Story = [*quiet(2), signal(), (101, 101.4, 100.8, 101.2)]
# Half a dollar a candle, from 101.2 on, with a true range of 1.
RISE: Story = [(101.2 + n / 2, 101.9 + n / 2, 100.9 + n / 2, 101.7 + n / 2) for n in range(20)]
FALL: Story = [(111.2, 111.3, 95, 96), *quiet(2, 96)]
HALF = {"half": sell(share=0.5, at="1R")}


def selling(
    exits: dict[str, Any], stops: StopRules = Mini.stops, **attributes: Any
) -> type[GuardedStrategy]:
    def exit_rules(self: Any, pair: Any, market: Any) -> Any:
        return exits

    named = {"stops": stops, "exit_rules": exit_rules, "__module__": __name__, **attributes}
    return type("Parts", (Mini,), named)


def sales(outcome: BacktestOutcome) -> list[tuple[str, float, float]]:
    """Of the first trade: reason, share of what was bought, and hours after row 0."""
    trade = outcome.closed_trades[0]
    (bought,) = trade.select_filled_orders("buy")
    return [
        (
            str(order.ft_order_tag).partition(" asked=")[0],
            round(order.safe_filled / bought.safe_filled, 6),
            (order.order_filled_utc - at(0)).total_seconds() / 3600,
        )
        for order in trade.select_filled_orders("sell")
    ]


def risk_of(outcome: BacktestOutcome) -> float:
    return float(101 - (100.9 - 4 * seen(outcome, 2)["atr"]))


def first_close(outcome: BacktestOutcome, price: float) -> int:
    """The row of the story that closes at a price or above, after the entry."""
    return next(row for row in range(3, 24) if seen(outcome, row)["close"] >= price)


def test_a_share_is_sold_once_and_the_rest_keeps_its_stop() -> None:
    outcome = play([*BOUGHT, *RISE, *FALL], selling(HALF))
    first = first_close(outcome, 101 + risk_of(outcome)) + 1
    # The last row is the fall, through a stop that has not moved.
    assert sales(outcome) == [("Parts: half", 0.5, first), ("stop_loss", 0.5, 24)]
    (trade,) = outcome.closed_trades
    part, rest = trade.select_filled_orders("sell")
    assert part.safe_price == pytest.approx(seen(outcome, first)["open"])
    assert rest.safe_price == pytest.approx(101 - risk_of(outcome), abs=1e-3)


def test_each_share_is_sold_at_its_own_profit_and_the_rest_by_the_sale_of_all() -> None:
    thirds = {
        "first": sell(share=1 / 3, at="1R"),
        "second": sell(share=1 / 3, at="2R"),
        "all": sell(after="19h"),
    }
    outcome = play([*BOUGHT, *RISE, *quiet(3, 111)], selling(thirds))
    rows = [first_close(outcome, 101 + n * risk_of(outcome)) + 1 for n in (1, 2)]
    third = pytest.approx(1 / 3, abs=1e-5)
    assert sales(outcome) == [
        ("Parts: first", third, rows[0]),
        ("Parts: second", third, rows[1]),
        ("Parts: all", third, 3 + 19),
    ]


def test_costs_of_a_fill_do_not_hide_what_it_was_for() -> None:
    outcome = play([*BOUGHT, *RISE, *FALL], selling(HALF), ballast={"costs": {"enabled": True}})
    assert [(reason, share) for reason, share, _ in sales(outcome)] == [
        ("Parts: half", 0.5),
        ("stop_loss", 0.5),
    ]


def test_what_leaves_as_a_whole_is_not_sold_in_parts_before() -> None:
    """A backtest asks for parts first, a bot for exits: both are due at the same close."""
    outcome = play([*BOUGHT, *RISE, *quiet(3, 111)], selling({**HALF, "all": sell(at="1R")}))
    assert [(reason, share) for reason, share, _ in sales(outcome)] == [("Parts: all", 1.0)]


def test_a_remainder_too_small_to_be_sold_leaves_with_the_part() -> None:
    most = {"most": sell(share=0.999, at="1R")}
    outcome = play([*BOUGHT, *RISE, *FALL], selling(most))
    assert [(reason, share) for reason, share, _ in sales(outcome)] == [("Parts: most", 1.0)]
    assert outcome.reasons[0] == "Parts: most"


@contextmanager
def results() -> Iterator[list[float]]:
    """Results in R as guards are told them."""
    told: list[float] = []
    asked = StopManager.result_in_r

    def telling(self: StopManager, trade: Any) -> float:
        told.append(asked(self, trade))
        return told[-1]

    with patch.object(StopManager, "result_in_r", telling):
        yield told


def test_result_in_r_and_equity_count_what_the_parts_have_earned(tmp_path: Path) -> None:
    with results() as in_r:
        outcome = play(
            [*BOUGHT, *RISE, *FALL, *quiet(3, 96)],
            selling(HALF),
            ballast={"journal": {"backtest": True}},
            config={"user_data_dir": tmp_path},
        )
    (trade,) = outcome.closed_trades
    (bought,) = trade.select_filled_orders("buy")
    part, rest = trade.select_filled_orders("sell")
    units, spent = bought.safe_filled, bought.safe_filled * bought.safe_price * (1 + FEE)
    got = [order.safe_filled * order.safe_price * (1 - FEE) for order in (part, rest)]
    assert in_r == [pytest.approx((sum(got) - spent) / (units * risk_of(outcome)), rel=2e-3)]
    accounts = Reader(tmp_path / "ballast_journal.backtest.sqlite").accounts()
    equity = {account.candle: account.equity for account in accounts}
    # While the rest is held: the part's result, and the rest at its close (its fee is due later).
    earned = got[0] - spent / 2
    held = units / 2 * (seen(outcome, 19)["close"] - bought.safe_price)
    assert equity[at(19)] == pytest.approx(10_000 + earned + held, abs=0.02)
    assert equity[at(26)] == pytest.approx(10_000 + sum(got) - spent, abs=1e-4)


def test_a_report_and_a_baseline_reckon_r_of_what_was_bought() -> None:
    """Freqtrade exports of a trade the amount that was left when it closed."""
    with results() as in_r:
        outcome = play([*BOUGHT, *RISE, *FALL, *quiet(3, 96)], selling(HALF))
    rows = [trade.to_json(minified=True) for trade in outcome.closed_trades]
    table, _ = trades_of(rows)
    assert trades.in_r(table)["r"].tolist() == [pytest.approx(in_r[0], rel=1e-2)]
    assert table["last_amount"].tolist() == pytest.approx((table["amount"] / 2).tolist(), rel=1e-3)
    # So does what a bot is held against by `drift`.
    (replayed,) = record.trades_of({"trades": rows})
    (part,) = replayed.parts
    assert part.reason
    assert replayed.amount == pytest.approx(float(table["amount"].iloc[0]))
    assert part.amount == pytest.approx(replayed.last_amount, rel=1e-3)


def test_the_journal_tells_of_a_part_and_the_position_stays_held(tmp_path: Path) -> None:
    outcome = play(
        [*BOUGHT, *RISE, *FALL, *quiet(2, 96)],
        selling(HALF),
        ballast={"journal": {"backtest": True}},
        config={"user_data_dir": tmp_path},
    )
    rows, events = Reader(tmp_path / "ballast_journal.backtest.sqlite").life(1)
    assert [event.code for event in events if event.code in ("PART_SOLD", "EXIT_FILLED")] == [
        "PART_SOLD",
        "EXIT_FILLED",
    ]
    (part,) = (event for event in events if event.code == "PART_SOLD")
    assert part.facts["because"].startswith("close 105.2 is +1.0")
    held = [row.decision.outcome for row in rows]
    assert held.count(Outcome.LEFT) == 1
    assert held[-1] is Outcome.LEFT
    (left,) = (event for event in events if event.kind == "exit")
    # Of the whole trade, its part included.
    assert left.value == pytest.approx(100 * outcome.trades.iloc[0]["profit_ratio"], abs=0.01)


def test_a_part_less_than_the_exchange_takes_stays_and_is_told_once() -> None:
    small = {"tenth": sell(share=0.1, at="1R")}
    strategy = selling(small)
    told: list[Any] = []
    listen = GuardedStrategy.ft_bot_start

    def listening(self: Any, **kwargs: Any) -> None:
        listen(self, **kwargs)
        self.events.listen(told.append)

    with patch.object(GuardedStrategy, "ft_bot_start", listening):
        outcome = play([*BOUGHT, *RISE, *quiet(3, 111)], strategy, min_notional=300.0)
    assert [reason for reason, *_ in sales(outcome)] == ["force_exit"]
    (event,) = (event for event in told if event.code == "PART_TOO_SMALL")
    assert event.value < event.limit
    assert event.facts["detail"] == "Parts: tenth"


def test_a_part_that_is_too_small_holds_up_no_other() -> None:
    parts = {"tenth": sell(share=0.1, at="1R"), "half": sell(share=0.5, at="1.5R")}
    outcome = play([*BOUGHT, *RISE, *FALL], selling(parts), min_notional=300.0)
    assert [(reason, share) for reason, share, _ in sales(outcome)] == [
        ("Parts: half", 0.5),
        ("stop_loss", 0.5),
    ]


def test_a_part_that_cannot_be_worked_out_is_not_sold_and_the_stop_stays() -> None:
    with patch.object(PlannedExits, "parts_due", lost):
        outcome = play([*BOUGHT, *RISE, *FALL], selling(HALF))
    assert [(reason, share) for reason, share, _ in sales(outcome)] == [("stop_loss", 1.0)]
    assert any("part_to_sell" in cause for cause in outcome.strategy.incidents.counts)


def test_position_adjustment_is_on_where_parts_are_sold_and_nowhere_else() -> None:
    assert play(BOUGHT, selling(HALF)).strategy.position_adjustment_enable is True
    whole = play(BOUGHT, selling({"all": sell(at="1R")})).strategy
    assert whole.position_adjustment_enable is False
    sentence = "position_adjustment_enable is True: expected False, positions are sold in parts by"
    with pytest.raises(OperationalException, match=f"^{sentence}"):
        play(BOUGHT, selling(HALF), config={"position_adjustment_enable": True})


def sold(told: Told) -> list[tuple[str, float]]:
    """Reason and share of what was bought, of every sale of the first trade."""
    trade = told.run.trades[0]
    (bought,) = trade.select_filled_orders("buy")
    filled = [o for o in trade.orders if o.ft_order_side != "buy" and o.safe_filled]
    return [
        (o.ft_order_tag or o.ft_order_side, round(o.safe_filled / bought.safe_filled, 2))
        for o in filled
    ]


def covered(told: Told) -> bool:
    """The stop rests at the plan, for all that is held and no more."""
    (stop,) = told.run.exchange.open_orders()
    plan = told.run.bot.strategy.session.stop_manager.stop(told.trade, told.run.now)
    assert resting(told) == [pytest.approx(plan, abs=0.01)]
    return bool(stop.remaining / UNIT == pytest.approx(told.trade.amount, abs=0.001))


def test_a_bot_sells_what_its_backtest_sells_and_the_stop_is_back_in_the_same_loop(
    tmp_path: Path,
) -> None:
    story = [*BOUGHT, *RISE[:12], (107.2, 107.3, 95, 96), *quiet(2, 96)]
    expected = sales(play(story, selling(HALF)))
    with story_run(tmp_path, story, selling(HALF)) as told:
        told.loops(3)
        # To the last candle before the sale, and from there loop by loop.
        told.hours(round(expected[0][2]) - 4)
        assert sold(told) == []
        while len(sold(told)) < 1:
            told.run.clock.shift(55)
            told.run.loop()
            assert covered(told)
        (part,) = told.trade.select_filled_orders("sell")
        hours = (part.order_filled_utc - at(0)).total_seconds() // 3600
        assert ("Parts: half", hours) == (expected[0][0], expected[0][2])
        assert sold(told) == [("Parts: half", 0.5)]
        # Nothing more of it, in any later loop or candle.
        told.hours(3)
        assert sold(told) == [("Parts: half", 0.5)]
        assert covered(told)
        told.hours(11)
        trade = told.run.trades[0]
        assert trade.exit_reason == "stoploss_on_exchange"
        assert (trade.close_date_utc - at(0)).total_seconds() // 3600 == expected[1][2]
        assert told.run.differences() == []


def test_of_parts_due_at_one_close_a_bot_sells_as_many_as_its_backtest(tmp_path: Path) -> None:
    """Freqtrade asks a backtest once a candle, and a bot in every loop."""
    parts = {"first": sell(share=0.25, at="0.5R"), "second": sell(share=0.25, at="1R")}
    # Far beyond both, and back for a candle.
    back = [(108, 108.1, 101.9, 102), (102, 108.2, 101.8, 108)]
    story = [*BOUGHT, (101.2, 108.2, 101.1, 108), *back, *quiet(2, 108)]
    expected = [(reason, hours) for reason, _, hours in sales(play(story, selling(parts)))][:2]
    assert expected == [("Parts: first", 5), ("Parts: second", 7)]
    with story_run(tmp_path, story, selling(parts)) as told:
        told.loops(3)
        told.hours(5)
        orders = told.trade.select_filled_orders("sell")
        found = [
            (o.ft_order_tag, (o.order_filled_utc - at(0)).total_seconds() // 3600) for o in orders
        ]
        assert found == expected


class NoSales(Hooks):
    """Answers every sale at the market with an error."""

    def before_order(self, request: OrderRequest) -> None:
        if request.side is Side.SELL and request.type is OrderType.MARKET:
            raise ApiError(-2010, "Account has insufficient balance for requested action.")


def test_a_part_that_the_exchange_refuses_is_tried_once_a_candle_and_the_stop_rests_meanwhile(
    tmp_path: Path,
) -> None:
    """Each attempt takes the stop off the exchange: in every loop, nothing would ever rest."""
    early = {"half": sell(share=0.5, at="0.2R")}
    with story_run(tmp_path, [*BOUGHT, *RISE], selling(early), hooks=NoSales()) as told:
        told.loops(3)
        told.hours(2)
        told.run.clock.shift(3600 - 60)
        bare = 0
        for _ in range(30):
            told.loops(1)
            bare += not told.run.exchange.open_orders()
        assert bare == 1
        assert covered(told)
        assert told.trade.is_open
        causes = told.run.bot.strategy.incidents.counts
        assert [n for cause, n in causes.items() if "Parts: half was not sold" in cause] == [1]


def test_a_part_whose_answer_was_lost_is_not_sold_again(tmp_path: Path) -> None:
    """It is adopted from the exchange, which does not know what it was for."""
    early, lost_answer = {"half": sell(share=0.5, at="0.2R")}, LostAnswers(1, "MARKET")
    with story_run(tmp_path, [*BOUGHT, *RISE], selling(early), lost=lost_answer) as told:
        told.loops(3)
        told.hours(5)
        assert lost_answer.lost == 1
        assert told.trade.is_open
        assert told.coins == pytest.approx(told.trade.amount, abs=0.001)
        assert [share for _, share in sold(told)] == [0.5]
        assert covered(told)


def test_a_restart_sells_no_share_again_and_goes_on_with_the_plan(tmp_path: Path) -> None:
    stops = StopRules(initial_atr=4, chandelier_atr=3, chandelier_slack_atr=2)
    both = {**HALF, "quarter": sell(share=0.25, at="2R")}
    with story_run(tmp_path, [*BOUGHT, *RISE, *quiet(2, 111)], selling(both, stops)) as told:
        told.loops(3)
        while len(sold(told)) < 1:
            told.hours(1)
        plan = told.run.bot.strategy.session.stop_manager.plan(told.trade, told.run.now)
        before = (plan.stop, plan.highest_close, plan.initial_stop)
        told.run.killed()
        told.run.started()
        told.loops(3)
        after = told.run.bot.strategy.session.stop_manager.plan(told.trade, told.run.now)
        # What rests is rounded to the tick.
        assert (after.stop, after.highest_close, after.initial_stop) == pytest.approx(
            before, abs=0.01
        )
        assert sold(told) == [("Parts: half", 0.5)]
        assert covered(told)
        while len(sold(told)) < 2:
            told.hours(1)
        told.hours(2)
        assert sold(told) == [("Parts: half", 0.5), ("Parts: quarter", 0.25)]
        # A stop that has just been raised rests a loop later.
        told.loops(2)
        assert covered(told)
        assert told.run.differences() == []


def test_a_remainder_below_the_minimum_leaves_with_the_part_live(tmp_path: Path) -> None:
    story = [*BOUGHT, *RISE, *quiet(2, 111)]
    with story_run(tmp_path, story, selling({"most": sell(share=0.999, at="1R")})) as told:
        told.loops(3)
        told.hours(10)
        trade = told.run.trades[0]
        assert (trade.is_open, trade.exit_reason) == (False, "Parts: most")
        assert told.run.differences() == []


def test_a_bots_journal_and_its_operator_are_told_of_a_part(tmp_path: Path) -> None:
    with story_run(tmp_path, [*BOUGHT, *RISE, *quiet(2, 111)], selling(HALF)) as told:
        told.loops(3)
        while len(sold(told)) < 1:
            told.hours(1)
        _, events = Reader(journal_in(tmp_path)).life(told.trade.id)
        fills = [e.code for e in events if e.kind is EventKind.ORDER and "filled" in e.facts]
        assert fills == ["ENTRY_FILLED", "PART_SOLD"]


def test_forced_entries_are_refused_where_parts_are_sold(tmp_path: Path) -> None:
    """`/forceenter` on an open pair would add to it, and Freqtrade asks nobody about that."""
    with (
        pytest.raises(OperationalException, match=r"^force_entry_enable is True: expected False"),
        story_run(tmp_path, BOUGHT, selling(HALF), force_entry_enable=True) as told,
    ):
        told.loops(1)
