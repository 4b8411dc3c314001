"""The one module that reaches through to the exchange.

Order books and orders are private to Freqtrade's data provider and exchange; every name used here
is held by a contract test, and what fails raises: the caller refuses. In a backtest even an order
book would be a real request, so that a view there refuses to be asked.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

import ccxt
from freqtrade.data.dataprovider import DataProvider
from freqtrade.exceptions import ExchangeError, TemporaryError
from freqtrade.wallets import Wallet, Wallets

from ballast.core.pre_trade import Quote
from ballast.core.reconciliation import SELL, SeenOrder
from ballast.core.times import from_epoch
from ballast.data.feeds import LIVE_MODES, is_listed

logger = logging.getLogger(__name__)

# Levels of each side that are read: the most that Binance gives for its cheapest request.
_LEVELS = 100
_SPOT_LEVERAGE = 1.0
# The smallest page of orders that an exchange gives (Bybit's): a shorter one is the last.
_SMALLEST_PAGE = 50
# Where ccxt puts the price that an order waits for.
_STOP_PRICES = ("stopPrice", "triggerPrice", "stopLossPrice")
_OKX = ("okx", "myokx", "okxus")


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
        # Whether there is an exchange to ask, paper trading included; a run has one mode.
        self.is_live = dp.runmode in LIVE_MODES

    @property
    def is_real(self) -> bool:
        """Whether orders are sent to an exchange: neither a backtest nor paper trading."""
        return self.is_live and not self._exchange._config["dry_run"]

    def is_listed(self, pair: str) -> bool:
        """Whether the exchange lists a pair and has it traded."""
        return is_listed(self._dp, pair)

    def knows(self, pair: str) -> bool:
        """Whether the exchange can be asked about a pair; some time after a delisting it cannot."""
        return self._dp.market(pair) is not None

    def quote(self, pair: str) -> Quote:
        """The order book now; one request."""
        self._needs_live()
        book = self._dp.orderbook(pair, _LEVELS)
        return Quote(_levels(book["bids"]), _levels(book["asks"]))

    def free(self, currency: str) -> float:
        """What is free of a currency now; one request (none when paper trading)."""
        self.read_balances()
        return float(self._wallets().get_free(currency))

    def read_balances(self) -> None:
        """Read all balances again; one request (none when paper trading)."""
        self._needs_live()
        self._wallets().update()

    def total(self, currency: str) -> float:
        """What there is of a currency, in orders or free, as read last."""
        return float(self._wallets().get_total(currency))

    def balances(self) -> Mapping[str, Wallet]:
        """By currency, what is free of it and what orders lock, as read last."""
        return self._wallets().get_all_balances()

    @property
    def stake_currency(self) -> str:
        """The currency that is traded with."""
        return str(self._exchange._config["stake_currency"])

    def last_price(self, pair: str) -> float:
        """Close of the pair's newest candle; NaN where it has none. No request."""
        frame = self._dp.ohlcv(pair, copy=False)
        return float(frame["close"].iloc[-1]) if len(frame) else float("nan")

    def smallest(self, pair: str, price: float) -> float:
        """Value of the smallest order, quote currency; 0 where the exchange has no limit."""
        return float(self._exchange.get_min_pair_stake_amount(pair, price, 0.0) or 0.0)

    def fee(self, pair: str) -> float | None:
        """
        Fee of a fill, ratio: the larger of maker's and taker's, or the configuration's `fee` where
        orders are simulated; None without an exchange, or where it does not know the pair. No
        request.
        """
        market = self._dp.market(pair) if self._dp._exchange is not None else None
        if market is None:
            return None
        kinds = ("maker", "taker")
        if self._exchange._api is None and self._exchange._config.get("fee") is None:
            # Hyperopt takes the connection from its workers; the market says it as well.
            return max(float(market.get(kind) or 0.0) for kind in kinds)
        return max(float(self._exchange.get_fee(pair, taker_or_maker=kind)) for kind in kinds)

    def base(self, pair: str) -> str:
        """The currency that a pair buys."""
        return str(self._exchange.get_pair_base_currency(pair))

    def open_orders(self, pair: str) -> list[SeenOrder]:
        """
        All open orders of a pair, whoever sent them; one request, two where stops are listed apart.

        Raises
        ------
        ExchangeError
            As Freqtrade's own methods do, which have none for this: a TemporaryError where the
            exchange cannot be reached, another where it refuses what is asked of this pair.
        """
        self._needs_real()
        try:
            orders = [*self._exchange._api.fetch_open_orders(pair), *self._stops_apart(pair)]
        except ccxt.BaseError as error:
            raise _refused(error, f"open orders of {pair}") from error
        return list(self._by_id(pair, orders).values())

    def open_orders_of(self, pairs: Iterable[str]) -> dict[str, list[SeenOrder]] | None:
        """
        All open orders of these pairs by pair, in one request; None where that cannot be asked: the
        exchange wants a pair, gives a page only, lists stops apart, or refuses.

        Raises
        ------
        TemporaryError
            Where the exchange cannot be reached.
        """
        self._needs_real()
        found: dict[str, list[SeenOrder]] = {pair: [] for pair in pairs}
        if not all(map(self._lists_all_at_once, found)):
            return None
        api = self._exchange._api
        # ccxt's warning that it counts as several requests, which it refuses to go on without.
        api.options["fetchOpenOrders"] = {
            **(api.options.get("fetchOpenOrders") or {}),
            "warnWithoutSymbol": False,
        }
        try:
            orders = api.fetch_open_orders()
        except ccxt.BaseError as error:
            refusal = _refused(error, "open orders")
            if isinstance(refusal, TemporaryError):
                raise refusal from error
            logger.warning("%s; asked pair by pair", refusal)
            return None
        for order in orders:
            if order["symbol"] in found:
                found[order["symbol"]].append(self._seen(order["symbol"], order))
        return found

    def orders(self, pair: str, since: datetime) -> list[SeenOrder]:
        """
        All orders of a pair since a moment, open and closed.

        An exchange gives a page at a time: the next begins where the one before ends, until it
        brings nothing new. One request for each page, and those for open orders where stops are
        listed apart.
        """
        self._needs_real()
        found: dict[str, SeenOrder] = {}
        while True:
            page = self._by_id(pair, self._exchange.fetch_orders(pair, since))
            new = page.keys() - found.keys()
            found.update(page)
            if not new or len(page) < _SMALLEST_PAGE:
                break
            since = max(order.created for order in page.values())
        if self._lists_stops_apart(pair):
            found.update((order.id, order) for order in self.open_orders(pair))
        return list(found.values())

    def cancel(self, order: SeenOrder) -> None:
        """Cancel an order; up to two requests."""
        self._needs_real()
        self._exchange.cancel_order_with_result(order.id, order.pair, order.amount)

    def sell(self, pair: str, amount: float) -> None:
        """Sell by market; one request."""
        self._needs_real()
        self._exchange.create_order(
            pair=pair,
            ordertype="market",
            side=SELL,
            amount=amount,
            rate=self.last_price(pair),
            leverage=_SPOT_LEVERAGE,
            initial_order=False,
        )

    def place_stop(self, pair: str, amount: float, stop: float) -> None:
        """Place a stop order; one request."""
        self._needs_real()
        self._exchange.create_stoploss(
            pair=pair,
            amount=amount,
            stop_price=stop,
            order_types={"stoploss": "market"},
            side=SELL,
            leverage=_SPOT_LEVERAGE,
        )

    def terms(self, pair: str) -> dict[str, Any]:
        """What Freqtrade records of the exchange with every trade, by the names of its columns."""
        exchange = self._exchange
        fee = exchange.get_fee(symbol=pair, taker_or_maker="maker")
        return {
            "base_currency": self.base(pair),
            "stake_currency": exchange.get_pair_quote_currency(pair),
            "fee_open": fee,
            "fee_close": fee,
            "exchange": exchange.id,
            "trading_mode": exchange.trading_mode,
            "amount_precision": exchange.get_precision_amount(pair),
            "price_precision": exchange.get_precision_price(pair),
            "precision_mode": exchange.precisionMode,
            "precision_mode_price": exchange.precision_mode_price,
            "contract_size": exchange.get_contract_size(pair),
        }

    @property
    def _exchange(self) -> Any:
        exchange = self._dp._exchange
        if exchange is None:
            raise RuntimeError("there is no exchange in this run mode")
        return exchange

    def _lists_stops_apart(self, pair: str) -> bool:
        """Whether open stops are not among the open orders (OKX, Gate, Bitget, KuCoin)."""
        api = self._exchange._api
        return bool(api.feature_value(pair, "fetchOpenOrders", "trigger", False))

    def _lists_all_at_once(self, pair: str) -> bool:
        """Whether one request without a pair gives every open order of such a pair, whole."""
        wanted = {"symbolRequired": False, "limit": None, "trigger": False}
        return all(
            self._exchange._api.feature_value(pair, "fetchOpenOrders", name, "unknown") == value
            for name, value in wanted.items()
        )

    def _stops_apart(self, pair: str) -> list[Any]:
        if not self._lists_stops_apart(pair):
            return []
        # Of OKX's kinds the one that Freqtrade's stops are.
        kind = {"ordType": "conditional"} if self._exchange._api.id in _OKX else {}
        found: list[Any] = self._exchange._api.fetch_open_orders(
            pair, params={"trigger": True, **kind}
        )
        return found

    def _by_id(self, pair: str, orders: Iterable[Mapping[str, Any]]) -> dict[str, SeenOrder]:
        return {str(order["id"]): self._seen(pair, order) for order in orders}

    def _seen(self, pair: str, order: Mapping[str, Any]) -> SeenOrder:
        return SeenOrder(
            id=str(order["id"]),
            pair=pair,
            side=str(order["side"]),
            amount=float(order["amount"]),
            filled=float(order["filled"] or 0.0),
            is_open=order["status"] == "open",
            stop=next((float(order[name]) for name in _STOP_PRICES if order.get(name)), 0.0),
            created=from_epoch((order["timestamp"] or 0) / 1000),
            ours=str(order.get("clientOrderId") or "").startswith(self._mark),
            raw=order,
        )

    @property
    def _mark(self) -> str:
        """How the names of orders begin that ccxt has sent; all do where it marks none."""
        marks = self._exchange._api.options.get("broker")
        return str(marks.get("spot", "")) if isinstance(marks, Mapping) else ""

    def _needs_live(self) -> None:
        if not self.is_live:
            raise RuntimeError("a backtest must not ask the exchange")

    def _needs_real(self) -> None:
        if not self.is_real:
            raise RuntimeError("orders on an exchange exist in live trading alone")


def _refused(error: ccxt.BaseError, what: str) -> ExchangeError:
    """As Freqtrade's own methods have it: temporary where the exchange was not reached."""
    kind = TemporaryError if isinstance(error, ccxt.OperationFailed) else ExchangeError
    return kind(f"{what} could not be read: {error}")


def _levels(side: Any) -> list[tuple[float, float]]:
    return [(float(level[0]), float(level[1])) for level in side]
