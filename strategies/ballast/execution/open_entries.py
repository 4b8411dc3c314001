"""Entry orders that are open: how long, and after what they are given up.

Freqtrade places no stop before an entry order has ended, so that what a partly filled one has
bought stands unprotected: its rest is cancelled a few seconds after its first fill. Freqtrade does
not cancel where the part that filled could not be sold again (`handle_cancel_enter`): such an order
is asked about in every loop and ends at the first fill that makes it large enough. What remains is
a part below the exchange's smallest order, without a stop.
"""

import math
from collections.abc import Callable
from datetime import datetime

from freqtrade.persistence import LocalTrade, Order

from ballast.config.execution import PreTradeSettings, PricingSettings, WatchSettings
from ballast.core.columns import CandleColumns
from ballast.core.events import Event, EventKind
from ballast.core.pricing import followed
from ballast.core.reasons import Reason
from ballast.core.verdict import Verdict


class OpenEntries:
    """
    Decides about open entry orders.

    Parameters
    ----------
    gate : PreTradeSettings
    watch : WatchSettings
    pricing : PricingSettings
    guards : callable
        The guards' verdict on a pair at a moment.
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
        guards: Callable[[str, datetime], Verdict],
        columns_of: Callable[[str], CandleColumns | None],
        fits: Callable[[str, float, float, datetime], bool],
        publish: Callable[[Event], None],
    ) -> None:
        self._gate = gate
        self._watch = watch
        self._pricing = pricing
        self._guards = guards
        self._columns_of = columns_of
        self._fits = fits
        self._publish = publish
        # By order, when it was first seen to have filled in part.
        self._partial: dict[str, datetime] = {}
        self._told: set[str] = set()

    def first_fill(self, order: Order) -> datetime | None:
        """When an order was first seen to have filled in part."""
        return self._partial.get(order.order_id)

    def is_given_up(self, trade: LocalTrade, order: Order, now: datetime) -> bool:
        """Whether what is left of an entry order is to be cancelled."""
        why = self._why(trade.pair, order, now)
        if why is not None and order.order_id not in self._told:
            self._told.add(order.order_id)
            event = Event(
                now, EventKind.WATCH, why.code, trade.pair, trade.id, why.value, why.limit
            )
            self._publish(event)
        return why is not None

    def follow(
        self, trade: LocalTrade, order: Order, proposed: float, current: float, now: datetime
    ) -> float | None:
        """
        Limit of an entry order that is open at a new candle; None gives it up.

        It follows no further than `pricing.chase_atr` above the close of its signal, not beyond the
        risk of one trade, and not once its signal is too old.
        """
        columns = self._columns_of(trade.pair)
        signal = columns.completed_at(trade.open_date_utc) if columns is not None else -1
        if columns is None or signal < 0:
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
            event = Event(
                now, EventKind.WATCH, Reason.CHASE_ENDED, trade.pair, trade.id, proposed, current
            )
            self._publish(event)
            return None
        return rate

    def _why(self, pair: str, order: Order, now: datetime) -> Verdict | None:
        if order.safe_filled > 0:
            since = self._partial.setdefault(order.order_id, now)
            stands_s, limit_s = (now - since).total_seconds(), self._watch.partial_fill_s
            if stands_s >= limit_s:
                return Verdict(Reason.PARTIAL_FILL, stands_s, limit_s, 0.0)
        age_s, limit_s = (now - order.order_date_utc).total_seconds(), self._pricing.entry_timeout_s
        if age_s >= limit_s:
            return Verdict(Reason.ENTRY_TIMEOUT, age_s, limit_s, 0.0)
        verdict = self._guards(pair, now)
        return verdict if verdict.blocks else None
