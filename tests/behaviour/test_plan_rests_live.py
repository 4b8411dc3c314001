"""What rests on the exchange is the plan, or the position is being left.

From the first moment after a fill at which the bot runs and the exchange answers: whatever was down
when the entry filled, whatever raised the stop, and however long ago.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from freqtrade.exceptions import ExchangeError, TemporaryError
from freqtrade.exchange import Exchange

from ballast.core.columns import CandleColumns
from ballast.core.stops import StopRules
from ballast.risk.stop_manager import INITIAL_STOP, first_stop
from sandbox.units import UNIT
from tests.behaviour.live_story import Told, story_run
from tests.behaviour.mini import Mini, Story, at, quiet, signal
from tests.behaviour.waiting_entry import PLAN, fill, resting, waiting

# Falls through it in the second half of the candle in which the entry fills, and stays below.
FALLS: Story = [*quiet(2), signal(), (101, 101.2, 95, 95.5), *quiet(4, 95.5)]
# A close of one R above the entry at the end of row 4, and an open below that afterwards.
RISES = [*quiet(2), signal(), (101, 101.6, 100.8, 101.5), (101.5, 106, 101, 105.9)]
TURNS: Story = [*RISES, (101.1, 101.2, 100.6, 101), *quiet(4, 100.5)]


class BreakEven(Mini):
    stops = StopRules(initial_atr=4, break_even_r=1)


class Trailing(Mini):
    stops = StopRules(initial_atr=4, chandelier_atr=3, chandelier_slack_atr=2)


def left(told: Told, reason: str) -> None:
    assert not told.trade.is_open
    assert told.trade.exit_reason == reason
    assert told.run.exchange.open_orders() == []
    assert told.coins < 0.01
    assert told.run.differences() == []


def test_the_stop_rests_as_soon_as_the_fill_is_booked(tmp_path: Path) -> None:
    """Before Freqtrade looks at positions, where it would place its own."""
    with waiting(tmp_path) as (told, _):
        fill(told)
        with patch.object(told.run.bot, "exit_positions", lambda _: 0):
            told.loops(1)
        assert resting(told) == [PLAN]
        told.loops(2)
        assert resting(told) == [PLAN]
        assert told.run.differences() == []


def test_a_fill_below_the_plan_is_left_in_the_loop_that_sees_it(tmp_path: Path) -> None:
    """Nothing has raised the stop: it was always there."""
    with waiting(tmp_path, FALLS) as (told, _):
        fill(told)
        told.run.clock.shift(58 * 60)
        told.loops(1)
        left(told, "stop_through_market")


def test_around_a_partial_exit_the_stop_is_back_at_once(tmp_path: Path) -> None:
    """Freqtrade takes it off to sell, and would place it again in the next loop."""
    with story_run(tmp_path) as told:
        told.loops(2)
        half = round(told.trade.amount / 2, 3)
        rpc = told.run.bot.rpc._rpc
        rpc._rpc_force_exit(str(told.trade.id), ordertype="market", amount=half)
        assert resting(told) == [PLAN]
        (stop,) = told.run.exchange.open_orders()
        assert stop.remaining / UNIT == pytest.approx(told.trade.amount, abs=0.001)
        told.loops(2)
        assert resting(told) == [PLAN]
        assert told.run.differences() == []


def test_an_entry_that_fills_while_the_exchange_is_silent_is_left_if_price_is_below_its_stop(
    tmp_path: Path,
) -> None:
    with waiting(tmp_path, FALLS) as (told, silence):
        fill(told)
        silence.silent = True
        told.loops(2)
        told.run.clock.shift(58 * 60)
        told.loops(1)
        silence.silent = False
        told.loops(1)
        left(told, "stop_through_market")


def test_the_price_of_a_sale_that_is_not_told_delays_the_stop_by_no_more_than_its_answer(
    tmp_path: Path,
) -> None:
    """The fill is booked, and then the exchange falls silent in the middle of the booking."""

    def silent(*_: Any, **__: Any) -> Any:
        raise TemporaryError("no answer")

    with waiting(tmp_path) as (told, _):
        fill(told)
        with patch.object(Exchange, "get_rate", silent):
            told.loops(1)
            assert told.trade.has_open_position
            assert resting(told) == []
        told.loops(1)
        assert resting(told) == [PLAN]


@pytest.mark.parametrize("minutes", [1, 100])
def test_an_entry_that_fills_while_the_bot_is_dead_has_its_stop_when_it_returns(
    minutes: int, tmp_path: Path
) -> None:
    with waiting(tmp_path) as (told, _):
        told.run.killed()
        fill(told)
        told.run.minutes(minutes)
        told.run.started()
        told.loops(1)
        assert resting(told) == [PLAN]
        assert first_stop(told.trade.get_custom_data(INITIAL_STOP)) == pytest.approx(PLAN, abs=0.01)
        told.loops(2)
        assert resting(told) == [PLAN]
        assert told.run.differences() == []


def test_one_r_is_what_was_decided_after_a_fill_while_the_bot_was_dead(tmp_path: Path) -> None:
    with waiting(tmp_path) as (told, _):
        told.run.killed()
        fill(told)
        told.run.minutes(1)
        told.run.started()
        told.loops(2)
        told.leave()
        told.loops(1)
        trade = told.trade
        session = told.run.bot.strategy.session
        loss = trade.close_profit * trade.open_rate / (trade.open_rate - PLAN)
        assert session.stop_manager.result_in_r(trade) == pytest.approx(loss, abs=0.01)


def test_an_entry_that_fills_while_the_bot_is_dead_is_left_if_price_is_below_its_stop(
    tmp_path: Path,
) -> None:
    with waiting(tmp_path, FALLS) as (told, _):
        told.run.killed()
        fill(told)
        told.run.minutes(58)
        told.run.started()
        told.loops(1)
        left(told, "stop_through_market")


def test_a_stop_raised_while_nothing_could_be_sold_is_acted_upon_candles_later(
    tmp_path: Path,
) -> None:
    """The break-even stop is above the market; the candle after it raises nothing."""

    def refusing(*_: Any, **__: Any) -> Any:
        raise ExchangeError("no answer")

    with story_run(tmp_path, TURNS, BreakEven, loop_seconds=60) as told:
        told.loops(3)
        assert resting(told) == [PLAN]
        told.run.minutes(100)
        bot = told.run.bot
        with (
            patch.object(bot.exchange, "create_order", refusing),
            patch.object(bot.exchange, "cancel_stoploss_order_with_result", refusing),
            patch.object(bot, "enter_positions", lambda _slots: 0),
        ):
            told.run.minutes(90)
        assert resting(told) == [PLAN]
        with patch.object(bot, "enter_positions", lambda _slots: 0):
            told.loops(1)
        left(told, "stop_through_market")


def test_a_stop_placed_a_moment_ago_is_raised_all_the_same(tmp_path: Path) -> None:
    """Freqtrade alone moves no stop within a minute of placing it."""
    rises = [*quiet(2), signal(), (101, 106, 100.8, 105.9), *quiet(4, 105.9)]
    with waiting(tmp_path, rises, strategy=Trailing) as (told, _):
        told.run.clock.shift(59 * 60 + 45)
        fill(told)
        told.loops(1)
        assert resting(told) == [PLAN]
        told.run.minutes(0.5)
        (stop,) = resting(told)
        assert stop > PLAN + 2
        assert told.trade.stop_loss == pytest.approx(stop)


def test_a_restart_goes_on_with_the_plan_as_it_was(tmp_path: Path) -> None:
    rises = [*quiet(2), signal(), (101, 108, 100.8, 107.9), *quiet(8, 105)]
    with story_run(tmp_path, rises, Trailing, loop_seconds=60) as told:
        told.run.minutes(125)
        before = plan_of(told)
        assert before.highest_close == 107.9
        told.run.killed()
        told.run.minutes(1)
        # As if the high were too long ago: what is handed out begins after it.
        with story_from(row=4):
            told.run.started()
            told.loops(2)
            after = plan_of(told)
        assert (after.highest_close, after.chandelier) == (107.9, before.chandelier)
        assert after.stop == pytest.approx(before.stop, abs=0.01)
        assert after.initial_stop == before.initial_stop


def plan_of(told: Told) -> Any:
    session = told.run.bot.strategy.session
    session.stop_manager.stop(told.trade, told.run.now)
    return session.stop_manager._managed[told.trade.id].plan


@contextmanager
def story_from(row: int) -> Iterator[None]:
    """Candles before a row are not handed out any more, but those of the start-up."""
    made = CandleColumns.__init__

    def cut(self: CandleColumns, dates: Any, timeframe: str, columns: Any, *more: Any) -> None:
        keep = (dates >= at(row)).to_numpy()
        columns = {name: values[keep] for name, values in columns.items()}
        made(self, dates[keep].reset_index(drop=True), timeframe, columns, *more)

    with patch.object(CandleColumns, "__init__", cut):
        yield
