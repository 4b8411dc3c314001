"""OrderCallbacks: what Freqtrade asks about orders that are under way.

Entries are limit orders that wait a short while and follow the market a short way; exits are market
orders, which wait for no price.
"""

from datetime import datetime
from typing import Any

from freqtrade.persistence import LocalTrade, Order

from ballast.strategy.fail_closed import fail_closed
from ballast.strategy.signals import SignalStrategy


class OrderCallbacks(SignalStrategy):
    """Callbacks about open orders; `GuardedStrategy` derives from it."""

    __module__ = "ballast.strategy.order_callbacks"  # see `strategy/__init__.py`

    def incident(self, where: str, error: Exception) -> None:
        """Report a failure inside a callback; the callback has refused."""
        raise NotImplementedError

    @fail_closed(refusal=True)
    def check_entry_timeout(
        self, pair: str, trade: LocalTrade, order: Order, current_time: datetime, **kwargs: Any
    ) -> bool:
        """Whether what is left of an entry order is cancelled (see `OpenEntries.is_given_up`)."""
        session = self._connected
        killed = session.kill.verdict().blocks
        return killed or session.execution.open_entries.is_given_up(trade, order, current_time)

    @fail_closed(refusal=False)
    def check_exit_timeout(
        self, pair: str, trade: LocalTrade, order: Order, current_time: datetime, **kwargs: Any
    ) -> bool:
        """Whether an exit order that hangs is cancelled; Freqtrade then sells anew."""
        age_s = (current_time - order.order_date_utc).total_seconds()
        return age_s >= self.settings.pricing.exit_timeout_s

    @fail_closed(refusal=None)
    def adjust_order_price(
        self,
        trade: LocalTrade,
        order: Order | None,
        pair: str,
        current_time: datetime,
        proposed_rate: float,
        current_order_rate: float,
        entry_tag: str | None,
        side: str,
        is_entry: bool,
        **kwargs: Any,
    ) -> float | None:
        """
        New limit of an order that is open at a new candle; None gives it up.

        Entries follow the market within bounds (see `OpenEntries.follow`). An exit is given a limit
        by a person alone (`/forceexit`): it is left as it is.
        """
        if not is_entry or order is None:
            return current_order_rate
        execution = self._connected.execution
        rate = execution.open_entries.follow(
            trade, order, proposed_rate, current_order_rate, current_time
        )
        if rate is not None and rate != current_order_rate and execution.watch is not None:
            amount = order.safe_remaining
            execution.watch.sends(pair, amount, rate, entry_tag, current_time)
        return rate
