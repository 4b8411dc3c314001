"""The account as guards and sizer see it, from the trade table: equity, positions, open entries."""

import math
from collections.abc import Callable, Iterable
from datetime import datetime

from freqtrade.persistence import LocalTrade, Trade

from ballast.core.columns import CandleColumns
from ballast.core.ledger import Ledger
from ballast.risk.read_once import read_once

# A trade that holds something, and its last completed close.
Position = tuple[LocalTrade, float]
# The trade of an entry order that is open, its units and its limit (quote currency).
Entry = tuple[LocalTrade, float, float]


class Portfolio:
    """
    Account of a run.

    Parameters
    ----------
    ledger : Ledger
        Knows the capital that was given to it.
    columns_of : callable
        Gives a pair's columns, or None.
    """

    def __init__(self, ledger: Ledger, columns_of: Callable[[str], CandleColumns | None]) -> None:
        self._ledger = ledger
        self._columns_of = columns_of

    @staticmethod
    def open_trades() -> list[LocalTrade]:
        """Open trades, those whose entry is not filled yet included."""
        if not Trade.use_db:
            return LocalTrade.get_trades_proxy(is_open=True)
        return read_once(Trade.get_open_trades)

    def price(self, trade: LocalTrade, now: datetime) -> float:
        """Close of the last completed candle of the trade's pair; its entry price where unknown."""
        columns = self._columns_of(trade.pair)
        position = columns.completed_at(now) if columns is not None else -1
        price = math.nan
        if columns is not None and position >= 0:
            price = columns.value("close", position)
        return price if math.isfinite(price) else float(trade.open_rate)

    def positions(self, now: datetime) -> list[Position]:
        """Open trades that hold something, and their last completed close."""
        return self._held(self.open_trades(), now)

    def committed(self, now: datetime) -> tuple[list[Position], list[Entry]]:
        """Positions, and entry orders that are open."""
        trades = self.open_trades()
        return self._held(trades, now), _entering(trades)

    def _held(self, trades: Iterable[LocalTrade], now: datetime) -> list[Position]:
        return [(trade, self.price(trade, now)) for trade in trades if trade.amount]

    def worth(self, positions: Iterable[Position]) -> float:
        """Account value with these positions at these prices, quote currency."""
        realized = staked = value = 0.0
        for trade, price in positions:
            realized += trade.realized_profit or 0.0
            staked += trade.stake_amount
            value += trade.amount * price
        return self._ledger.capital + (_closed_results() + realized) - staked + value

    def opened(self, positions: Iterable[Position]) -> dict[int, float]:
        """Of every open trade what it has added to the account so far (see `ledger.Books`)."""
        opened = dict.fromkeys((trade.id for trade in self.open_trades()), 0.0)
        opened |= {
            trade.id: (trade.realized_profit or 0.0) + trade.amount * price - trade.stake_amount
            for trade, price in positions
        }
        return opened

    @staticmethod
    def exposure(positions: Iterable[Position], entries: Iterable[Entry]) -> float:
        """Value of positions and of open entries, quote currency."""
        held = sum([trade.amount * price for trade, price in positions])
        return held + sum([amount * price for _, amount, price in entries])


def _entering(trades: Iterable[LocalTrade]) -> list[Entry]:
    """All units of an order: Freqtrade adds what has filled to the position once it has ended."""
    return [
        (trade, order.safe_amount, order.safe_price)
        for trade in trades
        for order in trade.orders
        if order.ft_is_open and order.ft_order_side == trade.entry_side
    ]


def _closed_results() -> float:
    """What all closed trades have earned, quote currency; in backtests Freqtrade keeps the sum."""
    if not Trade.use_db:
        return float(LocalTrade.bt_total_profit)
    return float(read_once(Trade.get_total_closed_profit))
