"""How resting orders meet the price path: triggers, trades, and shares of the traded volume.

An order at a limit is served while the path is past its price, with a share of what is traded
meanwhile, the best price first. The result depends on the path alone, not on how often one looks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sandbox.candles import Candles
from sandbox.orders import Order, Side
from sandbox.path import Leg, legs

DEFAULT_SHARE_MILLIONTHS = 100_000

# Called with the order, the amount [units] and the time [Unix ms]; returns what was filled.
FillAtLimit = Callable[[Order, int, int], int]
Trigger = Callable[[Order, int], None]


@dataclass(frozen=True, slots=True)
class Matcher:
    """Moves resting orders along the path of their market.

    Parameters
    ----------
    fill : fills an order at its own price.
    trigger : lets an order that waited for a price enter the book.
    share_millionths : of the traded volume that the client's orders get, all together [millionths].
    """

    fill: FillAtLimit
    trigger: Trigger
    share_millionths: int = DEFAULT_SHARE_MILLIONTHS

    def run(
        self, candles: Candles, lot: int, orders: Iterable[Order], start_ms: int, end_ms: int
    ) -> None:
        """Match the orders of one market from ``start_ms`` to ``end_ms``; ``lot`` in units."""
        ranked = sorted(orders, key=_priority)
        for leg in legs(candles, start_ms, end_ms):
            ranked = [order for order in ranked if order.is_open]
            if not ranked:
                return
            self._along(leg, lot, ranked)

    def _along(self, leg: Leg, lot: int, ranked: list[Order]) -> None:
        now_ms = leg.start_ms
        self._pull_triggers(leg, now_ms, ranked)
        while now_ms < leg.end_ms:
            next_ms = min(self._moments(leg, now_ms, ranked), default=leg.end_ms)
            self._share_out(leg, lot, ranked, now_ms, next_ms)
            now_ms = next_ms
            self._pull_triggers(leg, now_ms, ranked)

    def _moments(self, leg: Leg, after_ms: int, ranked: list[Order]) -> list[int]:
        """When the path next comes to a price that matters to an order."""
        prices = {
            order.request.stop_price if order.waits_for_trigger else order.price
            for order in ranked
            if order.is_open
        }
        found = (leg.reaches(price, after_ms) for price in prices)
        return [moment for moment in found if moment is not None]

    def _pull_triggers(self, leg: Leg, now_ms: int, ranked: list[Order]) -> None:
        price = leg.price(now_ms)
        for order in ranked:
            if order.waits_for_trigger and order.triggers_at(price):
                self.trigger(order, now_ms)

    def _share_out(
        self, leg: Leg, lot: int, ranked: list[Order], start_ms: int, end_ms: int
    ) -> None:
        """Fill the orders that the path is past between two moments, in their order of rank."""
        volume = leg.traded(start_ms, end_ms, self.share_millionths)
        given = 0
        for order in ranked:
            if not order.is_open or order.waits_for_trigger:
                continue
            side = leg.side_of(order.price, start_ms, end_ms)
            if side != (-1 if order.side is Side.BUY else 1):
                continue
            claim = order.claim + volume - given
            amount = min(order.remaining, claim // lot * lot)
            # The moment at which as much as it needs has been traded.
            due = max(0, given + amount - order.claim)
            moment = start_ms + -(-due * (end_ms - start_ms) // volume) if volume else end_ms
            moment = end_ms if order.remaining > amount else min(moment, end_ms)
            filled = self.fill(order, amount, moment) if amount else 0
            if order.remaining:
                # What is due to it and not handed out yet is not offered to the next in rank.
                order.claim = claim - filled if filled == amount else 0
                return
            given += max(0, filled - order.claim)


def _priority(order: Order) -> tuple[int, int]:
    """Best price first, then the earlier order."""
    price = -order.price if order.side is Side.BUY else order.price
    return price, order.id
