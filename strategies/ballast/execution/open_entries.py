"""Entry orders that are open: how long, and after what they are given up.

Freqtrade places no stop before an entry order has ended, so that what a partly filled one has
bought stands unprotected: its rest is cancelled a few seconds after its first fill. Freqtrade does
not cancel where the part that filled could not be sold again (`handle_cancel_enter`): such an order
is cancelled here, and its part is dust (`execution.dust`).

An entry that is given up is always cancelled by the time-out. Freqtrade would also take None from
`adjust_order_price`, but deletes the trade of an order that it then cannot cancel.
"""

import logging
import math
from collections.abc import Callable, Iterable
from datetime import datetime

from freqtrade.exceptions import ExchangeError
from freqtrade.persistence import LocalTrade, Order, Trade

from ballast.config.execution import PreTradeSettings, PricingSettings, WatchSettings
from ballast.core.columns import CandleColumns
from ballast.core.events import Event, EventKind
from ballast.core.pricing import followed
from ballast.core.reasons import Reason
from ballast.core.verdict import Verdict
from ballast.execution.bot import BotHandle

logger = logging.getLogger(__name__)


class OpenEntries:
    """
    Decides about open entry orders.

    Parameters
    ----------
    gate : PreTradeSettings
    watch : WatchSettings
    pricing : PricingSettings
    may_enter : callable
        Whether a pair may be entered at a moment: guards and kill file.
    columns_of : callable
        Gives a pair's columns, or None.
    fits : callable
        Whether so many units of a pair at a rate lose no more at their stop than one trade may.
    publish : callable
    """

    def __init__(
        self,
        gate: PreTradeSettings,
        watch: WatchSettings,
        pricing: PricingSettings,
        may_enter: Callable[[str, datetime], Verdict],
        columns_of: Callable[[str], CandleColumns | None],
        fits: Callable[[str, float, float, datetime], bool],
        publish: Callable[[Event], None],
    ) -> None:
        self._gate = gate
        self._watch = watch
        self._pricing = pricing
        self._may_enter = may_enter
        self._columns_of = columns_of
        self._fits = fits
        self._publish = publish
        # By order, when it was first seen to have filled in part.
        self._partial: dict[str, datetime] = {}
        # Orders that are given up, by why.
        self._given_up: dict[str, str] = {}

    def first_fill(self, order: Order) -> datetime | None:
        """When an order was first seen to have filled in part."""
        return self._partial.get(order.order_id)

    def is_given_up(self, trade: LocalTrade, order: Order, now: datetime) -> bool:
        """Whether what is left of an entry order is to be cancelled."""
        if order.order_id in self._given_up:
            return True
        why = self._why(trade.pair, order, now)
        if why is not None:
            self.give_up(trade, order, now, why)
        return why is not None

    def withdraw_kept(self, bot: BotHandle, trades: Iterable[Trade]) -> None:
        """Cancel entries that were given up in an earlier loop and are still open."""
        for trade in trades:
            for order in trade.open_orders:
                why = self._given_up.get(order.order_id)
                if why is None:
                    continue
                try:
                    with bot.exclusive():
                        bot.withdraw(trade, order, why)
                except ExchangeError as error:
                    # Asked again in the next loop.
                    logger.warning("%s: an entry is not cancelled yet: %s", trade.pair, error)

    def follow(
        self,
        trade: LocalTrade,
        order: Order,
        proposed: float | None,
        current: float,
        now: datetime,
    ) -> float | None:
        """
        Limit of an entry order that is open at a new candle; None where it is given up.

        It follows no further than `pricing.chase_atr` above the close of its signal, not beyond the
        risk of one trade, and not once its signal is too old. One that has filled in part is never
        moved: if it cannot be cancelled Freqtrade deletes its trade.

        Parameters
        ----------
        proposed : float or None
            Where it might stand, quote currency; None for nowhere.
        """
        if not order.ft_is_open or order.safe_filled > 0 or order.order_id in self._given_up:
            return current
        columns = self._columns_of(trade.pair)
        signal = columns.completed_at(trade.open_date_utc) if columns is not None else -1
        ended = Verdict(Reason.CHASE_ENDED, proposed or math.nan, current, 0.0)
        if columns is None or signal < 0 or proposed is None:
            self.give_up(trade, order, now, ended)
            return None
        age_s = now.timestamp() - (int(columns.opened[signal]) + columns.span) / 1e9
        close, atr = float(columns["close"][signal]), float(columns["atr"][signal])
        rate = followed(proposed, current, close, atr, self._pricing.chase_atr)
        if rate == current:
            return rate
        too_far = not math.isfinite(rate)
        if (
            too_far
            or age_s > self._gate.signal_age_s
            or not self._fits(trade.pair, order.safe_amount, rate, now)
        ):
            self.give_up(trade, order, now, ended)
            return None
        return rate

    def give_up(self, trade: LocalTrade, order: Order, now: datetime, why: Verdict) -> None:
        """Have an entry order cancelled, and tell why."""
        self._given_up[order.order_id] = why.code
        event = Event(now, EventKind.WATCH, why.code, trade.pair, trade.id, why.value, why.limit)
        self._publish(event)

    def _why(self, pair: str, order: Order, now: datetime) -> Verdict | None:
        if order.safe_filled > 0:
            since = self._partial.setdefault(order.order_id, now)
            stands_s, limit_s = (now - since).total_seconds(), self._watch.partial_fill_s
            if stands_s >= limit_s:
                return Verdict(Reason.PARTIAL_FILL, stands_s, limit_s, 0.0)
        age_s, limit_s = (now - order.order_date_utc).total_seconds(), self._pricing.entry_timeout_s
        if age_s >= limit_s:
            return Verdict(Reason.ENTRY_TIMEOUT, age_s, limit_s, 0.0)
        verdict = self._may_enter(pair, now)
        return verdict if verdict.blocks else None
