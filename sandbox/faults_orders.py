"""Faults of orders: refused, stuck, half filled, filled while they are cancelled."""

from __future__ import annotations

from sandbox.errors import ApiError
from sandbox.exchange import Exchange
from sandbox.faults import Kind
from sandbox.faults_plan import Asked, FaultPlan
from sandbox.hooks import Hooks
from sandbox.orders import Order, OrderRequest
from sandbox.units import MILLION, share_down

ORDER_PATH = "/api/v3/order"


class OrderFaults(Hooks):
    """
    Changes what happens to the orders of an exchange as a plan says.

    A fault that strikes an order stays with it, also when its schedule has ended: an order that is
    stuck is stuck until it is cancelled.
    """

    def __init__(self, plan: FaultPlan, exchange: Exchange) -> None:
        self._plan = plan
        self._exchange = exchange
        # By order: how much of it may be filled in all [units].
        self._caps: dict[int, int] = {}

    def before_order(self, request: OrderRequest) -> None:
        """Refuse orders of delisted pairs, and stops that 'would trigger immediately'."""
        asked = _placing(request.symbol)
        if self._plan.strike(Kind.DELISTING, asked):
            raise ApiError(-1013, "Market is closed.")
        if request.type.is_conditional and self._plan.strike(Kind.STOP_REJECTED, asked):
            raise ApiError(-2010, "Stop price would trigger immediately.")

    def before_cancel(self, order: Order) -> None:
        """Refuse to cancel, or fill what is to be cancelled."""
        asked = Asked("DELETE", ORDER_PATH, order.symbol)
        if self._is_delisted(order):
            return
        if self._plan.strike(Kind.CANCEL_REFUSED, asked):
            raise ApiError(-2011, "Unknown order sent.")
        if self._plan.strike(Kind.FILL_IN_CANCEL, asked):
            now_ms, price = self._plan.clock.now_ms(), order.price
            if order.waits_for_trigger:
                # The price has just come to it: its limit is the worst that it accepts, no more.
                order.working_ms, price = now_ms, order.request.stop_price
            self._exchange.fill(order, price, order.remaining, now_ms, maker=True)

    def fillable(self, order: Order, amount: int, time_ms: int) -> int:
        """What an order may still be filled, decided when it first could be."""
        if self._is_delisted(order):
            return 0
        if order.id not in self._caps:
            self._caps[order.id] = self._cap(order)
        return max(0, min(amount, self._caps[order.id] - order.executed))

    def close_delisted(self) -> None:
        """Cancel the open orders of pairs that are delisted by now."""
        for order in self._exchange.open_orders():
            if self._is_delisted(order):
                self._exchange.cancel(order)

    def _is_delisted(self, order: Order) -> bool:
        return self._plan.standing(Kind.DELISTING, _placing(order.symbol)) is not None

    def _cap(self, order: Order) -> int:
        asked = _placing(order.symbol)
        if order.request.type.is_conditional:
            jumped = order.price and self._plan.strike(Kind.STOP_JUMPED, asked)
            return 0 if jumped else order.amount
        # An order without a limit cannot stay in a book: it is filled or it expires.
        if order.price and self._plan.strike(Kind.ORDER_STUCK, asked):
            return 0
        if partial := self._plan.strike(Kind.ORDER_PARTIAL, asked):
            share = round(partial.fault.numbers["share"] * MILLION)
            return share_down(order.amount, share)
        return order.amount


def _placing(symbol: str) -> Asked:
    return Asked("POST", ORDER_PATH, symbol)
