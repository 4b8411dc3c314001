"""What a rehearsal may change in the exchange; by itself it changes nothing.

Give an instance of a subclass to `Exchange`, and middlewares to `build_app`: middlewares see whole
requests (slow, refused or lost answers), hooks see orders.
"""

from __future__ import annotations

from sandbox.orders import Order, OrderRequest


class Hooks:
    """Asked by the exchange at the moments named; every method may raise ApiError where it says."""

    def before_order(self, request: OrderRequest) -> None:
        """Before an order is accepted; ApiError refuses it."""

    def before_cancel(self, order: Order) -> None:
        """Before an open order is cancelled; ApiError refuses it."""

    def fillable(self, order: Order, amount: int, time_ms: int) -> int:
        """How much of an amount [units] that an order could fill now it does fill, from 0 to it."""
        return amount
