"""Moments on the way from a candle's close to a resting stop, kept with each trade.

What is measured where, and by which clock:

- received: start of the first loop that had the candle; Freqtrade has fetched it just before.
- analysed: all pairs of that loop analysed, and the guards have judged (our clock, as is the rest).
- gate: the last check of the gate passed; sent: the entry written down, the order goes out.
- acknowledged: Freqtrade made the trade, once the exchange had answered.
- first_fill: when a part was first seen to have filled, or the exchange's time of the fill.
- filled, stop_live: the exchange's times of the entry's last fill and of the stop order.

A trade whose entry was sent by a run that ended before the stop was live has no record.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from freqtrade.persistence import Order, Trade

from ballast.core.columns import CandleColumns
from ballast.core.events import Event, EventKind
from ballast.core.latency import as_text
from ballast.core.reasons import Reason
from ballast.core.times import from_epoch
from ballast.execution.adoption import STOP_SIDE
from ballast.execution.stop_watch import placed_at
from ballast.risk import custom_data

LATENCY = "latency"
CANDLE_CLOSE = "candle_close"
# An entry that has no trade by then never will.
_GIVEN_UP = timedelta(minutes=5)


class LatencyLog:
    """
    Notes the moments of each entry.

    Parameters
    ----------
    columns_of : callable
        Gives a pair's columns, or None.
    first_fill : callable
        When an order was first seen to have filled in part, or None.
    publish : callable
    clock : callable
        The present moment (UTC).
    """

    def __init__(
        self,
        columns_of: Callable[[str], CandleColumns | None],
        first_fill: Callable[[Order], datetime | None],
        publish: Callable[[Event], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._columns_of = columns_of
        self._first_fill = first_fill
        self._publish = publish
        self._clock = clock
        self._loop = clock()
        # By pair the close of its newest candle, and when that was received and analysed.
        self._ready: dict[str, tuple[datetime, datetime, datetime]] = {}
        # By pair the moments of an entry whose stop is not live yet.
        self._under_way: dict[str, dict[str, datetime]] = {}

    def received(self) -> None:
        """A loop begins; what the exchange had was fetched just before."""
        self._loop = self._clock()

    def analysed(self, pairs: Iterable[str]) -> None:
        """All pairs are analysed."""
        now = self._clock()
        for pair in pairs:
            columns = self._columns_of(pair)
            if columns is None or not len(columns):
                continue
            closed = from_epoch((int(columns.opened[-1]) + columns.span) / 1e9)
            if pair not in self._ready or self._ready[pair][0] != closed:
                self._ready[pair] = (closed, self._loop, now)

    def gate_passed(self, pair: str) -> None:
        """An entry has passed the gate."""
        if pair in self._ready:
            closed, received, analysed = self._ready[pair]
            self._under_way[pair] = {
                CANDLE_CLOSE: closed,
                "received": received,
                "analysed": analysed,
                "gate": self._clock(),
            }

    def sent(self, pair: str) -> None:
        """Its order goes out."""
        if pair in self._under_way:
            self._under_way[pair]["sent"] = self._clock()

    def dropped(self, pair: str) -> None:
        """What has passed the gate is no entry of its own."""
        self._under_way.pop(pair, None)

    def settle(self, opened: Sequence[Trade]) -> None:
        """Keep the record of every entry whose stop is live by now, or whose trade has ended."""
        for pair, moments in list(self._under_way.items()):
            sent = moments.get("sent", moments["gate"])
            trade = next((t for t in opened if t.pair == pair), None) or _ended(pair, sent)
            if trade is None:
                if self._clock() - sent > _GIVEN_UP:
                    del self._under_way[pair]
            elif trade.has_open_sl_orders or not trade.is_open:
                self._keep(trade, self._under_way.pop(pair))

    def _keep(self, trade: Trade, moments: dict[str, datetime]) -> None:
        moments |= self._of_orders(trade)
        closed = moments.pop(CANDLE_CLOSE)
        seconds = {
            stage: round((moment - closed).total_seconds(), 3) for stage, moment in moments.items()
        }
        custom_data.store(trade, LATENCY, as_text(closed, seconds))
        value = seconds.get("stop_live", max(seconds.values()))
        event = Event(
            self._clock(),
            EventKind.LATENCY,
            Reason.ENTRY,
            trade.pair,
            trade.id,
            value,
            facts=seconds,
        )
        self._publish(event)

    def _of_orders(self, trade: Trade) -> dict[str, datetime]:
        """Moments that Freqtrade has recorded with the trade's orders."""
        moments = {"acknowledged": trade.open_date_utc}
        entries = [order for order in trade.orders if order.ft_order_side == trade.entry_side]
        stops = [order for order in trade.orders if order.ft_order_side == STOP_SIDE]
        if entries and (filled := entries[0].order_filled_utc) is not None:
            moments["first_fill"] = self._first_fill(entries[0]) or filled
            moments["filled"] = filled
        if stops:
            moments["stop_live"] = min(placed_at(order, trade.open_date_utc) for order in stops)
        return moments


def _ended(pair: str, since: datetime) -> Trade | None:
    """A trade that has come and gone."""
    after = (since - timedelta(seconds=1)).replace(tzinfo=None)
    return Trade.get_trades([Trade.pair == pair, Trade.open_date >= after]).first()
