"""Exits that a setup states about the trade, through Freqtrade's own backtester and live.

Bought at row 3 of every story, for 101 after a signal candle that closed at 100.9 with an ATR of 1:
the stop is four ATR below that signal, one R a little more than four dollars.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ballast.charts.annotations import STOP
from ballast.core.combinations import hours
from ballast.core.exits import sell
from ballast.core.rules import below
from ballast.journal.reader import Reader
from ballast.strategy.guarded import GuardedStrategy
from tests.behaviour.live_story import story_run
from tests.behaviour.mini import Mini, Story, at, play, quiet, reasons, seen, signal
from tests.engine import BacktestOutcome

BOUGHT: Story = [*quiet(2), signal(), (101, 101.4, 100.8, 101.2)]
# Half a dollar a candle, from 101.2 on, with a true range of 1.
RISE: Story = [(101.2 + n / 2, 101.9 + n / 2, 100.9 + n / 2, 101.7 + n / 2) for n in range(20)]


def leaving(**exits: Any) -> type[GuardedStrategy]:
    class Leaving(Mini):
        def exit_rules(self, pair: Any, market: Any) -> Any:
            return exits

    return Leaving


def closed(outcome: BacktestOutcome) -> tuple[str, float]:
    trade = outcome.trades.iloc[0]
    assert trade.open_date == at(3)
    return trade.exit_reason, (trade.close_date - at(0)).total_seconds() / 3600


def first_close(outcome: BacktestOutcome, price: float) -> int:
    """The row of the story that closes at a price or above, after the entry."""
    return next(row for row in range(3, 24) if seen(outcome, row)["close"] >= price)


@pytest.mark.parametrize("multiple", [1, 2])
def test_a_close_at_so_many_r_leaves_at_the_next_open(multiple: int) -> None:
    outcome = play([*BOUGHT, *RISE, *quiet(3, 111)], leaving(target=sell(at=f"{multiple}R")))
    risk = 101 - (100.9 - 4 * seen(outcome, 2)["atr"])
    row = first_close(outcome, 101 + multiple * risk)
    assert closed(outcome) == ("Leaving: target", row + 1)
    assert outcome.trades.iloc[0].close_rate == pytest.approx(seen(outcome, row + 1)["open"])


def test_a_high_at_the_target_that_does_not_close_there_is_no_profit() -> None:
    """What a candle has touched could be had by an order that waits, which is in no backtest."""
    spike = [(101.2, 108, 101, 101.3), *quiet(3, 101.3)]
    assert not reasons(play([*BOUGHT, *spike], leaving(target=sell(at="5%"))))


def test_a_profit_in_percent_is_of_the_price_paid() -> None:
    outcome = play([*BOUGHT, *RISE, *quiet(3, 111)], leaving(target=sell(at="5%")))
    assert closed(outcome) == ("Leaving: target", first_close(outcome, 101 * 1.05) + 1)


def test_a_trade_is_left_when_its_time_is_up_whatever_it_has_earned() -> None:
    outcome = play([*BOUGHT, *RISE, *quiet(20, 111)], leaving(old=sell(after="15h")))
    assert closed(outcome) == ("Leaving: old", 3 + 15)


def test_a_smaller_profit_is_taken_later() -> None:
    """As Freqtrade's `minimal_roi` has it."""
    exits = {"soon": sell(at="10%"), "later": sell(at="0%", after="10h")}
    outcome = play([*BOUGHT, *quiet(20, 101.5)], leaving(**exits))
    assert closed(outcome) == ("Leaving: later", 3 + 10)


def test_rules_and_sales_stand_beside_each_other(tmp_path: Path) -> None:
    class Both(Mini):
        def exit_rules(self, pair: Any, market: Any) -> Any:
            return {"weak": below(pair.close, 100.6), "target": sell(at="5%")}

    fallen = play(
        [*BOUGHT, (101.2, 101.3, 100, 100.3), *quiet(3, 100.3)],
        Both,
        ballast={"journal": {"backtest": True}},
        config={"user_data_dir": tmp_path},
    )
    assert closed(fallen) == ("Both: weak", 5)
    # The journal has the rule's reading at each candle at which the trade was held.
    rows, _ = Reader(tmp_path / "ballast_journal.backtest.sqlite").life(1)
    read = [(row.decision.candle, row.decision.exits()) for row in rows]
    assert read[0] == (at(2), {})
    assert [(moment, found["weak"].met) for moment, found in read[1:]] == [
        (at(3), False),
        (at(4), True),
    ]
    assert closed(play([*BOUGHT, *RISE, *quiet(3, 111)], Both))[0] == "Both: target"


TURNS: Story = [
    *BOUGHT,
    (101.2, 101.3, 100.3, 100.5),
    (100.5, 103.2, 100.4, 103),
    (103, 103.1, 102.3, 102.5),
    *quiet(3, 102.5),
]


def test_a_rule_leaves_only_in_profit_where_it_is_said_so() -> None:
    """As `exit_profit_only` has it: the rule is met at a loss first."""

    class InProfit(Mini):
        def exit_rules(self, pair: Any, market: Any) -> Any:
            return {"turned": sell(at="0%", when=below(pair.own.roc(1), 0))}

    class AtOnce(Mini):
        def exit_rules(self, pair: Any, market: Any) -> Any:
            return {"turned": below(pair.own.roc(1), 0)}

    assert closed(play(TURNS, InProfit)) == ("InProfit: turned", 7)
    assert closed(play(TURNS, AtOnce)) == ("AtOnce: turned", 5)


