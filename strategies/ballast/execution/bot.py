"""The one module that reaches through to Freqtrade's bot.

For what only the bot can do and record in its own words: place a stop, leave a position, take back
an entry. It is found through the data provider's message channel; every name used here is held by
a contract test.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from freqtrade.constants import NON_OPEN_EXCHANGE_STATES
from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import ExitCheckTuple, ExitType, RPCMessageType
from freqtrade.persistence import Order, Trade


class BotHandle:
    """
    Freqtrade's bot as seen from a strategy.

    Parameters
    ----------
    dp : DataProvider
        Of the strategy.
    """

    def __init__(self, dp: DataProvider) -> None:
        self._dp = dp

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """
        Keep out the threads of Telegram and API (`/forceexit`) meanwhile.

        Not to be held where the bot holds it itself: in every callback but `bot_loop_start`.
        """
        with self._bot._exit_lock:
            yield

    def exit_rate(self, pair: str) -> float:
        """What a sale would fetch now, quote currency; one request."""
        rate = self._bot.exchange.get_rate(pair, side="exit", is_short=False, refresh=True)
        return float(rate)

    def place_stop(self, trade: Trade) -> bool:
        """
        Place the stop that a trade has in the database, and record it; whether it rests now.

        Where the exchange refuses it as an order the position is sold (Freqtrade's emergency exit).
        """
        return bool(self._bot.create_stoploss_order(trade, trade.stoploss_or_liquidation))

    def leave(self, trade: Trade, rate: float, reason: str) -> bool:
        """Take a trade's stop off and sell it by market; whether the order was sent."""
        check = ExitCheckTuple(exit_type=ExitType.CUSTOM_EXIT, exit_reason=reason)
        return bool(self._bot.execute_trade_exit(trade, rate, exit_check=check))

    def withdraw(self, trade: Trade, order: Order, why: str) -> bool:
        """
        Cancel what is left of an entry order, however little of it has filled; whether it has
        ended.

        Freqtrade itself keeps an order whose filled part is below the exchange's minimum.
        """
        # Telegram's thread may have ended it meanwhile.
        Trade.session.refresh(order)
        if not order.ft_is_open:
            return True
        bot = self._bot
        answer = bot.exchange.cancel_order_with_result(order.order_id, trade.pair, trade.amount)
        # Where an exchange no longer knows the order Freqtrade makes up an answer: nothing filled.
        answer = {**answer, "filled": max(answer.get("filled") or 0.0, order.safe_filled)}
        status = answer.get("status")
        if status not in NON_OPEN_EXCHANGE_STATES:
            return False
        if status == "closed":
            bot.update_trade_state(trade, order.order_id, answer)
        else:
            order.ft_cancel_reason = why
            bot.handle_cancel_enter(trade, answer, order, why)
        return True

    def closed(self, trade: Trade) -> None:
        """After a trade was closed without an exit order: no entry of its pair for a candle."""
        self._bot.handle_protections(trade.pair, trade.trade_direction)

    def say(self, text: str) -> None:
        """Send a warning now: to whoever is told of the bot's state."""
        self._bot.rpc.send_msg({"type": RPCMessageType.WARNING, "status": text})

    def send_queued(self) -> None:
        """Send what waits for the end of a loop that does not come any more."""
        self._bot.rpc.process_msg_queue(self._dp._msg_queue)

    @property
    def _bot(self) -> Any:
        rpc = getattr(self._dp, "_DataProvider__rpc", None)
        if rpc is None:
            raise RuntimeError("there is no bot in this run mode")
        return rpc._rpc._freqtrade
