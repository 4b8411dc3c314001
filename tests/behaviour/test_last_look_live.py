"""Before nobody looks any more, what was bought has its stop; what is not heard then is said."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from aiohttp import web
from freqtrade.enums import RPCMessageType, State
from freqtrade.exceptions import ExchangeError
from freqtrade.persistence import Trade
from freqtrade.rpc import RPCHandler
from sqlalchemy.exc import OperationalError

from sandbox.orders import OrderRequest
from tests.behaviour.live_story import Told, story_run
from tests.behaviour.mini import Story, quiet, signal
from tests.behaviour.waiting_entry import PLAN, fill, resting, waiting

FALLS: Story = [*quiet(2), signal(), (101, 101.2, 95, 95.5), *quiet(4, 95.5)]


class Heard(RPCHandler):
    """What a person is told, as Telegram would show it."""

    def __init__(self, told: Told) -> None:
        self._config: dict[str, Any] = {self.name: {"allow_custom_messages": True}}
        self.texts: list[str] = []
        told.run.bot.rpc.registered_modules.append(self)

    def send_msg(self, msg: Any) -> None:
        if msg["type"] in (RPCMessageType.WARNING, RPCMessageType.STRATEGY_MSG):
            self.texts.append(msg.get("status") or msg.get("msg"))

    def cleanup(self) -> None: ...

    @property
    def ballast(self) -> str:
        return "\n".join(text for text in self.texts if "Ballast" in text)


def stop(told: Told) -> None:
    told.run.bot.state = State.STOPPED
    told.loops(1)


def refusing(*_: Any, **__: Any) -> Any:
    raise ExchangeError("no answer")


def test_an_entry_that_fills_just_before_the_end_of_the_process_has_its_stop(
    tmp_path: Path,
) -> None:
    with waiting(tmp_path) as (told, _):
        fill(told)
        told.run.stopped()
        assert resting(told) == [PLAN]
        told.run.started()
        told.loops(2)
        assert resting(told) == [PLAN]
        assert told.run.differences() == []


def test_an_entry_that_fills_just_before_the_bot_is_stopped_has_its_stop(tmp_path: Path) -> None:
    with waiting(tmp_path) as (told, _):
        fill(told)
        stop(told)
        assert resting(told) == [PLAN]
        told.loops(3)
        assert resting(told) == [PLAN]
        told.run.bot.state = State.RUNNING
        told.loops(2)
        assert resting(told) == [PLAN]
        assert told.run.differences() == []


@pytest.mark.parametrize("way", ["stop", "end"])
def test_what_is_below_its_stop_already_is_sold_before_nobody_looks_any_more(
    way: str, tmp_path: Path
) -> None:
    with waiting(tmp_path, FALLS) as (told, _):
        fill(told)
        told.run.clock.shift(58 * 60)
        stop(told) if way == "stop" else told.run.stopped()
        assert told.run.exchange.open_orders() == []
        assert told.coins < 0.01
        Trade.session.expire_all()
        assert not told.trade.is_open
        assert told.trade.exit_reason == "stop_through_market"


def test_a_position_that_cannot_be_protected_at_the_end_is_told(tmp_path: Path) -> None:
    with waiting(tmp_path) as (told, _):
        heard = Heard(told)
        fill(told)
        with patch.object(told.run.bot.exchange, "create_stoploss", refusing):
            told.run.stopped()
        assert resting(told) == []
        assert "WITHOUT A STOP: 9." in heard.ballast
        assert "AAA/USDT" in heard.ballast


def test_an_entry_that_cannot_be_withdrawn_at_the_end_is_told(tmp_path: Path) -> None:
    with waiting(tmp_path) as (told, silence):
        heard = Heard(told)
        silence.silent = True
        told.run.stopped()
        silence.silent = False
        assert len(told.run.exchange.open_orders()) == 1
        assert "ENTRIES STILL OPEN: AAA/USDT" in heard.ballast


def test_a_position_whose_stop_was_lost_gets_one_before_the_end(tmp_path: Path) -> None:
    with story_run(tmp_path) as told:
        told.loops(2)
        with patch.object(told.run.bot.exchange, "create_stoploss", refusing):
            told.run.bot.cancel_stoploss_on_exchange(told.trade)
            told.loops(1)
        assert resting(told) == []
        told.run.stopped()
        assert resting(told) == [PLAN]


def test_the_answer_to_stop_says_what_is_heard_and_what_is_not(tmp_path: Path) -> None:
    with story_run(tmp_path) as told:
        told.loops(2)
        heard = Heard(told)
        stop(told)
        assert "the kill file is NOT heard" in heard.ballast
        assert "/start and /pause" in heard.ballast
        assert f"AAA/USDT at {PLAN}" in heard.ballast
        assert "WITHOUT A STOP" not in heard.ballast
        # Once, not in every loop.
        said = len(heard.texts)
        told.loops(2)
        assert len(heard.texts) == said


def test_a_kill_file_after_stop_sells_nothing_until_the_bot_runs_again(tmp_path: Path) -> None:
    with story_run(tmp_path) as told:
        told.loops(2)
        stop(told)
        (Path(told.run.config["user_data_dir"]) / "KILL").touch()
        told.loops(3)
        assert told.trade.is_open
        assert resting(told) == [PLAN]
        told.run.bot.state = State.PAUSED
        told.loops(1)
        assert not told.trade.is_open
        assert told.coins < 0.01


def ended(told: Told) -> None:
    """As `freqtrade trade` ends by what its loop raised."""
    with pytest.raises((OperationalError, ValueError)):
        told.loops(1)
    told.run.stopped()


def test_what_was_bought_while_the_database_was_locked_has_its_stop_at_the_end(
    tmp_path: Path,
) -> None:
    """Freqtrade ends by the failed write; the coins were bought, and nothing knew of them."""
    with story_run(tmp_path) as told:
        exchange = told.run.exchange
        place = exchange.place
        other = sqlite3.connect(tmp_path / "trades.sqlite", check_same_thread=False)

        def locking(request: OrderRequest) -> Any:
            if not other.in_transaction and not exchange.orders:
                other.execute("BEGIN EXCLUSIVE")
            return place(request)

        def freed(*_: Any) -> None:
            other.rollback()

        with (
            patch.object(exchange, "place", locking),
            patch.object(told.run.bot, "cancel_all_open_orders", freed),
        ):
            ended(told)
        other.close()
        assert resting(told) == [PLAN]
        told.run.started()
        told.loops(3)
        assert resting(told) == [PLAN]
        assert told.run.differences() == []


def test_a_signal_in_the_middle_of_a_look_at_the_database_leaves_nothing_without_a_stop(
    tmp_path: Path,
) -> None:
    """SQLAlchemy gives up the connection in which Ctrl-C was heard; the session is told nothing."""
    with waiting(tmp_path) as (told, _):
        fill(told)
        Trade.session.connection().invalidate()
        told.run.stopped()
        assert resting(told) == [PLAN]


def test_an_entry_of_which_nothing_is_known_at_the_end_is_told(tmp_path: Path) -> None:
    """Its answer is no number, and neither are those that come when it is asked for."""

    @web.middleware
    async def no_number(request: web.Request, handler: Any) -> web.StreamResponse:
        response = await handler(request)
        if request.path not in ("/api/v3/order", "/api/v3/allOrders"):
            return response
        text = re.sub(
            r'"cummulativeQuoteQty": ?"[^"]*"', '"cummulativeQuoteQty": "NaN"', response.text
        )
        return web.Response(text=text, status=response.status, content_type="application/json")

    with story_run(tmp_path, middlewares=[no_number]) as told:
        heard = Heard(told)
        ended(told)
        assert told.coins > 9
        assert "MAYBE BOUGHT, WITHOUT A STOP: AAA/USDT" in heard.ballast
