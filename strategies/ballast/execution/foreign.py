"""What lies on the account beside the bot's pairs: another bot's, or its owner's.

It is named once, from balances that were read anyway, and neither counted nor touched: equity is
the bot's own, and coins and orders of other pairs refuse no entry.
"""

import logging
from collections.abc import Callable, Collection
from datetime import datetime

from freqtrade.persistence import Trade
from pydantic import Field

from ballast.core.events import Event, EventKind
from ballast.core.guards.base import Memory
from ballast.core.reasons import Reason
from ballast.execution.exchange_view import ExchangeView
from ballast.risk.read_once import read_once
from ballast.risk.state_store import StateStore

logger = logging.getLogger(__name__)

ROW = "Foreign"
# Freqtrade and exchange round the price and the units of an order.
_ROUNDING = 1.001


class Named(Memory):
    """Currencies of which coins, and of which orders, have been named."""

    coins: list[str] = Field(default_factory=list)
    orders: list[str] = Field(default_factory=list)


class Foreign:
    """
    Names what is not the bot's.

    Parameters
    ----------
    view : ExchangeView
    store : StateStore
        What has been named is kept in a row of its table.
    publish : callable
    """

    def __init__(
        self, view: ExchangeView, store: StateStore, publish: Callable[[Event], None]
    ) -> None:
        self._view = view
        self._store = store
        self._publish = publish
        self._named = store.read(ROW, Named) or Named()
        # Whether more was locked for purchases than own orders lock, when it was looked at last.
        self._locked_more = False

    def look(self, pairs: Collection[str], now: datetime) -> None:
        """Name what there is beside these pairs, by the balances read last."""
        ours, stake = {self._view.base(pair) for pair in pairs}, self._view.stake_currency
        coins: dict[str, float] = {}
        orders: dict[str, float] = {}
        for currency, balance in self._view.balances().items():
            if currency == stake:
                more = balance.used - _locked_by_own() * _ROUNDING
                # An own order may just have ended: the balance is then a moment older.
                if more > 0 and self._locked_more:
                    orders[currency] = more
                self._locked_more = more > 0
            elif currency not in ours and balance.total > 0:
                coins[currency] = balance.total
                if balance.used > 0:
                    orders[currency] = balance.used
        new_coins = {name: units for name, units in coins.items() if name not in self._named.coins}
        new_orders = {n: units for n, units in orders.items() if n not in self._named.orders}
        self._tell(Reason.FOREIGN_HOLDING, new_coins, now)
        self._tell(Reason.FOREIGN_ORDER, new_orders, now)
        if new_coins or new_orders:
            self._named = Named(
                coins=sorted({*self._named.coins, *new_coins}),
                orders=sorted({*self._named.orders, *new_orders}),
            )
            self._store.write(ROW, self._named.model_dump_json(), "")

    def _tell(self, code: Reason, found: dict[str, float], now: datetime) -> None:
        if not found:
            return
        said = ", ".join(f"{units:.8g} {currency}" for currency, units in sorted(found.items()))
        logger.warning("not the bot's, neither counted nor touched: %s (%s)", said, code)
        facts = {"detail": said}
        self._publish(Event(now, EventKind.WATCH, code, value=len(found), facts=facts))


def _locked_by_own() -> float:
    """Quote currency that open entries of the bot lock."""
    return sum(
        order.safe_remaining * order.safe_placement_price
        for trade in read_once(Trade.get_open_trades)
        for order in trade.open_orders
        if order.ft_order_side == trade.entry_side
    )
