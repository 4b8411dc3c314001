"""Stops as they are: seconds without one, and a stop that price has gone through unfilled.

The stop of a position is placed with its fill (`execution.resting_stops`), and again in every loop
where that fails. Binance's spot stop is a limit order, which a jump can leave behind: it rests
above the market and sells nothing. Both are left by market; leaving by a reason of our own makes
Freqtrade take the stop away first.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from freqtrade.persistence import LocalTrade, Order, Trade

from ballast.config.execution import WatchSettings
from ballast.core.coverage import uncovered_s
from ballast.core.events import Event, EventKind
from ballast.core.reasons import Reason
from ballast.core.reconciliation import CLOCK_SKEW
from ballast.execution.adoption import STOP_SIDE
from ballast.execution.resting_stops import is_bare, resting_stop

logger = logging.getLogger(__name__)


class StopWatch:
    """
    Watches the stops of open positions.

    Parameters
    ----------
    settings : WatchSettings
    rests : bool
        Whether stops rest on the exchange (in paper trading: on Freqtrade's simulation of one).
    publish : callable
    """

    def __init__(
        self, settings: WatchSettings, rests: bool, publish: Callable[[Event], None]
    ) -> None:
        self._settings = settings
        self._rests = rests
        self._publish = publish
        # By trade, since when it has been seen without a stop, and since when below its stop.
        self._bare: dict[int, datetime] = {}
        self._told: set[int] = set()
        self._below: dict[int, datetime] = {}

    def look(self, trades: Sequence[Trade], now: datetime) -> list[str]:
        """Take note of positions without a stop; their pairs."""
        bare = [trade for trade in trades if self._rests and is_bare(trade)]
        self._bare = {trade.id: self._bare.get(trade.id, now) for trade in bare}
        self._told &= self._bare.keys()
        opened = {trade.id for trade in trades}
        self._below = {id_: since for id_, since in self._below.items() if id_ in opened}
        return [trade.pair for trade in bare]

    def tell(self, trades: Sequence[Trade], now: datetime) -> None:
        """Tell about positions that have had no stop for too long, each once."""
        for trade in trades:
            if trade.id in self._bare and is_bare(trade):
                self._tell(trade, now)

    def reason_to_leave(self, trade: LocalTrade, rate: float, now: datetime) -> str | None:
        """
        Exit reason, or None to stay.

        Parameters
        ----------
        rate : float
            What a sale would fetch now, quote currency.
        """
        since = self._bare.get(trade.id) if is_bare(trade) else None
        if _longer(since, now, self._settings.leave_bare_s):
            return Reason.STOP_MISSING_EXIT
        stop = resting_stop(trade)
        if rate > stop:
            self._below.pop(trade.id, None)
            return None
        since = self._below.setdefault(trade.id, now)
        if not _longer(since, now, self._settings.stop_stuck_s):
            return None
        self._publish(
            Event(now, EventKind.WATCH, Reason.STOP_JUMPED, trade.pair, trade.id, rate, stop)
        )
        return Reason.STOP_JUMPED_EXIT

    def _tell(self, trade: Trade, now: datetime) -> None:
        since = self._bare[trade.id]
        if trade.id in self._told or not _longer(since, now, self._settings.stop_missing_s):
            return
        self._told.add(trade.id)
        logger.error("%s has had no stop on the exchange since %s", trade.pair, since)
        bare_s, limit = (now - since).total_seconds(), self._settings.stop_missing_s
        self._publish(
            Event(now, EventKind.WATCH, Reason.STOP_MISSING, trade.pair, trade.id, bare_s, limit)
        )


def bare_s(trade: LocalTrade, first_fill: datetime | None, now: datetime) -> float:
    """
    Seconds of a position's life without a stop or exit order, by the records of its orders.

    Parameters
    ----------
    first_fill : datetime or None
        When the entry began to fill (UTC); None for when it was filled.
    """
    fills = [o.order_filled_utc for o in trade.orders if o.ft_order_side == trade.entry_side]
    begin = first_fill or min((fill for fill in fills if fill is not None), default=None)
    if begin is None:
        return 0.0
    end = now if trade.is_open else trade.close_date_utc
    covers = [o for o in trade.orders if o.ft_order_side in (STOP_SIDE, trade.exit_side)]
    spans = [(placed_at(order, trade.open_date_utc), _gone(order, end)) for order in covers]
    return uncovered_s(begin, end, spans)


def placed_at(order: Order, entered: datetime) -> datetime:
    """
    When an order that followed an entry was placed (UTC).

    Binance answers to a new stop with the time at which it works as -1, which ccxt takes for the
    time of the order until it is fetched: such a time is none, and when it was recorded stands in.
    """
    placed, updated = order.order_date_utc, order.order_update_date
    if placed >= entered - CLOCK_SKEW or updated is None:
        return placed
    return updated.replace(tzinfo=UTC)


def _gone(order: Order, end: datetime) -> datetime:
    """When an order left the exchange."""
    if order.ft_is_open:
        return end
    updated = order.order_update_date
    return order.order_filled_utc or (updated.replace(tzinfo=UTC) if updated else end)


def _longer(since: datetime | None, now: datetime, seconds: float) -> bool:
    return since is not None and now - since >= timedelta(seconds=seconds)
