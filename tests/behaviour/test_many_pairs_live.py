"""An account of many pairs is compared in one request, and elsewhere a few pairs in each loop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from aiohttp import web
from freqtrade.persistence import Trade
from sqlalchemy import event
from sqlalchemy.engine import Engine

from ballast.core.events import EventKind
from ballast.execution.comparison_round import A_LOOP
from ballast.execution.exchange_view import ExchangeView
from ballast.execution.holdings import ROW
from sandbox.candles import Candles
from sandbox.markets import Market
from sandbox.orders import Side
from tests.behaviour.live_story import BOUGHT, LOOP_S, Told, hourly
from tests.behaviour.mini import Mini, at, quiet
from tests.exchange import PAIR, TableSource
from tests.live_run import live_run

# More than are asked one by one.
MANY = A_LOOP + 2
# How ccxt marks the orders that it sends.
CCXT = "x-TKT5PX2F"


@dataclass(frozen=True)
class ManyMarkets:
    """One market under many names."""

    rows: TableSource

    def markets(self) -> tuple[Market, ...]:
        others = [replace(self.rows.market, pair=f"X{number}/USDT") for number in range(1, MANY)]
        return (self.rows.market, *others)

    def candles(self, pair: str) -> Candles:
        return self.rows.rows

    def labels(self) -> tuple[()]:
        return ()


@contextmanager
def many(folder: Path, story: Any, asked: list[str], **settings: Any) -> Iterator[Told]:
    """A bot of many pairs, which has not looped yet; symbols whose open orders it asks for."""

    @web.middleware
    async def noting(request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path == "/api/v3/openOrders":
            asked.append(request.query.get("symbol", "*"))
        return await handler(request)

    with live_run(
        Mini,
        ManyMarkets(hourly(story)),
        folder,
        at(3) + timedelta(seconds=1),
        middlewares=[noting],
        loop_seconds=LOOP_S,
        stake_amount="unlimited",
        max_open_trades=1,
        ballast={"market": {"leader": PAIR}, **settings},
    ) as run:
        told = Told(run)
        told.listen()
        yield told


def test_open_orders_of_many_pairs_are_one_request_and_each_pairs_are_looked_at(
    tmp_path: Path,
) -> None:
    asked: list[str] = []
    with many(tmp_path, quiet(8), asked) as told:
        told.by_hand(Side.BUY, 1.0, mark=f"{CCXT}1", price=90.0, symbol="X7USDT")
        told.loops(1)
        assert asked == ["*"]
        told.loops(1)
        # What is amiss is asked for again by itself.
        assert asked == ["*", "X7USDT"]
        (unknown,) = [event for event in told.events if event.kind is EventKind.WATCH][-1:]
        assert (unknown.code, unknown.pair) == ("UNKNOWN_ORDER", "X7/USDT")
        watch = told.run.bot.strategy.session.execution.watch
        assert watch.verdict("X7/USDT", told.run.now).code == "UNKNOWN_ORDER"


def test_what_a_first_loop_reads_and_writes_of_every_pair_is_read_and_written_at_once(
    tmp_path: Path,
) -> None:
    """What the owner holds was written once a pair, and the journal asked once a pair."""
    written: list[str] = []
    asked: list[str] = []

    def noted(connection: Any, cursor: Any, text: str, given: Any, *_: Any) -> None:
        if ROW in str(given) and not text.startswith("SELECT"):
            written.append(text.split()[0])
        if text.startswith("SELECT") and "decisions.pair = " in text:
            asked.append(text)

    event.listen(Engine, "before_cursor_execute", noted)
    try:
        with many(tmp_path, quiet(8), []) as told:
            told.loops(1)
            holdings = told.run.bot.strategy.session.execution.watch.account
            assert [holdings.owns(f"X{number}") for number in (1, MANY - 1)] == [0, 0]
    finally:
        event.remove(Engine, "before_cursor_execute", noted)
    assert written == ["UPDATE", "INSERT"]
    assert asked == []


def test_the_lost_stop_of_one_of_many_pairs_is_adopted(tmp_path: Path) -> None:
    with many(tmp_path, BOUGHT, []) as told:
        told.loops(2)
        trade = Trade.get_open_trades()[0]
        (stop,) = trade.open_sl_orders
        Trade.session.delete(stop)
        Trade.commit()
        told.run.bot.strategy.session.execution.watch.account.round.checked = None
        told.loops(1)
        assert [order.order_id for order in trade.open_sl_orders] == [stop.order_id]
        assert "STOP_ADOPTED" in told.codes()


def test_pairs_that_must_be_asked_one_by_one_are_a_few_a_loop_and_entries_wait_for_all(
    tmp_path: Path,
) -> None:
    """Half an account that was compared is none: the first round lets nothing be bought."""
    asked: list[str] = []
    with (
        patch.object(ExchangeView, "_lists_all_at_once", lambda *_: False),
        many(tmp_path, BOUGHT, asked) as told,
    ):
        told.loops(1)
        assert len(asked) == len(set(asked)) == A_LOOP
        assert set(told.codes(EventKind.REFUSED)) == {"NOT_RECONCILED"}
        assert Trade.get_open_trades() == []
        told.loops(1)
        # Beside them each entry asks once more, at the last moment.
        assert set(asked) == {market.symbol for market in told.run.exchange.market.markets()}
        assert Trade.get_open_trades()
        # The loop of a new candle asks no more of a round that has begun before it.
        begun = told.run.bot.strategy.session.execution.watch.account.round
        for before_s, left in ((720, MANY - A_LOOP), (715, 0), (110, MANY - A_LOOP)):
            told.run.clock.move_to(at(4).timestamp() - before_s)
            told.loops(1)
            assert len(begun._rest) == left
        asked.clear()
        told.run.clock.move_to(at(4).timestamp() + 2)
        told.loops(1)
        assert asked == []
        told.run.clock.move_to(at(4).timestamp() + 10)
        told.loops(1)
        assert len(asked) == MANY - A_LOOP
