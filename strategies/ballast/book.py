"""The account as the sizer sees it: equity with open positions, and what the stops put at risk."""

import math
from collections.abc import Callable
from datetime import datetime

from freqtrade.persistence import LocalTrade, Trade
from freqtrade.wallets import Wallets

from ballast.tape import Tape


class Book:
    """
    Account of a run.

    Parameters
    ----------
    wallets : callable
        Gives Freqtrade's wallets; they are attached to the strategy after it is made.
    tape_of : callable
        Gives a pair's tape, or None.
    stake_currency : str
        Quote currency.
    """

    def __init__(
        self,
        wallets: Callable[[], Wallets],
        tape_of: Callable[[str], Tape | None],
        stake_currency: str,
    ) -> None:
        self._wallets = wallets
        self._tape_of = tape_of
        self._stake_currency = stake_currency

    @staticmethod
    def open_trades() -> list[LocalTrade]:
        """Open trades, those whose entry is not filled yet included."""
        return list(Trade.get_trades_proxy(is_open=True))

    def price(self, trade: LocalTrade, now: datetime) -> float:
        """Close of the last completed candle of the trade's pair; its entry price where unknown."""
        tape = self._tape_of(trade.pair)
        position = tape.completed_at(now) if tape is not None else -1
        price = float(tape["close"][position]) if tape is not None and position >= 0 else math.nan
        return price if math.isfinite(price) else float(trade.open_rate)

    def equity(self, now: datetime) -> float:
        """Quote currency held plus open positions at their last completed close."""
        held = self._wallets().get_total(self._stake_currency)
        return held + sum(trade.amount * self.price(trade, now) for trade in self.open_trades())

    def risk_at_stop(self, now: datetime) -> float:
        """
        What the account loses if every open position leaves at its stop, quote currency.

        Measured from the last completed close, not from the entry: open profit that a stop would
        give back is equity too.
        """
        return sum(
            trade.amount * max(0.0, self.price(trade, now) - (trade.stop_loss or 0.0))
            for trade in self.open_trades()
        )
