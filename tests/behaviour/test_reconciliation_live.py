"""What the exchange has and the database has not stops entries; what is the owner's stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from aiohttp import web
from freqtrade.exceptions import ExchangeError
from freqtrade.persistence import Order, Trade

from ballast.__main__ import main
from ballast.core.events import EventKind
from ballast.core.stops import StopRules
from ballast.execution.exchange_view import ExchangeView
from ballast.execution.recorded_positions import recorded_positions
from sandbox.orders import Side
from sandbox.units import UNIT
from tests.behaviour.live_story import BOUGHT, LOOP_S, Told, story_run
from tests.behaviour.mini import Mini, quiet, signal
from tests.exchange import PAIR

NO_SIGNAL = quiet(8)
# How ccxt marks the orders that it sends.
CCXT = "x-TKT5PX2F"


def compared(told: Told, loops: int = 1) -> None:
    """The same, with a comparison due at once."""
    account = told.run.bot.strategy.session.execution.watch.account
    account.round.checked = None
    told.loops(loops)


def test_coins_that_were_there_before_the_bot_are_the_owners(tmp_path: Path) -> None:
    wallet = {"USDT": 10_000, "AAA": 3}
    with story_run(tmp_path, wallet=wallet, ballast={"watch": {"unknown": "close"}}) as told:
        told.loops(3)
        compared(told, 3)
        (own,) = [event for event in told.events if event.code == "OWN_HOLDING"]
        assert own.value == 3.0
        assert told.codes() == ["OWN_HOLDING"]
        assert told.trade.has_open_sl_orders
        assert told.coins == pytest.approx(told.trade.amount + 3, abs=0.001)
        told.run.killed()
        told.run.started()
        told.listen()
        compared(told, 3)
        assert told.codes() == ["OWN_HOLDING"]


@pytest.mark.parametrize("policy", ["alert", "close"])
def test_a_deposit_stops_entries_and_is_never_sold(policy: str, tmp_path: Path) -> None:
    """No order of a bot explains it."""
    with story_run(tmp_path, NO_SIGNAL, ballast={"watch": {"unknown": policy}}) as told:
        told.loops(1)
        told.by_hand(Side.BUY, 2.0)
        watch = told.run.bot.strategy.session.execution.watch
        compared(told)
        assert told.codes() == []
        assert watch.verdict(PAIR, told.run.now).code == "UNKNOWN_POSITION"
        told.loops(3)
        assert told.codes() == ["UNKNOWN_POSITION"]
        assert told.coins == 1.998
        told.by_hand(Side.SELL, 1.998)
        told.loops(1)
        assert not watch.verdict(PAIR, told.run.now).blocks


def test_a_deposit_that_somebody_says_is_theirs_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with story_run(tmp_path, NO_SIGNAL) as told:
        told.loops(1)
        told.by_hand(Side.BUY, 2.0)
        compared(told, 3)
        watch = told.run.bot.strategy.session.execution.watch
        assert watch.verdict(PAIR, told.run.now).blocks
        config = tmp_path / "config.json"
        config.write_text(json.dumps({"db_url": told.run.config["db_url"]}), encoding="utf-8")
        own = ["--own", "AAA", "1.998", "--because", "mine"]
        assert main(["holdings", "-c", str(config), *own]) == 0
        told.loops(1)
        assert not watch.verdict(PAIR, told.run.now).blocks


def test_the_gate_sees_what_has_come_since_the_account_was_compared(tmp_path: Path) -> None:
    with story_run(tmp_path) as told:
        bot, view = told.run.bot, ExchangeView
        asked: list[str] = []
        verdict_now = view.open_orders

        def meanwhile(self: ExchangeView, pair: str) -> Any:
            asked.append(pair)
            if len(asked) == 2:
                told.by_hand(Side.BUY, 1.0, mark=f"{CCXT}1", price=90.0)
            return verdict_now(self, pair)

        with patch.object(view, "open_orders", meanwhile):
            told.loops(1)
        assert told.codes(EventKind.REFUSED) == ["UNKNOWN_ORDER"]
        assert Trade.get_open_trades() == []
        assert bot.strategy.incidents.counts == {}


def forget_trade() -> None:
    """A database from before the trade, or one that somebody has put a hand in."""
    for trade in Trade.get_open_trades():
        Trade.session.delete(trade)
    Trade.commit()
    assert Order.session.query(Order).count() == 0


@pytest.mark.parametrize(
    ("policy", "codes"),
    [
        ("alert", ["UNKNOWN_POSITION"]),
        ("stop", ["UNKNOWN_POSITION", "UNKNOWN_PROTECTED"]),
        ("close", ["UNKNOWN_POSITION", "UNKNOWN_CLOSED"]),
    ],
)
def test_a_position_that_a_bots_orders_explain_is_dealt_with_as_the_settings_say(
    policy: str, codes: list[str], tmp_path: Path
) -> None:
    with story_run(tmp_path, ballast={"watch": {"unknown": policy}}) as told:
        told.loops(1)
        amount = told.trade.amount
        # One that has lost its stop: what rests would be at work already.
        (stop,) = told.run.exchange.open_orders()
        told.run.exchange.cancel(stop)
        told.run.bot.strategy.session.execution.watch.intents.resolve(told.run.now)
        forget_trade()
        with patch.object(told.run.bot, "enter_positions", lambda _slots: 0):
            compared(told, 3)
        assert told.codes()[: len(codes)] == codes
        if policy == "close":
            assert told.coins < 0.01
        else:
            assert told.coins == pytest.approx(amount, abs=0.01)
        stops = [order for order in told.run.exchange.open_orders() if order.waits_for_trigger]
        assert len(stops) == (policy == "stop")
        watch = told.run.bot.strategy.session.execution.watch
        assert watch.verdict(PAIR, told.run.now).blocks is (policy != "close")


def test_a_position_bought_after_a_page_of_old_orders_is_found(tmp_path: Path) -> None:
    """An exchange lists five hundred orders at a time, the oldest first."""
    with story_run(tmp_path, NO_SIGNAL, ballast={"watch": {"unknown": "close"}}) as told:
        told.loops(1)
        for number in range(501):
            old = told.by_hand(Side.BUY, 1.0, mark=f"{CCXT}{number}", price=90.0)
            told.run.exchange.cancel(old)
            told.run.clock.shift(0.5)
        told.by_hand(Side.BUY, 1.0, mark=f"{CCXT}new")
        compared(told, 3)
        assert told.codes() == ["UNKNOWN_POSITION", "UNKNOWN_CLOSED"]
        assert told.coins < 0.01


def test_an_unknown_order_to_buy_is_cancelled_where_the_settings_say_so(tmp_path: Path) -> None:
    with story_run(tmp_path, NO_SIGNAL, ballast={"watch": {"unknown": "close"}}) as told:
        told.loops(1)
        told.by_hand(Side.BUY, 1.0, mark=f"{CCXT}1", price=90.0)
        own = told.by_hand(Side.BUY, 1.0, mark="web_2", price=90.0)
        compared(told, 3)
        assert told.codes() == ["UNKNOWN_ORDER"]
        assert told.run.exchange.open_orders() == [own]


def test_entries_wait_for_the_first_comparison_and_it_is_tried_again(tmp_path: Path) -> None:
    def gone(*_: Any) -> Any:
        raise ExchangeError("no answer")

    with story_run(tmp_path, BOUGHT) as told:
        with patch.object(ExchangeView, "read_balances", gone):
            told.loops(3)
        assert set(told.codes(EventKind.REFUSED)) == {"NOT_RECONCILED"}
        # After five seconds, and ten more.
        assert told.codes() == ["RECONCILE_FAILED"] * 2
        told.loops(round(10 / LOOP_S) + 1)
        assert len(told.run.trades) == 1


def test_the_dust_that_closed_trades_leave_is_known_and_not_an_unknown_position(
    tmp_path: Path,
) -> None:
    """It adds up: after some trades of a dear coin it is worth more than the smallest order."""
    with story_run(tmp_path) as told:
        told.loops(3)
        told.leave()
        told.loops(2)
        assert not told.trade.is_open
        assert 0 < told.coins < 0.01
        assert recorded_positions(PAIR).left == pytest.approx(told.coins)


# Falls through the stop in the candle after it was bought.
STOPPED = [*quiet(2), signal(), (101, 101.2, 90, 95), *quiet(6, 95)]


def test_a_position_that_was_stopped_out_has_left_no_more_than_dust(tmp_path: Path) -> None:
    """What a stop sold was added to what was left: coins twice as many were no unknown position."""
    with story_run(tmp_path, STOPPED) as told:
        told.loops(1)
        told.hours(1)
        assert not told.trade.is_open
        assert told.trade.exit_reason == "stoploss_on_exchange"
        assert told.coins < 0.01
        assert recorded_positions(PAIR).left == pytest.approx(told.coins)
        told.by_hand(Side.BUY, 2.0)
        compared(told, 3)
        assert told.codes() == ["UNKNOWN_POSITION"]


def test_a_trade_that_is_closed_while_its_coins_are_held_is_an_unknown_position(
    tmp_path: Path,
) -> None:
    """By a strategy, or a stop that was said to be filled and is open again: it was bought anew."""
    with story_run(tmp_path) as told:
        told.loops(1)
        trade = told.trade
        trade.is_open, trade.close_date, trade.close_profit = False, told.run.now, 0.0
        trade.exit_reason = "stoploss_on_exchange"
        Trade.commit()
        told.loops(3)
        assert told.trade.id == trade.id
        assert told.codes(EventKind.REFUSED)[0] == "UNKNOWN_POSITION"
        compared(told, 3)
        assert told.codes() == ["UNKNOWN_POSITION"]


def contradicted(status: str, times: int) -> Any:
    """An exchange that says so often of the stop, which it has, that it is filled or cancelled."""
    asked: list[str] = []

    @web.middleware
    async def saying(request: web.Request, handler: Any) -> web.StreamResponse:
        response = await handler(request)
        if request.method != "GET" or request.path != "/api/v3/order" or len(asked) >= times:
            return response
        order = json.loads(response.text)
        if order.get("side") != "SELL" or order["status"] != "NEW":
            return response
        asked.append(status)
        sold = {"executedQty": order["origQty"], "cummulativeQuoteQty": "960.0"}
        return web.json_response(
            {**order, "status": status, **(sold if status == "FILLED" else {})}
        )

    return saying


RISING = [*quiet(2), signal(), *quiet(1, 101), *quiet(6, 108)]


class Trailing(Mini):
    stops = StopRules(initial_atr=4, chandelier_atr=4)


def test_a_stop_that_was_said_to_be_cancelled_and_is_open_is_known_again_and_raised(
    tmp_path: Path,
) -> None:
    """It stayed where it was for good: no other could be placed beside it, and none was known."""
    said = contradicted("CANCELED", 1)
    with story_run(tmp_path, RISING, Trailing, middlewares=[said]) as told:
        told.loops(4)
        assert "STOP_ADOPTED" in told.codes()
        assert told.trade.has_open_sl_orders
        told.hours(3)
        (stop,) = told.run.exchange.open_orders()
        assert stop.request.stop_price / UNIT == pytest.approx(told.trade.stop_loss, rel=0.01)
        assert told.trade.stop_loss > 100
        assert told.run.differences() == []


def test_a_stop_that_is_said_to_have_ended_again_and_again_is_told_and_stops_entries(
    tmp_path: Path,
) -> None:
    with story_run(tmp_path, RISING, Trailing, middlewares=[contradicted("EXPIRED", 999)]) as told:
        told.loops(1)
        told.hours(1)
        assert {"STOP_ADOPTED", "UNKNOWN_ORDER", "STOP_MISSING"} <= set(told.codes())
        assert told.codes().count("STOP_ADOPTED") == 1
        assert told.run.bot.strategy.session.execution.watch.verdict(PAIR, told.run.now).blocks


def test_what_a_stop_that_was_said_to_be_filled_has_not_sold_is_not_bought_again(
    tmp_path: Path,
) -> None:
    with story_run(tmp_path, RISING, Trailing, middlewares=[contradicted("FILLED", 1)]) as told:
        told.loops(1)
        told.hours(2)
        assert not told.trade.is_open
        assert told.codes() == ["UNKNOWN_POSITION"]
        (stop,) = told.run.exchange.open_orders()
        assert stop.waits_for_trigger
