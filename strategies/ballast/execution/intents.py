"""Entries that were sent, written down before they are: so that none is lost on the way.

Freqtrade records an order once the exchange has answered. If the answer is lost, or the bot is
killed before it is recorded, the order is on the exchange and nobody knows it: Freqtrade would buy
again. Every entry is therefore noted here first, in the bot's database, and struck out when its
trade is there. One that has no trade is looked for on the exchange; meanwhile nothing is bought.

With it is written what was decided about its position: an order may fill while the exchange does
not answer, or while there is no bot, and its stop is then the one that it was sized with.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from freqtrade.persistence import Order, Trade
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select

from ballast.core import reconciliation
from ballast.core.backoff import Backoff
from ballast.core.events import Event, EventKind
from ballast.core.guards.base import Memory
from ballast.core.reasons import Reason
from ballast.core.reconciliation import BUY, CLOCK_SKEW, SeenOrder
from ballast.core.times import from_epoch, to_epoch
from ballast.core.verdict import ALLOW, Verdict
from ballast.execution.exchange_view import ExchangeView
from ballast.execution.recorded_positions import recorded_positions
from ballast.risk.proposals import OrderProposals, SentEntry
from ballast.risk.state_store import StateStore

logger = logging.getLogger(__name__)

ROW = "OrderIntents"
# An order that reaches the exchange later than this after it was signed is refused there.
_REACHES_IT = CLOCK_SKEW


class Intent(BaseModel):
    """
    An entry order that was about to be sent.

    Parameters
    ----------
    amount, rate : float
        Units and limit, quote currency.
    tag : str
        Entry tag.
    sent : float
        Seconds since the epoch (UTC).
    failed : bool
        Whether a later loop found no trade of it.
    stop : float or None
        First stop that was decided, quote currency; None in rows from before it was written down.
    setup : str
        Name of the setup that signalled.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    pair: str
    amount: float
    rate: float
    tag: str
    sent: float
    failed: bool = False
    stop: float | None = None
    setup: str = ""


class _Row(Memory):
    """Those whose trade is not there yet, and the last of every pair, whatever became of it."""

    intents: list[Intent] = Field(default_factory=list)
    last: dict[str, Intent] = Field(default_factory=dict)


