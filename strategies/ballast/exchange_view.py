"""The one module that reaches through to the exchange.

Order books and orders are private to Freqtrade's data provider and exchange; every name used here
is held by a contract test, and what fails raises: the caller refuses. In a backtest even an order
book would be a real request, so that a view there refuses to be asked.
"""

from collections.abc import Callable
from typing import Any

from freqtrade.data.dataprovider import DataProvider
from freqtrade.wallets import Wallets

from ballast.core.gate import Quote
from ballast.feeds import LIVE_MODES

# Levels of each side that are read: the most that Binance gives for its cheapest request.
_LEVELS = 100


class ExchangeView:
    """
    The exchange as seen from a strategy.

    Parameters
    ----------
    dp : DataProvider
        Of the strategy.
    wallets : callable
        Gives Freqtrade's wallets; they are attached to the strategy after it is made.
    """

    def __init__(self, dp: DataProvider, wallets: Callable[[], Wallets]) -> None:
        self._dp = dp
        self._wallets = wallets

    @property
    def is_real(self) -> bool:
        """Whether orders are sent to an exchange: neither a backtest nor paper trading."""
        return self.is_live and not self._exchange._config["dry_run"]

    @property
    def is_live(self) -> bool:
        """Whether there is an exchange to ask, paper trading included."""
        return self._dp.runmode in LIVE_MODES

    def quote(self, pair: str) -> Quote:
        """The order book now; one request."""
        self._needs_live()
        book = self._dp.orderbook(pair, _LEVELS)
        return Quote(_levels(book["bids"]), _levels(book["asks"]))

    def free(self, currency: str) -> float:
        """What is free of a currency now; one request (none when paper trading)."""
        self._needs_live()
        wallets = self._wallets()
        wallets.update()
        return float(wallets.get_free(currency))

    @property
    def _exchange(self) -> Any:
        exchange = self._dp._exchange
        if exchange is None:
            raise RuntimeError("there is no exchange in this run mode")
        return exchange

    def _needs_live(self) -> None:
        if not self.is_live:
            raise RuntimeError("a backtest must not ask the exchange")


def _levels(side: Any) -> list[tuple[float, float]]:
    return [(float(level[0]), float(level[1])) for level in side]