def test_a_rule_sells_a_part_once() -> None:
    class Half(Mini):
        def exit_rules(self, pair: Any, market: Any) -> Any:
            return {
                "half": sell(share=0.5, when=below(pair.own.roc(1), 0)),
                "old": sell(after="4h"),
            }

    (trade,) = play(TURNS, Half).closed_trades
    sold = [order for order in trade.orders if order.ft_order_side == "sell"]
    hours_held = [(order.order_date_utc - at(0)).total_seconds() / 3600 for order in sold]
    assert hours_held == [5, 7]
    assert sold[0].filled == pytest.approx(trade.orders[0].filled / 2, rel=0.01)


def test_the_setups_stop_holds_before_any_sale() -> None:
    story = [*BOUGHT, (101.2, 101.3, 95, 96), *quiet(3, 96)]
    assert closed(play(story, leaving(target=sell(at="1R"), old=sell(after="3d")))) == (
        "stop_loss",
        4,
    )


def test_a_filled_candle_sells_nothing() -> None:
    """Its close is the last one's, at which nobody could have sold meanwhile."""
    exits = leaving(later=sell(at="4%", after="4h"))
    risen = [*BOUGHT, (101.2, 105.9, 101, 105.8)]
    real = play([*risen, *quiet(6, 105.8)], exits)
    assert closed(real) == ("Leaving: later", 7)
    filled = play([*risen, None, None, *quiet(6, 105.8)], exits)
    assert closed(filled) == ("Leaving: later", 8)


@pytest.mark.parametrize(
    "exits",
    [{"target": sell(at="1R")}, {"late": sell(at="2%", after="6h", when=hours(11, 20))}],
    ids=["profit", "all"],
)
def test_a_bot_leaves_at_the_candle_and_for_the_reason_of_its_backtest(
    exits: dict[str, Any], tmp_path: Path
) -> None:
    story = [*BOUGHT, *RISE, *quiet(2, 111)]
    expected = closed(play(story, leaving(**exits)))
    with story_run(tmp_path, story, leaving(**exits)) as told:
        told.loops(3)
        told.hours(12)
        trade = told.run.trades[0]
        assert not trade.is_open
        hours = (trade.close_date_utc - at(0)).total_seconds() // 3600
        assert (trade.exit_reason, hours) == expected
        assert told.run.differences() == []


def test_a_bot_that_was_down_when_a_target_closed_sells_by_the_close_that_it_finds(
    tmp_path: Path,
) -> None:
    """Not by one of yesterday: what has fallen back is no profit, what stands there is."""
    risen = [*BOUGHT, (101.2, 107, 101, 106.8), (106.8, 107, 102, 102.2), *quiet(2, 102.2)]
    again = [*risen, (102.2, 107, 102, 106.8), *quiet(3, 106.8)]
    with story_run(tmp_path, again, leaving(target=sell(at="1R"))) as told:
        told.loops(3)
        told.run.killed()
        told.run.minutes(3 * 60)
        told.run.started()
        told.loops(3)
        assert told.trade.is_open
        told.hours(4)
        assert told.run.trades[0].exit_reason == "Leaving: target"


def test_the_journal_says_what_a_sale_was_decided_by(tmp_path: Path) -> None:
    outcome = play(
        [*BOUGHT, *RISE, *quiet(3, 111)],
        leaving(target=sell(at="1R")),
        ballast={"journal": {"backtest": True}},
        config={"user_data_dir": tmp_path},
    )
    risk = 101 - (100.9 - 4 * seen(outcome, 2)["atr"])
    row = first_close(outcome, 101 + risk)
    close = seen(outcome, row)["close"]
    _, events = Reader(tmp_path / "ballast_journal.backtest.sqlite").life(1)
    (left,) = (event for event in events if event.code == "Leaving: target")
    assert left.facts["because"] == (
        f"close {close:.5g} is {(close - 101) / risk:+.2f} R, {100 * (close / 101 - 1):+.2f} % "
        f"from the entry; held {row + 1 - 3} h"
    )


def test_the_chart_shows_where_a_close_sells(tmp_path: Path) -> None:
    strategy = leaving(half=sell(at="2%"), target=sell(at="3R"), old=sell(after="9d"))
    with story_run(tmp_path, [*BOUGHT, *quiet(3, 101)], strategy) as told:
        told.loops(3)
        drawn = told.run.bot.rpc._rpc._rpc_analysed_dataframe(told.trade.pair, "1h", 50, None)
        lines = {
            line["label"]: line["y_start"]
            for line in drawn["annotations"]
            if "y_start" in line and "label" in line
        }
        # FreqUI names the stop of an open trade itself.
        assert "stop" not in lines
        trade = told.trade
        stop = next(line["y_start"] for line in drawn["annotations"] if line["color"] == STOP)
        assert lines["half"] == pytest.approx(1.02 * trade.open_rate)
        assert lines["target"] == pytest.approx(trade.open_rate + 3 * (trade.open_rate - stop))
        assert "old" not in lines
