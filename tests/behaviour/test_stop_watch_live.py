"""Positions without a stop, and stops that do not sell, on an exchange where that happens."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from freqtrade.exceptions import ExchangeError

from ballast.core.events import EventKind
from ballast.execution.open_entries import OpenEntries
from sandbox.errors import ApiError
from sandbox.hooks import Hooks
from sandbox.orders import OrderRequest
from tests.behaviour.live_story import Shy, Told, story_run
from tests.behaviour.mini import quiet, signal
from tests.behaviour.test_fail_closed_live import lost as broken

# Falls through the stop at 96.9 within its last candle and stays below.
JUMPS = [*quiet(2), signal(), (101, 101.2, 90, 91), *quiet(3, 91)]


class NoStops(Hooks):
    """Answers every stop order with an error."""

    def before_order(self, request: OrderRequest) -> None:
        if request.type.is_conditional:
            raise ApiError(-1003, "Too many requests.")


def sold(told: Told, reason: str) -> None:
    assert not told.trade.is_open
    assert told.trade.exit_reason == reason
    assert told.run.exchange.open_orders() == []
    assert told.coins < 0.001
    assert told.run.differences() == []


def test_a_position_whose_stop_cannot_be_placed_is_told_of_and_left(tmp_path: Path) -> None:
    """Freqtrade alone tries for ever, and the position stays bare."""
    with story_run(tmp_path, hooks=NoStops()) as told:
        told.loops(13)
        assert told.trade.is_open
        assert told.codes() == ["STOP_MISSING"]
        told.loops(3)
        sold(told, "stop_missing")


def test_a_stop_that_price_has_jumped_over_is_left_by_market(tmp_path: Path) -> None:
    with story_run(tmp_path, JUMPS, hooks=Shy(stop=0.0)) as told:
        told.loops(3)
        assert told.trade.has_open_sl_orders
        told.run.clock.shift(45 * 60)
        told.loops(1)
        assert told.trade.is_open
        told.loops(3)
        assert told.codes() == ["STOP_JUMPED"]
        sold(told, "stop_jumped")


def test_a_partly_filled_entry_is_cut_short_and_its_part_protected(tmp_path: Path) -> None:
    """Freqtrade alone leaves the part without a stop until the order ends."""
    with story_run(tmp_path, hooks=Shy(buy=0.4)) as told:
        told.loops(3)
        entry = told.trade.orders[0]
        assert entry.ft_is_open
        assert entry.safe_filled == pytest.approx(0.4 * entry.safe_amount, rel=1e-3)
        assert not told.trade.has_open_sl_orders
        told.loops(3)
        assert told.codes() == ["PARTIAL_FILL"]
        assert not told.trade.orders[0].ft_is_open
        (stop,) = told.run.exchange.open_orders()
        assert stop.waits_for_trigger
        assert told.trade.amount == pytest.approx(told.coins, abs=0.001)
        assert told.trade.stop_loss == pytest.approx(96.89, abs=0.02)
        assert told.run.differences() == []


def test_an_entry_that_nobody_fills_is_cancelled(tmp_path: Path) -> None:
    with story_run(tmp_path, hooks=Shy(buy=0.0)) as told:
        told.loops(24)
        assert len(told.run.trades) == 1
        told.loops(2)
        assert told.codes() == ["ENTRY_TIMEOUT"]
        assert told.run.trades == []
        assert told.run.exchange.open_orders() == []
        assert set(told.codes(EventKind.REFUSED)) == {"SIGNAL_OLD"}


def test_an_open_entry_that_cannot_be_judged_is_cancelled(tmp_path: Path) -> None:
    with story_run(tmp_path, hooks=Shy(buy=0.0)) as told:
        told.loops(1)
        with (
            patch.object(OpenEntries, "is_given_up", broken),
            patch.object(told.run.bot, "enter_positions", lambda _slots: 0),
        ):
            told.loops(1)
        assert told.run.trades == []
        assert told.run.exchange.open_orders() == []


def test_a_failing_exchange_is_no_reason_to_leave_a_position_that_has_its_stop(
    tmp_path: Path,
) -> None:
    def gone(*_: Any, **__: Any) -> Any:
        raise ExchangeError("no answer")

    with story_run(tmp_path) as told:
        told.loops(3)
        with patch.object(told.run.bot.exchange._api, "fetch_open_orders", gone):
            told.loops(15)
        assert told.trade.is_open
        assert told.trade.has_open_sl_orders
