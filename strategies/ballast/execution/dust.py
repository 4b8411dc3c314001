"""Positions too small for any order: closed in the database, and told.

Less than the exchange's smallest order can neither be sold nor have a stop. It comes of an entry
that was taken back after its first fill, or of a stop that has left a crumb. Freqtrade would try to
protect and to sell it for ever, and it would take the place of a trade: its value is booked as a
loss, and the coins stay on the account as what closed positions have left.
"""

import logging
from collections.abc import Callable
from datetime import datetime

from freqtrade.persistence import LocalTrade, Trade

from ballast.core.events import Event, EventKind
from ballast.core.reasons import Reason
from ballast.execution.bot import BotHandle
from ballast.execution.exchange_view import ExchangeView

logger = logging.getLogger(__name__)


class Dust:
    """
    Knows and closes positions that are too small.

    Parameters
    ----------
    bot : BotHandle
    view : ExchangeView
    publish : callable
    """

    def __init__(
        self, bot: BotHandle, view: ExchangeView, publish: Callable[[Event], None]
    ) -> None:
        self._bot = bot
        self._view = view
        self._publish = publish

    def is_dust(self, trade: LocalTrade, rate: float) -> bool:
        """
        Whether what a trade holds cannot be sold, neither at a rate (quote currency) nor at that of
        its entry: a price that is wrong makes no dust.
        """
        rate = max(rate, trade.open_rate)
        return 0 < trade.amount * rate < self._view.smallest(trade.pair, rate)

    def close(self, trade: Trade, rate: float, now: datetime) -> None:
        """Close a trade whose coins cannot be sold, at nothing."""
        value, smallest = trade.amount * rate, self._view.smallest(trade.pair, rate)
        # Before it was rounded down to lots; what was sold of it is booked already.
        lost = trade.stake_amount * (1 + trade.fee_open)
        earned = (trade.realized_profit or 0.0) - lost
        invested = (trade.max_stake_amount or 0.0) * (1 + trade.fee_open) or lost
        trade.is_open = False
        trade.exit_reason = Reason.DUST_EXIT.value
        trade.exit_order_status = "closed"
        trade.close_date = now.replace(tzinfo=None)
        trade.close_rate = 0.0
        # No order of an exit has told a fee; none will.
        trade.fee_close_cost, trade.fee_close_currency = 0.0, trade.stake_currency
        trade.close_profit = earned / invested
        trade.close_profit_abs = trade.realized_profit = earned
        Trade.commit()
        logger.warning("%s: %s units are too little to be sold: closed", trade.pair, trade.amount)
        facts = {"units": trade.amount, "lost": lost}
        event = Event(
            now, EventKind.WATCH, Reason.DUST, trade.pair, trade.id, value, smallest, facts
        )
        self._publish(event)
        self._bot.closed(trade)
        left = (trade.pair, trade.id, 100 * trade.close_profit, 0.0, {"rate": 0.0})
        self._publish(Event(now, EventKind.EXIT, Reason.DUST_EXIT, *left))
