"""Stops on the exchange from the moment of a fill.

Freqtrade places the stop of a position in its loop, after the fill was booked: with an end of the
process or a `/stop` between the two there is none. Here it is placed where the fill is booked
(`ft_stoploss_adjust` with `after_fill`, on the trade itself), and entered among the trade's orders,
so that the loop finds it. Where the wanted stop is already through the market the position is left.
What has no stop at the beginning of a loop gets it there, first of all.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime

from freqtrade.exceptions import DependencyException
from freqtrade.persistence import LocalTrade, Order, Trade

from ballast.core.reasons import Reason
from ballast.execution.adoption import STOP_SIDE
from ballast.execution.bot import BotHandle
from ballast.execution.dust import Dust

logger = logging.getLogger(__name__)


class RestingStops:
    """
    Places stops that are due.

    Parameters
    ----------
    bot : BotHandle
    dust : Dust
    rests : bool
        Whether stops rest on the exchange (in paper trading: on Freqtrade's simulation of one).
    stop_of : callable
        The plan's stop of a position at a moment, quote currency.
    leaving : dict of int to str
        By trade, why it is left: written before it is, so that no veto of the strategy's holds.
    adjust : callable
        The strategy's `ft_stoploss_adjust`.
    report : callable
        Told of a failure, and where.
    """

    def __init__(
        self,
        bot: BotHandle,
        dust: Dust,
        rests: bool,
        stop_of: Callable[[LocalTrade, datetime], float],
        leaving: dict[int, str],
        adjust: Callable[..., None],
        report: Callable[[str, Exception], None],
    ) -> None:
        self._bot = bot
        self._dust = dust
        self._rests = rests
        self._stop_of = stop_of
        self._leaving = leaving
        self._adjust = adjust
        self._report = report
        # Trades with a fill whose stop has not been seen to.
        self._due: set[int] = set()

    def filled(self, trade: LocalTrade, order: Order) -> None:
        """Note that an entry or exit has filled; what follows a stop order, Freqtrade places."""
        if self._rests and order.ft_order_side != STOP_SIDE:
            self._due.add(trade.id)

    def after_fill(self, trade: Trade, rate: float, now: datetime) -> None:
        """
        Protect or leave what is held after a fill, if that has not been done yet.

        Parameters
        ----------
        rate : float
            What a sale would fetch now, quote currency.
        """
        if trade.id not in self._due:
            return
        self._due.discard(trade.id)
        if not is_bare(trade):
            return
        try:
            self._see_to(trade, rate, now)
        except DependencyException as error:
            # The position is bare, and is seen to at the beginning of the next loop.
            logger.warning("%s: there is no stop yet: %s", trade.pair, error)

    def _see_to(self, trade: Trade, rate: float, now: datetime) -> None:
        if self._dust.is_dust(trade, rate):
            self._dust.close(trade, rate, now)
        elif self._wanted(trade, now) >= rate:
            reason = self._leaving[trade.id] = Reason.STOP_THROUGH_MARKET.value
            self._bot.leave(trade, rate, reason)
        else:
            self._bot.place_stop(trade)

    def restore(self, trades: Iterable[Trade], now: datetime) -> None:
        """Protect or leave every position that has no stop; each by itself."""
        for trade in trades:
            if not (self._rests and is_bare(trade)):
                continue
            try:
                with self._bot.exclusive():
                    self._restore(trade, now)
            except DependencyException as error:
                # Asked again in the next loop.
                logger.warning("%s: there is no stop yet: %s", trade.pair, error)
            except Exception as error:
                self._report(f"the stop of {trade.pair}", error)

    def _restore(self, trade: Trade, now: datetime) -> None:
        # A person may have sold it meanwhile.
        Trade.session.refresh(trade)
        if not is_bare(trade):
            return
        rate = self._bot.exit_rate(trade.pair)
        self._due.add(trade.id)
        self._adjust(rate, trade, now, trade.calc_profit_ratio(rate), 0, after_fill=True)
        Trade.commit()

    def _wanted(self, trade: Trade, now: datetime) -> float:
        try:
            return self._stop_of(trade, now)
        except Exception as error:
            # The stop in the database is better than none.
            self._report(f"the stop plan of {trade.pair}", error)
            return 0.0


def is_bare(trade: LocalTrade) -> bool:
    """Whether a position has neither a stop nor an exit order, by the database."""
    if not (trade.is_open and trade.has_open_position):
        return False
    return not trade.has_open_sl_orders and not any(
        order.ft_order_side == trade.exit_side for order in trade.open_orders
    )


def resting_stop(trade: LocalTrade) -> float:
    """The stop that rests on the exchange by the database, quote currency; 0 for none."""
    return max((o.stop_price or o.ft_price for o in trade.open_sl_orders), default=0.0)
