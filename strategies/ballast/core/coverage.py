"""How long a position stood without a stop or an exit on the exchange."""

from collections.abc import Iterable
from datetime import datetime

Span = tuple[datetime, datetime]


def uncovered_s(opened: datetime, closed: datetime, orders: Iterable[Span]) -> float:
    """
    Seconds between `opened` and `closed` in which none of the orders was there.

    Parameters
    ----------
    opened : datetime
        First fill of the entry (UTC).
    closed : datetime
        When the position was gone, or now (UTC).
    orders : iterable of (datetime, datetime)
        From when until when each stop or exit order was on the exchange, in any order.
    """
    bare = 0.0
    reached = opened
    for begin, end in sorted(orders):
        if begin > reached:
            bare += max(0.0, (min(begin, closed) - reached).total_seconds())
        reached = max(reached, end)
    return bare + max(0.0, (closed - reached).total_seconds())