class Intents:
    """
    Entries whose trade is not there yet.

    Parameters
    ----------
    store : StateStore
        They are kept in a row of its table.
    view : ExchangeView
    backoff : Backoff
        Told of entries that failed and succeeded, by pair.
    proposals : OrderProposals
        What was decided about them; those that an earlier run sent are recalled there.
    adopt : callable
        Makes the trade of an order whose answer was lost.
    publish : callable
    """

    def __init__(
        self,
        store: StateStore,
        view: ExchangeView,
        backoff: Backoff,
        proposals: OrderProposals,
        adopt: Callable[[Intent, SeenOrder], Trade],
        publish: Callable[[Event], None],
    ) -> None:
        self._store = store
        self._view = view
        self._backoff = backoff
        self._proposals = proposals
        self._adopt = adopt
        self._publish = publish
        self._row = store.read(ROW, _Row) or _Row()
        for intent in self._row.last.values():
            if intent.stop is not None:
                proposals.recall(SentEntry(intent.pair, intent.setup, intent.stop))

    def note(self, pair: str, amount: float, rate: float, tag: str | None, now: datetime) -> None:
        """Write down an entry that is about to be sent."""
        entry = self._proposals.sent(pair)
        intent = Intent(
            pair=pair,
            amount=amount,
            rate=rate,
            tag=tag or "",
            sent=to_epoch(now),
            stop=entry.stop if entry is not None else None,
            setup=entry.setup if entry is not None else "",
        )
        last = {**self._row.last, pair: intent}
        self._write(_Row(intents=[*self._row.intents, intent], last=last))

    def verdict(self, now: datetime) -> Verdict:
        """
        ORDER_UNRESOLVED, seconds since it was sent, while it is not known what became of an entry.

        It stops every pair: what may have been bought is not in the sizer's sums yet.
        """
        intent = next(self._unresolved(), None)
        if intent is None:
            return ALLOW
        return Verdict(Reason.ORDER_UNRESOLVED, to_epoch(now) - intent.sent, 0.0, 0.0)

    def unresolved(self) -> list[str]:
        """Pairs of entries of which it is not known what became."""
        return [intent.pair for intent in self._unresolved()]

    def _unresolved(self) -> Iterator[Intent]:
        return (intent for intent in self._row.intents if not _is_recorded(intent))

    def resolve(self, now: datetime) -> None:
        """
        Strike out entries whose trade is there; look for the others on the exchange.

        Raises
        ------
        ExchangeError
            When the exchange cannot be asked; what is unresolved stays so.
        """
        if not self._row.intents:
            return
        left = [
            still
            for intent in self._row.intents
            if (still := self._settled(intent, now)) is not None
        ]
        # Before anything is asked: that an entry failed must be known after a crash too.
        self._keep(left)
        for intent in left:
            if self._look_for(intent, now):
                self._keep([other for other in self._row.intents if other is not intent])

    def _settled(self, intent: Intent, now: datetime) -> Intent | None:
        if _is_recorded(intent):
            self._backoff.succeeded(intent.pair)
            return None
        if intent.failed:
            return intent
        until = self._backoff.failed(intent.pair, now)
        wait_s = (until - now).total_seconds()
        logger.warning("%s: an entry has no trade, next not before %s", intent.pair, until)
        self._publish(Event(now, EventKind.WATCH, Reason.ORDER_FAILED, intent.pair, None, wait_s))
        return intent.model_copy(update={"failed": True})

    def _look_for(self, intent: Intent, now: datetime) -> bool:
        """Ask the exchange for an entry; whether it is known now what became of it."""
        # What a pair was asked for that is not there any more cannot be told, and not be bought.
        if not self._view.is_real or not self._view.knows(intent.pair):
            return True
        sent = from_epoch(intent.sent)
        orders = self._view.orders(intent.pair, sent - CLOCK_SKEW)
        known = recorded_positions(intent.pair)
        order = reconciliation.whose_answer_was_lost(orders, known, intent.amount, sent)
        if order is None:
            return now - sent > _REACHES_IT
        trade = self._adopt(intent, order)
        self._backoff.succeeded(intent.pair)
        logger.warning("%s: order %s was lost and is adopted", intent.pair, order.id)
        facts = {"order_id": order.id, "amount": order.amount, "filled": order.filled}
        late_s = (now - sent).total_seconds()
        self._publish(
            Event(
                now,
                EventKind.WATCH,
                Reason.ORDER_ADOPTED,
                intent.pair,
                trade.id,
                late_s,
                facts=facts,
            )
        )
        return True

    def _keep(self, intents: list[Intent]) -> None:
        if intents != self._row.intents:
            self._write(_Row(intents=intents, last=self._row.last))

    def _write(self, row: _Row) -> None:
        self._store.write(ROW, row.model_dump_json(), "")
        self._row = row


def _is_recorded(intent: Intent) -> bool:
    """Whether the database knows the order: by its trade, or by its own date if it replaced one."""
    sent = from_epoch(intent.sent)
    # A second of grace for the trade, which our clock stamps after the answer.
    since = (sent - timedelta(seconds=1)).replace(tzinfo=None)
    if Trade.get_trades([Trade.pair == intent.pair, Trade.open_date >= since]).first() is not None:
        return True
    # The exchange's clock stamps the order.
    since = (sent - CLOCK_SKEW).replace(tzinfo=None)
    wanted = select(Order.id).where(
        Order.ft_pair == intent.pair, Order.ft_order_side == BUY, Order.order_date >= since
    )
    return Order.session.scalars(wanted).first() is not None
