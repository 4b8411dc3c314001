"""The account as guards and sizer see it: equity, risk at stop, trades that have closed."""

import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from freqtrade.persistence import LocalTrade, Trade
from freqtrade.wallets import Wallets

from ballast.core.columns import CandleColumns
from ballast.core.snapshot import ClosedTrade


class Portfolio:
    """
    Account of a run.

    Parameters
    ----------
    wallets : callable
        Gives Freqtrade's wallets; they are attached to the strategy after it is made.
    columns_of : callable
        Gives a pair's columns, or None.
    stake_currency : str
        Quote currency.
    """

    def __init__(
        self,
        wallets: Callable[[], Wallets],
        columns_of: Callable[[str], CandleColumns | None],
        stake_currency: str,
    ) -> None:
        self._wallets = wallets
        self._columns_of = columns_of
        self._stake_currency = stake_currency
        self._closed_seen = 0
        self._closed_until = datetime.fromtimestamp(0, tz=UTC)

    @staticmethod
    def open_trades() -> list[LocalTrade]:
        """Open trades, those whose entry is not filled yet included."""
        return Trade.get_trades_proxy(is_open=True)

    def price(self, trade: LocalTrade, now: datetime) -> float:
        """Close of the last completed candle of the trade's pair; its entry price where unknown."""
        columns = self._columns_of(trade.pair)
        position = columns.completed_at(now) if columns is not None else -1
        price = (
            float(columns["close"][position]) if columns is not None and position >= 0 else math.nan
        )
        return price if math.isfinite(price) else float(trade.open_rate)

    def positions(self, now: datetime) -> list[tuple[LocalTrade, float]]:
        """Open trades that hold something, and their last completed close."""
        return [(trade, self.price(trade, now)) for trade in self.open_trades() if trade.amount]

    def equity(self, now: datetime) -> float:
        """Quote currency held plus open positions at their last completed close."""
        return self.worth(self.positions(now))

    def worth(self, positions: Iterable[tuple[LocalTrade, float]]) -> float:
        """Quote currency held plus these positions at these prices."""
        held = float(self._wallets().get_total(self._stake_currency))
        return held + sum(trade.amount * price for trade, price in positions)

    def exposure(self, now: datetime) -> float:
        """Value of all open positions at their last completed close, quote currency."""
        return sum(trade.amount * price for trade, price in self.positions(now))

    def newly_closed(self, result_in_r: Callable[[LocalTrade], float]) -> tuple[ClosedTrade, ...]:
        """
        Trades that have closed since the last call, oldest first.

        The cost does not grow with the number of closed trades.
        """
        if Trade.use_db:
            trades = Trade.get_trades_proxy(is_open=False, close_date=self._closed_until)
            trades = sorted(trades, key=lambda trade: trade.close_date_utc)
            if trades:
                self._closed_until = trades[-1].close_date_utc
        else:
            trades = LocalTrade.bt_trades[self._closed_seen :]
            self._closed_seen = len(LocalTrade.bt_trades)
        return tuple(self.closed_trade(trade, result_in_r) for trade in trades)

    @property
    def closed_until(self) -> datetime:
        """When the last trade closed that `newly_closed` has given."""
        return self._closed_until

    @staticmethod
    def closed_trade(trade: LocalTrade, result_in_r: Callable[[LocalTrade], float]) -> ClosedTrade:
        """What guards are told of a closed trade."""
        return ClosedTrade(trade.pair, trade.close_date_utc, result_in_r(trade))

    def begin_at(self, moment: datetime) -> None:
        """Count as new only trades that close after this moment, and forget backtest trades."""
        self._closed_until = moment
        self._closed_seen = 0
