"""What is open puts at risk: sums for the sizer, and stops drawn closer where they are too large.

An entry that still rests on the exchange counts as if it had filled: two signals of one candle must
not each take what is left.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from ballast.core.heat import StopCosts, drawn_closer, loss_at_stop
from ballast.core.ledger import Ledger
from ballast.core.reasons import Reason
from ballast.risk.portfolio import Entry, Position
from ballast.risk.stop_manager import StopManager


class Committed(NamedTuple):
    """
    An account and what of it is committed, quote currency.

    Parameters
    ----------
    equity : float
        Its value with open positions.
    exposure : float
        Value of all open positions and entries.
    risks : mapping of str to float
        By pair, what positions and open entries lose at their stops.
    """

    equity: float
    exposure: float
    risks: Mapping[str, float]


class OpenRisk:
    """
    Risk of the open positions and entries.

    Parameters
    ----------
    ledger : Ledger
    stop_manager : StopManager
    costs_of : callable
        What leaving a pair at a stop costs beside the distance.
    limit : float or None
        Of the open heat, ratio of equity; None for none.
    left : callable
        What guards let all positions lose at an equity, quote currency; None for all.
    """

    def __init__(
        self,
        ledger: Ledger,
        stop_manager: StopManager,
        costs_of: Callable[[str], StopCosts],
        limit: float | None,
        left: Callable[[float], float | None],
    ) -> None:
        self._ledger = ledger
        self._stop_manager = stop_manager
        self._costs_of = costs_of
        self._limit = limit
        self._left = left

    def by_pair(
        self, positions: Iterable[Position], entries: Iterable[Entry], now: datetime
    ) -> dict[str, float]:
        """
        By pair, what positions and entries lose at their stops, costs and gap included, in quote
        currency.

        Measured from the last completed close, not from the entry: open profit that a stop would
        give back is equity too.
        """
        stops = self._stop_manager
        opened = [
            (trade, trade.amount, price, stops.stop(trade, now)) for trade, price in positions
        ]
        for trade, units, price in entries:
            stop = stops.stop(trade, now) if trade.amount else stops.first_stop(trade)
            opened.append((trade, units, price, stop))
        risks: dict[str, float] = {}
        for trade, units, price, stop in opened:
            risk = loss_at_stop(units, price, stop, self._costs_of(trade.pair))
            risks[trade.pair] = risks.get(trade.pair, 0.0) + risk
        return risks

    def hold(self, positions: Sequence[Position], equity: float, end: datetime) -> None:
        """Draw the stops of positions closer where together they risk too much of an equity."""
        if not positions:
            return
        held, heat = [], 0.0
        for trade, price in positions:
            stop, costs = self._stop_manager.stop(trade, end), self._costs_of(trade.pair)
            heat += loss_at_stop(trade.amount, price, stop, costs)
            held.append((trade, price, stop, costs))
        allowed = self._allowed(equity, heat)
        if heat <= allowed:
            return
        # What leaving costs is lost wherever the stop is.
        fixed = sum(loss_at_stop(t.amount, price, price, costs) for t, price, _, costs in held)
        for trade, price, stop, _ in held:
            closer = drawn_closer(price, stop, heat - fixed, allowed - fixed)
            self._stop_manager.tighten(trade, closer, Reason.PORTFOLIO_HEAT, end)

    def _allowed(self, equity: float, heat: float) -> float:
        """What positions may lose; a withdrawal alone draws no stop closer (see `Ledger`)."""
        allowed = math.inf if self._limit is None else self._limit * equity
        left = self._left(equity)
        if left is not None:
            allowed = min(allowed, left)
        base = self._ledger.heat_base(equity, fits=heat <= allowed)
        return allowed * (base / equity) if equity > 0 else allowed
