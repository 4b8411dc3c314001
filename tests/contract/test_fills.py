"""What Freqtrade does when an order has filled, is taken back, or nobody is asked any more.

Ballast places the stop where a fill is booked, takes back what Freqtrade keeps, and looks a last
time before the bot ends or stops: the order of events that this leans on is written down here.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

import pytest
from freqtrade.enums import RPCMessageType, State
from freqtrade.freqtradebot import FreqtradeBot
from freqtrade.persistence import Order, Trade
from freqtrade.rpc import RPCHandler
from freqtrade.worker import Worker

from ballast.execution.bot import BotHandle
from ballast.strategy.fail_closed import fail_closed
from tests.behaviour.live_story import Shy, hourly
from tests.behaviour.mini import at, quiet
from tests.contract.live_bot import PAIR, PRICE, enter, live_bot
from tests.engine import ScriptedStrategy
from tests.exchange import PAIR as AAA
from tests.live_run import LiveRun, live_run

OTHER = {"exit_pricing": {"price_side": "other", "use_order_book": False}}


class Noting(ScriptedStrategy):
    """Notes what it is asked, and with which trade."""

    use_custom_stoploss = True
    order_types: ClassVar[dict[str, Any]] = {
        "entry": "limit",
        "exit": "market",
        "stoploss": "market",
        "stoploss_on_exchange": True,
    }
    asked: ClassVar[list[Any]] = []

    def order_filled(self, trade: Trade, **_: Any) -> None:
        self.asked.append(("order_filled", trade))

    def custom_stoploss(self, trade: Trade, after_fill: bool, **_: Any) -> float | None:
        self.asked.append(("custom_stoploss", trade) if after_fill else None)
        return None

    def ft_stoploss_adjust(self, rate: float, trade: Trade, *more: Any, **named: Any) -> None:
        super().ft_stoploss_adjust(rate, trade, *more, **named)
        if named.get("after_fill"):
            self.asked.append(("ft_stoploss_adjust", trade))

    def ft_bot_cleanup(self) -> None:
        self.asked.append(("ft_bot_cleanup", None))


@pytest.fixture(autouse=True)
def nothing_asked() -> None:
    Noting.asked.clear()


def noted() -> list[str]:
    return [one[0] for one in Noting.asked if one is not None]


def test_after_a_fill_the_stop_is_taken_off_before_it_is_adjusted_on_the_trade_itself(
    tmp_path: Path,
) -> None:
    """A stop placed in `order_filled` would be cancelled at once, on a copy of the trade."""
    with live_bot(Noting, tmp_path, **OTHER) as bot:

        def cancelling(trade: Trade, **_: Any) -> Trade:
            Noting.asked.append(("cancel", trade))
            return trade

        with patch.object(bot, "cancel_stoploss_on_exchange", cancelling):
            (trade,) = enter(bot)
        assert noted() == ["order_filled", "cancel", "custom_stoploss", "ft_stoploss_adjust"]
        seen = dict(one for one in Noting.asked if one is not None)
        assert seen["order_filled"] is not trade
        assert seen["ft_stoploss_adjust"] is trade


def test_a_callback_named_as_freqtrades_own_is_given_the_trade_itself(tmp_path: Path) -> None:
    class Own(Noting):
        @fail_closed(refusal=None)
        def order_filled(self, trade: Trade, **_: Any) -> None:
            self.asked.append(("order_filled", trade))

    with live_bot(Own, tmp_path, **OTHER) as bot:
        (trade,) = enter(bot)
        assert Noting.asked[0] == ("order_filled", trade)
        assert Noting.asked[0][1] is trade


def test_a_stop_entered_where_the_fill_is_booked_is_found_and_not_doubled(tmp_path: Path) -> None:
    class Placing(Noting):
        def ft_stoploss_adjust(self, rate: float, trade: Trade, *more: Any, **named: Any) -> None:
            super().ft_stoploss_adjust(rate, trade, *more, **named)
            if named.get("after_fill"):
                assert BotHandle(self.dp).place_stop(trade)

    with live_bot(Placing, tmp_path, **OTHER) as bot:
        (trade,) = enter(bot)
        assert len(trade.open_sl_orders) == 1
        bot.exit_positions([trade])
        Trade.session.expire_all()
        assert [order.ft_order_side for order in trade.orders] == ["buy", "stoploss"]
        assert trade.open_sl_orders[0].stop_price == pytest.approx(trade.stop_loss)


def test_after_a_part_was_sold_the_stop_is_adjusted_on_the_trade_itself_too(
    tmp_path: Path,
) -> None:
    with live_bot(Noting, tmp_path, **OTHER) as bot:
        (trade,) = enter(bot)
        Noting.asked.clear()
        bot.rpc._rpc._rpc_force_exit(str(trade.id), ordertype="market", amount=trade.amount / 2)
        assert trade.is_open
        assert noted() == ["order_filled", "custom_stoploss", "ft_stoploss_adjust"]
        assert Noting.asked[-1][1] is trade


def test_a_bot_that_is_stopped_asks_no_strategy_and_tells_its_message_modules(
    tmp_path: Path,
) -> None:
    """Nothing of a strategy is called from then on: a listener of messages is all there is."""

    class Listening(RPCHandler):
        def __init__(self) -> None:
            self._config: dict[str, Any] = {}

        def send_msg(self, msg: Any) -> None:
            if msg["type"] == RPCMessageType.STATUS:
                Noting.asked.append((msg["status"], bot.state))

        def cleanup(self) -> None: ...

    with live_bot(Noting, tmp_path, cancel_open_orders_on_exit=True, **OTHER) as bot:
        enter(bot)
        bot.rpc.registered_modules.append(Listening())
        worker = Worker.__new__(Worker)
        worker.freqtrade, worker._config, worker._sd_notify = bot, bot.config, None
        worker._heartbeat_interval, worker._throttle_secs = 0, 0
        bot.state = State.STOPPED
        Noting.asked.clear()
        with patch.object(Worker, "_sleep", staticmethod(lambda _s: None)):
            state = worker._worker(old_state=State.RUNNING)
            worker._worker(old_state=state)
        assert Noting.asked == [("stopped", State.STOPPED)]


def test_the_strategy_is_cleaned_up_between_the_last_cancellations_and_the_exchanges_end(
    tmp_path: Path,
) -> None:
    with live_bot(Noting, tmp_path, cancel_open_orders_on_exit=True, **OTHER) as bot:
        Noting.asked.clear()
        for owner, name in ((bot, "cancel_all_open_orders"), (bot.exchange, "close")):
            noting = patch.object(owner, name, lambda name=name: Noting.asked.append((name, None)))
            noting.start()
        bot.cleanup()
        patch.stopall()
        assert noted() == ["cancel_all_open_orders", "ft_bot_cleanup", "close"]


class Waits(ScriptedStrategy):
    """Buys, and says of its open orders what a test wants."""

    enter_rows: ClassVar[set[int]] = set()
    gives_up: ClassVar[bool] = False
    moves_to: ClassVar[float | None] = None

    def populate_entry_trend(self, dataframe: Any, metadata: dict) -> Any:
        dataframe["enter_long"] = (dataframe["date"] == at(2)).astype(int)
        return dataframe

    def check_entry_timeout(self, **_: Any) -> bool:
        return self.gives_up

    def adjust_order_price(self, current_order_rate: float, **_: Any) -> float | None:
        return current_order_rate if self.moves_to is None else self.moves_to or None


def crumb(run: LiveRun) -> None:
    """Fill less of the entry than the exchange's smallest order."""
    (entry,) = run.exchange.open_orders()
    run.exchange.fill(entry, entry.price, 10**6, round(run.now.timestamp() * 1000), maker=True)


