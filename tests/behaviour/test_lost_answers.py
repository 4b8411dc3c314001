"""Orders that the exchange has accepted and Freqtrade never heard of are found, and known again."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import pytest
from freqtrade.exceptions import ExchangeError

from ballast.core.events import EventKind
from ballast.execution.exchange_view import ExchangeView
from tests.behaviour.live_story import BOUGHT, LostAnswers, Told, hourly, story_run
from tests.behaviour.mini import at
from tests.engine import ScriptedStrategy
from tests.live_run import live_run


def bought(told: Told) -> int:
    """How many orders to buy the exchange has accepted."""
    return sum(order.request.side.value == "BUY" for order in told.run.exchange.orders)


def assert_whole(told: Told) -> None:
    """One position, its stop on the exchange, and books that agree."""
    assert bought(told) == 1
    assert told.trade.amount == pytest.approx(told.coins, abs=0.001)
    assert told.trade.has_open_sl_orders
    (stop,) = told.run.exchange.open_orders()
    assert stop.waits_for_trigger
    assert told.run.differences() == []
    # Where the sizer wanted it: four ATR below the signal, not where the class stop is.
    assert told.trade.stop_loss == pytest.approx(96.89, abs=0.02)


def test_a_signal_is_bought_once_and_protected(tmp_path: Path) -> None:
    """What all of the others here differ from."""
    with story_run(tmp_path) as told:
        told.loops(3)
        assert told.codes() == []
        assert_whole(told)


def test_an_entry_whose_answer_was_lost_is_adopted_and_not_bought_again(tmp_path: Path) -> None:
    with story_run(tmp_path, lost=LostAnswers(1, "BUY")) as told:
        told.loops(1)
        assert told.run.trades == []
        assert told.coins > 5
        told.loops(1)
        # In one loop: known, filled and protected.
        assert_whole(told)
        told.loops(3)
        assert told.codes() == ["ORDER_FAILED", "ORDER_ADOPTED"]
        assert_whole(told)


class Plain(ScriptedStrategy):
    """Freqtrade alone: buys at the same candle."""

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe["enter_long"] = (dataframe["date"] == at(2)).astype(int)
        return dataframe


def test_freqtrade_alone_buys_twice(tmp_path: Path) -> None:
    """The hole that is closed above."""
    source, lost = hourly(BOUGHT), LostAnswers(1, "BUY")
    begin = at(3) + pd.Timedelta(seconds=1)
    middlewares = [lost.middleware]
    with live_run(Plain, source, tmp_path, begin, middlewares=middlewares, loop_seconds=5) as run:
        told = Told(run)
        told.loops(3)
        assert bought(told) == 2
        assert told.coins == pytest.approx(2 * told.trade.amount, rel=1e-3)


def test_a_bot_killed_before_it_could_record_its_order_knows_it_when_it_returns(
    tmp_path: Path,
) -> None:
    with story_run(tmp_path) as told:
        exchange = told.run.bot.exchange
        sent = exchange.create_order

        def dying(**order: Any) -> Any:
            sent(**order)
            raise KeyboardInterrupt

        with patch.object(exchange, "create_order", dying), pytest.raises(KeyboardInterrupt):
            told.loops(1)
        told.run.killed()
        told.run.minutes(2)
        told.run.started()
        told.listen()
        told.loops(2)
        assert told.codes() == ["ORDER_FAILED", "ORDER_ADOPTED"]
        assert_whole(told)


def test_a_refused_entry_is_not_sent_again_before_its_pause_is_over(tmp_path: Path) -> None:
    """Freqtrade alone sends it again in every loop."""
    with story_run(tmp_path, ballast={"risk": {"entries_per_candle": 20}}) as told:
        exchange = told.run.bot.exchange

        def refusing(**_order: Any) -> Any:
            refusals.append(told.run.now)
            raise ExchangeError("-2010")

        refusals: list[Any] = []
        with patch.object(exchange, "create_order", refusing):
            told.loops(22)
        waits = [(b - a).total_seconds() for a, b in pairwise(refusals)]
        # Thirty seconds after it was noticed, a loop later; then sixty.
        assert [round(wait) for wait in waits] == [35, 65]
        assert told.codes() == ["ORDER_FAILED"] * 3
        assert set(told.codes(EventKind.REFUSED)) == {"BACKOFF"}
        assert bought(told) == 0


def test_while_the_exchange_cannot_say_what_became_of_an_entry_nothing_is_bought(
    tmp_path: Path,
) -> None:
    def gone(*_: Any) -> Any:
        raise ExchangeError("no answer")

    with story_run(tmp_path, lost=LostAnswers(1, "BUY")) as told:
        told.loops(1)
        with patch.object(ExchangeView, "orders", gone):
            told.loops(4)
        assert bought(told) == 1
        assert set(told.codes()) == {"ORDER_FAILED", "RESOLVE_FAILED"}
        told.loops(1)
        assert_whole(told)


def test_a_stop_whose_answer_was_lost_is_adopted(tmp_path: Path) -> None:
    """Freqtrade alone tries to place a second one for ever, for coins that the first has locked."""
    with story_run(tmp_path, lost=LostAnswers(1, "STOP_LOSS_LIMIT")) as told:
        told.loops(1)
        assert not told.trade.has_open_sl_orders
        told.loops(1)
        assert told.codes() == ["STOP_ADOPTED"]
        assert_whole(told)


def test_an_exit_whose_answer_was_lost_is_known_again(tmp_path: Path) -> None:
    with story_run(tmp_path, lost=LostAnswers(1, "MARKET")) as told:
        told.loops(3)
        with pytest.raises(ExchangeError):
            told.leave()
        told.loops(3)
        assert not told.trade.is_open
        assert told.coins < 0.001
        assert told.run.differences() == []
