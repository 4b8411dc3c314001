"""The database against the exchange: what one knows of a pair and the other does not.

Amounts are units of the base currency, values quote currency. Between an order and the record of it
lies a moment in which both are right, so that everything here is given as what the database allows:
an entry that is open may have filled already, an exit or stop may have sold already.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ballast.core.reasons import Reason

# Exchange and bot agree about the time to within what a signed request may be off.
CLOCK_SKEW = timedelta(seconds=15)
# Fees taken in the coin bought, and rounding to lots.
TOLERANCE = 0.005

BUY, SELL = "buy", "sell"


@dataclass(frozen=True)
class SeenOrder:
    """
    An order as the exchange tells it.

    Parameters
    ----------
    side : str
        'buy' or 'sell'.
    amount, filled : float
        Units.
    is_open : bool
    stop : float
        Price that it waits for, quote currency; 0 where it waits for none.
    created : datetime
        By the exchange's clock (UTC).
    ours : bool
        Whether a bot sent it, not a person.
    raw : mapping
        As ccxt gives it.
    """

    id: str
    pair: str
    side: str
    amount: float
    filled: float
    is_open: bool
    stop: float
    created: datetime
    ours: bool
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def is_stop(self) -> bool:
        """Whether it waits for a price."""
        return self.stop > 0


@dataclass(frozen=True)
class RecordedPositions:
    """
    What the database says of a pair.

    Parameters
    ----------
    amount : float
        Units of all open positions.
    entering, leaving : float
        Units of open entry orders, and of open exit and stop orders.
    order_ids : collection of str
        All orders of the pair, open and ended.
    ended : collection of str
        Those of them that are taken for filled or cancelled.
    left : float
        Units that closed positions have left on the account: fees and lots.
    """

    amount: float = 0.0
    entering: float = 0.0
    leaving: float = 0.0
    order_ids: Collection[str] = ()
    ended: Collection[str] = ()
    left: float = 0.0


@dataclass(frozen=True)
class Discrepancy:
    """
    Something that one side knows and the other does not.

    Parameters
    ----------
    code : Reason
        UNKNOWN_POSITION, POSITION_MISSING or UNKNOWN_ORDER.
    value, limit : float
        Value of what is too much or missing and the smallest that counts, quote currency; of an
        order its open amount, in units.
    order_id : str
        Empty where it is no order.
    """

    code: Reason
    pair: str
    value: float
    limit: float
    order_id: str = ""


def surplus(total: float, known: RecordedPositions, own: float) -> float:
    """Units on the exchange that neither the database nor their owner accounts for."""
    accounted = own + known.left + (known.amount + known.entering) * (1 + TOLERANCE)
    return max(0.0, total - accounted)


def shortfall(total: float, known: RecordedPositions) -> float:
    """Units that the database holds for open positions and the exchange has not."""
    return max(0.0, (known.amount - known.leaving) * (1 - TOLERANCE) - total)


def of_position(
    pair: str, total: float, known: RecordedPositions, own: float, price: float, smallest: float
) -> list[Discrepancy]:
    """
    What the balance of a pair's base currency says.

    Parameters
    ----------
    own : float
        Units that belong to the account's owner, and not to the bot.
    price : float
        Quote currency per unit; where it is unknown every surplus counts.
    smallest : float
        Value below which nothing can be sold, and nothing counts.
    """
    found = []
    for code, units in (
        (Reason.UNKNOWN_POSITION, surplus(total, known, own)),
        (Reason.POSITION_MISSING, shortfall(total, known)),
    ):
        value = units * price
        if units > 0 and not value < smallest:
            found.append(Discrepancy(code, pair, value, smallest))
    return found


def of_orders(orders: Iterable[SeenOrder], known: RecordedPositions) -> list[Discrepancy]:
    """Open orders of a bot that the database has not as open; those of a person are theirs."""
    return [
        Discrepancy(Reason.UNKNOWN_ORDER, order.pair, order.amount - order.filled, 0.0, order.id)
        for order in open_unknown(orders, known)
    ]


def unknown(orders: Iterable[SeenOrder], known: RecordedPositions) -> list[SeenOrder]:
    """Orders of a bot that the database does not know."""
    return [order for order in orders if order.ours and order.id not in known.order_ids]


def open_unknown(orders: Iterable[SeenOrder], known: RecordedPositions) -> list[SeenOrder]:
    """
    Open orders of a bot that the database does not know, or takes for ended: an exchange may say of
    one that it is filled or cancelled, and think better of it.
    """
    return [
        order
        for order in orders
        if order.ours
        and order.is_open
        and (order.id not in known.order_ids or order.id in known.ended)
    ]


def whose_answer_was_lost(
    orders: Iterable[SeenOrder], known: RecordedPositions, amount: float, sent: datetime
) -> SeenOrder | None:
    """
    The entry that was sent at a moment and never recorded, or None.

    Parameters
    ----------
    amount : float
        Units that were asked for; the exchange rounds down to its lots.
    """
    found = [
        order
        for order in unknown(orders, known)
        if order.side == BUY
        and order.amount <= amount * (1 + 1e-9)
        and abs(order.created - sent) <= CLOCK_SKEW
    ]
    return min(found, key=lambda order: abs(order.created - sent), default=None)


def net_unknown(orders: Iterable[SeenOrder], known: RecordedPositions) -> float:
    """Units that unknown orders of a bot have bought, less those they have sold."""
    signs = {BUY: 1.0, SELL: -1.0}
    return math.fsum(signs[order.side] * order.filled for order in unknown(orders, known))


def lost_stop(
    orders: Sequence[SeenOrder],
    known: RecordedPositions,
    amount: float,
    lot: float,
    recorded: bool,
) -> SeenOrder | None:
    """
    The open stop of a position whose answer was lost, or that is taken for ended; or None.

    Parameters
    ----------
    amount : float
        Units of the position; the fee of an addition is taken off only after its stop was sent.
    lot : float
        Smallest step of an amount, units.
    recorded : bool
        Whether the database has an open stop of it.
    """
    if recorded or amount <= 0:
        return None
    stops = [o for o in open_unknown(orders, known) if o.is_stop and o.side == SELL]
    near = max(amount * TOLERANCE, 1.5 * lot)
    fitting = [o for o in stops if abs(o.amount - amount) <= near]
    return max(fitting, key=lambda order: order.created, default=None)