@pytest.mark.parametrize("end", ["time-out", "SIGINT"])
def test_an_entry_of_which_too_little_has_filled_stays_in_the_book(
    end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, begin = hourly([*quiet(6)]), at(3)
    settings: dict[str, Any] = {
        "loop_seconds": 5,
        "hooks": Shy(buy=0.0),
        "cancel_open_orders_on_exit": True,
    }
    with live_run(Waits, source, tmp_path, begin.replace(second=1), **settings) as run:
        run.loop()
        crumb(run)
        run.loop()
        if end == "time-out":
            monkeypatch.setattr(Waits, "gives_up", True)
            run.loop()
        else:
            run.stopped()
        (order,) = run.exchange.open_orders()
        assert order.executed
        assert [trade.amount for trade in run.trades] == [0]


@pytest.mark.parametrize("answer", [0.0, 100.5])
def test_an_order_that_cannot_be_cancelled_loses_its_trade_when_it_is_moved(
    answer: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Given up (None) or moved: the trade is deleted, and the order goes on buying."""
    source, begin = hourly([*quiet(6)]), at(3)
    patient = {"entry": 1440, "exit": 1440, "unit": "minutes"}
    settings: dict[str, Any] = {
        "loop_seconds": 5,
        "hooks": Shy(buy=0.0),
        "unfilledtimeout": patient,
    }
    with live_run(Waits, source, tmp_path, begin.replace(second=1), **settings) as run:
        run.loop()
        crumb(run)
        run.loop()
        monkeypatch.setattr(Waits, "moves_to", answer)
        run.clock.shift(3_600)
        with patch.object(run.bot, "enter_positions", lambda _slots: 0):
            run.loop()
        assert run.trades == []
        assert len(run.exchange.open_orders()) == 1
        assert run.exchange.market.markets()[0].pair == AAA


def test_a_trade_closed_without_an_exit_order_stays_closed(tmp_path: Path) -> None:
    """As dust is: its fees are not searched for, and its loss is in the account's profit."""
    with live_bot(ScriptedStrategy, tmp_path) as bot:
        (trade,) = enter(bot)
        trade.is_open, trade.exit_reason, trade.close_rate = False, "dust", 0.0
        trade.close_date, trade.close_profit = trade.open_date, -1.0
        trade.close_profit_abs = trade.realized_profit = -trade.open_trade_value
        trade.fee_close_cost, trade.fee_close_currency = 0.0, "USDT"
        Trade.commit()
        assert Trade.get_closed_trades_without_assigned_fees() == []
        assert Trade.get_total_closed_profit() == pytest.approx(-trade.open_trade_value)
        assert Trade.get_open_trade_count() == 0
        (shown,) = bot.rpc._rpc._rpc_trade_history(10)["trades"]
        assert (shown["exit_reason"], shown["profit_ratio"]) == ("dust", -1.0)


def test_what_the_bot_handle_reaches_for_is_there(tmp_path: Path) -> None:
    with live_bot(Noting, tmp_path, **OTHER) as bot:
        handle = BotHandle(bot.strategy.dp)
        assert handle._bot is bot
        assert handle.exit_rate(PAIR) == PRICE
        with handle.exclusive():
            assert bot._exit_lock.locked()
        bot.strategy.dp.send_msg("at the end", always_send=True)
        handle.send_queued()
        assert not bot.strategy.dp._msg_queue
        (trade,) = enter(bot)
        assert handle.leave(trade, PRICE, "why")
        assert (trade.is_open, trade.exit_reason) == (False, "why")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("create_stoploss_order", {"trade", "stop_price"}),
        ("execute_trade_exit", {"trade", "limit", "exit_check"}),
        ("handle_cancel_enter", {"trade", "order", "order_obj", "reason"}),
        ("update_trade_state", {"trade", "order_id", "action_order"}),
        ("handle_protections", {"pair", "side"}),
    ],
)
def test_the_bots_own_words_have_the_arguments_they_are_given(
    name: str, arguments: set[str]
) -> None:
    assert arguments <= set(inspect.signature(getattr(FreqtradeBot, name)).parameters)


def test_an_order_that_is_not_open_is_no_longer_asked_about(tmp_path: Path) -> None:
    """Orders of a trade are looked at by `ft_is_open`, which an ended status takes away."""
    order = Order(order_id="1", ft_order_side="buy", ft_pair=PAIR, ft_amount=1.0, ft_price=1.0)
    order.update_from_ccxt_object({"id": "1", "status": "canceled", "filled": 0.01})
    assert order.ft_is_open is False
    assert order.order_filled_date is not None
