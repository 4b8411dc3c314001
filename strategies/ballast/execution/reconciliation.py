"""The account against the database: at start, every few minutes, and where something is amiss.

What the bot's database does not account for is either the owner's, or unknown. The owner's is what
was there when this pair was looked at first: it is remembered, and never touched. Growth beyond it
is unknown: entries of all pairs stop until it is explained or gone. It is acted upon only as far as
orders of a bot explain it (`watch.unknown`); a deposit by hand is told about, and left alone. Where
the bot has an `available_capital` others may trade on the account too: what is amiss with a pair
then refuses entries of that pair alone, and nothing is acted upon.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from freqtrade.exceptions import ExchangeError, TemporaryError
from freqtrade.persistence import Trade

from ballast.config.execution import WatchSettings
from ballast.core import reconciliation
from ballast.core.backoff import Backoff
from ballast.core.events import Event, EventKind
from ballast.core.reasons import Reason
from ballast.core.reconciliation import BUY, Discrepancy, RecordedPositions, SeenOrder
from ballast.core.verdict import ALLOW, Verdict
from ballast.execution.adoption import adopt_stop
from ballast.execution.comparison_round import A_LOOP, ComparisonRound
from ballast.execution.exchange_view import ExchangeView
from ballast.execution.foreign import Foreign
from ballast.execution.holdings import OwnerHoldings
from ballast.execution.recorded_positions import lot, recorded_positions, recorded_positions_of
from ballast.risk.state_store import StateStore

logger = logging.getLogger(__name__)

# The name under which requests about the whole account pause.
_ACCOUNT = "account"
# A balance may be told a little later than the order that changed it.
CONFIRMED_AFTER = timedelta(seconds=4)


_Key = tuple[str, str, str]


@dataclass
class _Doubt:
    """Something amiss: as seen last, since when, and whether it has been told."""

    seen: Discrepancy
    since: datetime
    told: bool = False


class Reconciliation:
    """
    Compares database, balances and open orders.

    Parameters
    ----------
    settings : WatchSettings
    view : ExchangeView
    store : StateStore
        Holdings are kept in a row of its table.
    pairs : callable
        Pairs that are traded now.
    disaster_ratio : float
        Depth of the class stop: where a stop for an unknown position is placed.
    publish : callable
    candle : timedelta
        Length of the strategy's candles.
    is_shared : bool
        Whether others may trade on the account: what is amiss with a pair then refuses that alone.
    """

    def __init__(
        self,
        settings: WatchSettings,
        view: ExchangeView,
        store: StateStore,
        pairs: Callable[[], Iterable[str]],
        disaster_ratio: float,
        publish: Callable[[Event], None],
        *,
        candle: timedelta,
        is_shared: bool,
    ) -> None:
        self._settings = settings
        self._view = view
        self._store = store
        self._pairs = pairs
        self._disaster_ratio = disaster_ratio
        self._publish = publish
        self._is_shared = is_shared
        every = timedelta(minutes=settings.reconcile_minutes)
        self._longest_s = 2 * every.total_seconds()
        self._retry = Backoff(timedelta(seconds=5), timedelta(minutes=5))
        self.round = ComparisonRound(every, candle)
        # Pairs that could not be read when they were asked last, and since when.
        self._unread: dict[str, datetime] = {}
        self._unlisted: set[str] = set()
        self._doubts: dict[_Key, _Doubt] = {}
        # Stops that were taken for ended and are known as open again.
        self._revived: set[str] = set()
        self._foreign = Foreign(view, store, publish)
        self._holdings = OwnerHoldings(store)

    def verdict(self, pair: str, now: datetime) -> Verdict:
        """What is amiss, or NOT_RECONCILED in seconds where that has not been known for long."""
        for seen in (doubt.seen for doubt in self._doubts.values()):
            if seen.pair == pair or not self._is_shared:
                return Verdict(seen.code, seen.value, seen.limit, 0.0)
        longest_s, checked = self._longest_s, self.round.checked
        if checked is None:
            return Verdict(Reason.NOT_RECONCILED, float("inf"), longest_s, 0.0)
        age_s = (now - checked).total_seconds()
        if pair in self._unread:
            age_s, longest_s = (now - self._unread[pair]).total_seconds(), 0.0
        elif age_s <= longest_s:
            return ALLOW
        return Verdict(Reason.NOT_RECONCILED, age_s, longest_s, 0.0)

    @property
    def is_clear(self) -> bool:
        """Whether all pairs have been compared, and nothing was amiss."""
        return self.round.checked is not None and not self._doubts and not self._unread

    def verdict_now(self, pair: str) -> Verdict:
        """What is amiss with a pair at this moment, with the balances read last; one request."""
        known, price = recorded_positions(pair), self._view.last_price(pair)
        currency = self._view.base(pair)
        total, smallest = self._view.total(currency), self._view.smallest(pair, price)
        found = reconciliation.of_orders(self._view.open_orders(pair), known)
        found += reconciliation.of_position(
            pair, total, known, self.owns(currency), price, smallest
        )
        return next((Verdict(f.code, f.value, f.limit, 0.0) for f in found), ALLOW)

    def look(self, trades: Sequence[Trade], now: datetime, urgent: Iterable[str] = ()) -> None:
        """
        Compare what is due: everything from time to time, else pairs in doubt and urgent ones.

        A failing exchange is asked again after a pause; what was known meanwhile grows old. What
        fails of one pair refuses that pair, and is asked again after a pause of its own.
        """
        if self._retry.verdict(_ACCOUNT, now).blocks:
            return
        due = self.round.is_due(now)
        doubtful = {pair for _, pair, _ in self._doubts}
        everything = {*self._pairs(), *(trade.pair for trade in trades), *doubtful}
        first = doubtful | set(urgent) | self._unread.keys()
        pairs = first.union(self.round.rest(everything, now) if due else ())
        asked = [pair for pair in sorted(pairs) if self._can_be_asked(pair, trades, now)]
        if not asked and not due:
            return
        try:
            left = self._compare(asked, first, trades, now)
        except ExchangeError as error:
            until = self._retry.failed(_ACCOUNT, now)
            logger.warning("the account could not be compared, again from %s: %s", until, error)
            self._publish(
                Event(now, EventKind.WATCH, Reason.RECONCILE_FAILED, facts={"text": str(error)})
            )
            return
        self._retry.succeeded(_ACCOUNT)
        if due and self.round.compared(left):
            self._foreign.look(everything, now)
            self._publish(
                Event(now, EventKind.WATCH, Reason.RECONCILED, value=len(self._doubts), limit=0)
            )

    def owns(self, currency: str) -> float:
        """Units of a currency that belong to the account's owner."""
        return self._holdings.units(currency) or 0.0

    def _can_be_asked(self, pair: str, trades: Sequence[Trade], now: datetime) -> bool:
        """Whether the exchange knows a pair; that it trades one of a position no more is told."""
        if self._view.is_listed(pair):
            self._unlisted.discard(pair)
        elif pair not in self._unlisted:
            self._unlisted.add(pair)
            for trade in [trade for trade in trades if trade.pair == pair]:
                self._tell_unlisted(trade, now)
        return self._view.knows(pair) and not self._retry.verdict(pair, now).blocks

    def _tell_unlisted(self, trade: Trade, now: datetime) -> None:
        todo = (
            "the exchange trades it no more, so that the bot can neither sell it nor keep a stop; "
            "if it is delisted and not only halted, sell or withdraw the coins on the exchange's "
            f"own page, then /delete {trade.id}"
        )
        logger.error("%s: %s", trade.pair, todo)
        numbers = (trade.pair, trade.id, trade.amount)
        event = Event(now, EventKind.WATCH, Reason.NOT_LISTED, *numbers, facts={"detail": todo})
        self._publish(event)

    def _compare(
        self, pairs: list[str], first: Collection[str], trades: Sequence[Trade], now: datetime
    ) -> list[str]:
        """Compare pairs, some of them before others; those that are left for a later loop."""
        self._view.read_balances()
        self._holdings.read()
        orders = self._view.open_orders_of(pairs) if len(pairs) > A_LOOP else None
        left: list[str] = []
        if orders is None:
            pairs = sorted(pairs, key=lambda pair: pair not in first)
            most = max(A_LOOP, sum(pair in first for pair in pairs))
            pairs, left = pairs[:most], pairs[most:]
        known = recorded_positions_of(pairs) if orders is not None else {}
        found: list[Discrepancy] = []
        done = {pair for pair in self._unlisted if not self._view.knows(pair)}
        try:
            for pair in pairs:
                try:
                    found += (
                        self._of_orders(pair, orders[pair], known[pair], trades, now)
                        if orders is not None
                        else self._of_pair(pair, trades, now)
                    )
                except TemporaryError:
                    raise
                except ExchangeError as error:
                    self._not_read(pair, error, now)
                else:
                    done.add(pair)
                    self._unread.pop(pair, None)
                    self._retry.succeeded(pair)
        finally:
            self._holdings.save()
        before = self._doubts
        self._doubts = {key: doubt for key, doubt in before.items() if doubt.seen.pair not in done}
        for seen in found:
            key = (seen.code, seen.pair, seen.order_id)
            earlier = before.get(key, _Doubt(seen, now))
            self._doubts[key] = doubt = _Doubt(seen, earlier.since, earlier.told)
            if now - doubt.since >= CONFIRMED_AFTER:
                self._deal_with(doubt, now)
        return left

    def _not_read(self, pair: str, error: ExchangeError, now: datetime) -> None:
        until = self._retry.failed(pair, now)
        logger.warning("%s could not be compared, again from %s: %s", pair, until, error)
        if pair not in self._unread:
            self._unread[pair] = now
            facts = {"detail": f"{error}; nothing is bought of this pair until it can be"}
            self._publish(Event(now, EventKind.WATCH, Reason.RECONCILE_FAILED, pair, facts=facts))

    def _of_pair(self, pair: str, trades: Sequence[Trade], now: datetime) -> list[Discrepancy]:
        orders = self._view.open_orders(pair)
        # Read after them: an order that another thread sends meanwhile is not unknown.
        return self._of_orders(pair, orders, recorded_positions(pair), trades, now)

    def _of_orders(
        self,
        pair: str,
        orders: list[SeenOrder],
        known: RecordedPositions,
        trades: Sequence[Trade],
        now: datetime,
    ) -> list[Discrepancy]:
        if self._adopt_lost_stop([t for t in trades if t.pair == pair], orders, known, now):
            known = recorded_positions(pair)
        return reconciliation.of_orders(orders, known) + self._of_position(pair, known, now)

    def _of_position(self, pair: str, known: RecordedPositions, now: datetime) -> list[Discrepancy]:
        currency, price = self._view.base(pair), self._view.last_price(pair)
        total, smallest = self._view.total(currency), self._view.smallest(pair, price)
        if self._holdings.units(currency) is None:
            units = reconciliation.surplus(total, known, 0.0)
            self._holdings.remember(currency, units, now)
            if units * price >= smallest:
                logger.warning("%s %s are yours, not the bot's: never touched", units, currency)
                self._publish(Event(now, EventKind.WATCH, Reason.OWN_HOLDING, pair, None, units))
        return reconciliation.of_position(pair, total, known, self.owns(currency), price, smallest)

    def _adopt_lost_stop(
        self,
        trades: Sequence[Trade],
        orders: list[SeenOrder],
        known: RecordedPositions,
        now: datetime,
    ) -> bool:
        adopted = False
        for trade in trades:
            recorded, step = trade.has_open_sl_orders, lot(trade)
            order = reconciliation.lost_stop(orders, known, trade.amount, step, recorded)
            if order is not None and (order.id not in known.ended or self._is_open_again(order)):
                adopted = True
                adopt_stop(trade, order)
                logger.warning("%s: stop order %s was lost and is adopted", trade.pair, order.id)
                facts = {"order_id": order.id}
                self._publish(
                    Event(
                        now, EventKind.WATCH, Reason.STOP_ADOPTED, trade.pair, trade.id, facts=facts
                    )
                )
        return adopted

    def _is_open_again(self, order: SeenOrder) -> bool:
        """
        Whether an order that is taken for ended is open at this moment; once for each, so that an
        exchange that says now this, now that is told about.
        """
        if order.id in self._revived:
            return False
        self._revived.add(order.id)
        return any(order.id == seen.id for seen in self._view.open_orders(order.pair))

    def _deal_with(self, doubt: _Doubt, now: datetime) -> None:
        """Tell about what is amiss, once, and do what the settings say about it."""
        # What may be another bot's is never touched.
        seen, policy = doubt.seen, "alert" if self._is_shared else self._settings.unknown
        if not doubt.told:
            doubt.told = True
            logger.error("%s: %s; nothing is bought until it is gone", seen.pair, seen)
            facts = {"order_id": seen.order_id, "policy": policy}
            numbers = (seen.value, seen.limit)
            self._publish(Event(now, EventKind.WATCH, seen.code, seen.pair, None, *numbers, facts))
        if policy != "alert" and seen.code != Reason.POSITION_MISSING:
            self._act(seen, now)

    def _act(self, seen: Discrepancy, now: datetime) -> None:
        """Protect or close what orders of a bot have bought; cancel what would buy more."""
        known, pair = recorded_positions(seen.pair), seen.pair
        orders = self._view.orders(pair, self._holdings.since or now)
        opened = reconciliation.open_unknown(orders, known)
        for order in opened:
            if order.side == BUY:
                self._view.cancel(order)
        currency, price = self._view.base(pair), self._view.last_price(pair)
        over = reconciliation.surplus(self._view.total(currency), known, self.owns(currency))
        amount = min(over, reconciliation.net_unknown(orders, known), self._view.free(currency))
        # An unknown order to sell is at work already, or a person must decide about it.
        if opened or not amount * price >= self._view.smallest(pair, price):
            return
        if self._settings.unknown == "close":
            self._view.sell(pair, amount)
            code = Reason.UNKNOWN_CLOSED
        else:
            self._view.place_stop(pair, amount, price * (1 - self._disaster_ratio))
            code = Reason.UNKNOWN_PROTECTED
        logger.error("%s: %s, %s units", pair, code, amount)
        self._publish(Event(now, EventKind.WATCH, code, pair, None, amount * price, seen.limit))
