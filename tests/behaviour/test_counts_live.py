"""
What a loop of a bot asks of its database and its exchange, counted: no clock, and no machine.

A bot that asks more than it did, or more with every trade that has closed, is found here.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from freqtrade.persistence import Trade
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.behaviour.live_story import BOUGHT, Told, story_run

# Statements of the layer in a loop between two candles, with one position: what is open, and its
# orders, once for all looks of the order watch.
QUIET_LOOP = 2
# And in the first loop of a new candle, journal and memories written.
CANDLE = 33


@dataclass
class Asked:
    """What was asked since the last `clear`: statements by function of the layer, requests."""

    statements: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)

    def clear(self) -> None:
        self.statements.clear()
        self.requests.clear()

    @property
    def middleware(self) -> Any:
        """For the exchange."""

        @web.middleware
        async def counting(request: web.Request, handler: Any) -> web.StreamResponse:
            self.requests[f"{request.method} {request.path}"] += 1
            return await handler(request)

        return counting

    def statement(self, connection: Any, cursor: Any, text: str, *_: Any) -> None:
        """Take note of a statement that the layer has made, not Freqtrade on its own."""
        frame = sys._getframe(1)
        while frame.f_back is not None:
            file = frame.f_code.co_filename
            if file.endswith(("freqtradebot.py", "worker.py")):
                return
            if "/strategies/ballast/" in file:
                kind = text.split(maxsplit=1)[0]
                self.statements[f"{kind} {Path(file).stem}.{frame.f_code.co_name}"] += 1
                return
            frame = frame.f_back


@contextmanager
def counted(folder: Path, closed: int = 0) -> Iterator[tuple[Told, Asked]]:
    """A bot with one position, and with so many trades that have closed, which has looped twice."""
    asked = Asked()
    event.listen(Engine, "before_cursor_execute", asked.statement)
    try:
        with story_run(folder, BOUGHT, middlewares=[asked.middleware]) as told:
            for number in range(closed):
                Trade.session.add(closed_trade(told, number))
            Trade.commit()
            told.loops(3)
            asked.clear()
            yield told, asked
    finally:
        event.remove(Engine, "before_cursor_execute", asked.statement)


def closed_trade(told: Told, number: int) -> Trade:
    closed = told.run.now - timedelta(days=2, minutes=number)
    return Trade(
        pair="AAA/USDT",
        exchange="binance",
        stake_currency="USDT",
        stake_amount=100.0,
        amount=1.0,
        open_rate=100.0,
        close_rate=101.0,
        fee_open=0.001,
        fee_close=0.001,
        open_date=closed - timedelta(hours=1),
        close_date=closed,
        is_open=False,
        close_profit=0.01,
        close_profit_abs=1.0,
    )


def next_candle(told: Told) -> None:
    left = 3600 - told.run.now.timestamp() % 3600
    told.run.clock.shift(left + 2)
    told.loops(1)


@pytest.mark.parametrize("closed", [0, 40])
def test_a_loop_between_candles_asks_for_what_is_open_and_no_more(
    closed: int, tmp_path: Path
) -> None:
    with counted(tmp_path, closed) as (told, asked):
        assert told.coins > 0
        told.loops(1)
        assert asked.statements.total() <= QUIET_LOOP, asked.statements
        # The stop that rests, and the price that exits are judged by.
        assert asked.requests == {"GET /api/v3/order": 1, "GET /api/v3/depth": 1}


def test_a_new_candle_costs_no_more_for_the_trades_that_have_closed(tmp_path: Path) -> None:
    found = []
    for closed in (0, 40):
        (tmp_path / str(closed)).mkdir()
        with counted(tmp_path / str(closed), closed) as (told, asked):
            next_candle(told)
            found.append((Counter(asked.statements), Counter(asked.requests)))
    assert found[0] == found[1]
    statements, requests = found[0]
    assert statements.total() <= CANDLE, statements
    assert requests["GET /api/v3/klines"] == 1, requests


def test_what_own_orders_say_is_read_once_a_loop_and_old_rows_go_once_a_candle(
    tmp_path: Path,
) -> None:
    with counted(tmp_path) as (told, asked):
        next_candle(told)
        assert asked.statements["SELECT fees._charged_last"] == 1
        assert asked.statements["DELETE store._forget"] == 3
        asked.clear()
        told.leave()
        told.loops(2)
        assert told.coins < 0.001
        assert asked.statements["DELETE store._forget"] == 0


def test_the_whole_account_is_compared_after_the_loop_that_trades_on_a_new_candle(
    tmp_path: Path,
) -> None:
    """Or orders of fifty pairs would wait for fifty requests."""
    compared = "GET /api/v3/openOrders"
    with counted(tmp_path) as (told, asked):
        now_s = told.run.now.timestamp()
        border_s = now_s - now_s % 3600 + 3600
        # Due ten minutes after it was done; a loop begins at once, at the border, and after that.
        for moment_s, requests in ((border_s - 720, 1), (border_s + 2, 0), (border_s + 60, 1)):
            told.run.clock.move_to(moment_s)
            asked.clear()
            told.loops(1)
            assert asked.requests[compared] == requests, (moment_s - border_s, asked.requests)
