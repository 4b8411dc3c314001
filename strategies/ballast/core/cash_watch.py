"""The cash watch: tells money that came or went from own orders that are told late.

Balance and orders are read one after the other, and either may be late: what own orders do not
explain of a balance (the *residual*) is a flow only once two readings without an own order between
them agree on it. Until then it is pending.
"""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta

# Share of equity below which a residual is no flow.
SMALLEST_SHARE = 0.001
# A balance may be told some seconds later than the order that changed it.
APART = timedelta(seconds=30)


@dataclass(frozen=True)
class CashReading:
    """
    A balance, and what own orders have done to it.

    Parameters
    ----------
    at : datetime
        When the balance was read.
    cash : float
        Quote currency on the account, what own orders lock included.
    own : float
        What own orders have brought in, less what they have cost, quote currency.
    fees : float
        That own orders have booked so far, in whatever coin they were paid, quote currency.
    orders : hashable
        Changes with every own order and every fill.
    certain : bool
        Whether it is known what has become of every own order.
    """

    at: datetime
    cash: float
    own: float
    fees: float
    orders: Hashable
    certain: bool


class CashWatch:
    """
    Finds flows in readings.

    Parameters
    ----------
    base : float
        What the account would hold without any own order, quote currency.
    """

    def __init__(self, base: float) -> None:
        self.base = base
        self._first: CashReading | None = None
        self._agreed_fees: float | None = None

    def residual(self, reading: CashReading) -> float:
        """What own orders do not explain, quote currency."""
        return reading.cash - reading.own - self.base

    def see(self, reading: CashReading, equity: float) -> float:
        """
        Take note of a reading.

        Parameters
        ----------
        equity : float
            Of which a residual must be more than a thousandth; it must also be more than the fees
            that were booked since the last reading that agreed: a fee whose coin is not known is
            a cost, and no flow.

        Returns
        -------
        float
            The flow that is now certain, quote currency; 0 for none.
        """
        residual, first = self.residual(reading), self._first
        if self._agreed_fees is None:
            self._agreed_fees = reading.fees
        # In this form an equity that is missing lets nothing become a flow.
        if not abs(residual) > SMALLEST_SHARE * abs(equity):
            self._first, self._agreed_fees = None, reading.fees
            return 0.0
        if abs(residual) <= reading.fees - self._agreed_fees:
            self._first = None
            return 0.0
        earlier = self.residual(first) if first is not None else 0.0
        if first is None or first.orders != reading.orders or earlier * residual <= 0:
            self._first = reading if reading.certain else None
            return 0.0
        if not reading.certain:
            self._first = None
            return 0.0
        if reading.at - first.at < APART:
            return 0.0
        flow = min(earlier, residual, key=abs)
        self.base += flow
        self._first, self._agreed_fees = None, reading.fees
        return flow
