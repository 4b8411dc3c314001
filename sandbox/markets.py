"""Symbols and their filters, in the form of Binance's exchangeInfo."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

MIN_NOTIONAL = "5.00000000"
ORDER_TYPES = (
    "LIMIT",
    "LIMIT_MAKER",
    "MARKET",
    "STOP_LOSS",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
)


@dataclass(frozen=True, slots=True)
class Market:
    """A spot pair.

    ``tick`` and ``lot`` are the steps of price and amount as decimal text. ``spread_ratio`` is the
    usual bid-ask spread over price [ratio]; the book never quotes less than a tick. Delisting times
    are None for a pair that stays; from ``removed_ms`` on the exchange does not know it any more.
    """

    pair: str
    tick: str
    lot: str
    listed_ms: int
    delisted_ms: int | None = None
    announced_ms: int | None = None
    removed_ms: int | None = None
    spread_ratio: float = 0.0003

    @property
    def base(self) -> str:
        return self.pair.split("/")[0]

    @property
    def quote(self) -> str:
        return self.pair.split("/")[1]

    @property
    def symbol(self) -> str:
        """The exchange's name, BTCUSDT for BTC/USDT."""
        return self.pair.replace("/", "")

    @property
    def tick_size(self) -> float:
        """The price step [quote currency]."""
        return float(self.tick)

    @property
    def lot_size(self) -> float:
        """The amount step [base currency]."""
        return float(self.lot)

    def is_listed(self, now_ms: int) -> bool:
        """Whether the exchange knows the pair at a moment; one that is delisted it knows longer."""
        removed = self.removed_ms is not None and self.removed_ms <= now_ms
        return self.listed_ms <= now_ms and not removed

    def is_trading(self, now_ms: int) -> bool:
        """Whether the pair can be traded at a moment."""
        delisted = self.delisted_ms is not None and self.delisted_ms <= now_ms
        return self.is_listed(now_ms) and not delisted

    def shifted(self, shift_ms: int) -> Market:
        """The same market with every date ``shift_ms`` later."""

        def later(time_ms: int | None) -> int | None:
            return None if time_ms is None else time_ms + shift_ms

        return replace(
            self,
            listed_ms=self.listed_ms + shift_ms,
            delisted_ms=later(self.delisted_ms),
            announced_ms=later(self.announced_ms),
            removed_ms=later(self.removed_ms),
        )


def exchange_info(markets: list[Market], now_ms: int) -> dict[str, Any]:
    """The body of GET /api/v3/exchangeInfo for the markets given."""
    return {
        "timezone": "UTC",
        "serverTime": now_ms,
        "rateLimits": [
            {
                "rateLimitType": "REQUEST_WEIGHT",
                "interval": "MINUTE",
                "intervalNum": 1,
                "limit": 6000,
            },
            {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
            {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 200000},
        ],
        "exchangeFilters": [],
        "symbols": [_symbol_info(market, now_ms) for market in markets],
    }


def _symbol_info(market: Market, now_ms: int) -> dict[str, Any]:
    return {
        "symbol": market.symbol,
        "status": "TRADING" if market.is_trading(now_ms) else "BREAK",
        "baseAsset": market.base,
        "baseAssetPrecision": 8,
        "quoteAsset": market.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": list(ORDER_TYPES),
        "icebergAllowed": False,
        "ocoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": filters(market),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
    }


def filters(market: Market) -> list[dict[str, Any]]:
    """The filters of a symbol as exchangeInfo shows them and orders are checked against."""
    tick, lot = f"{market.tick_size:.8f}", f"{market.lot_size:.8f}"
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": tick,
            "maxPrice": f"{market.tick_size * 1e8:.8f}",
            "tickSize": tick,
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": lot,
            "maxQty": f"{market.lot_size * 9e8:.8f}",
            "stepSize": lot,
        },
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": "0.00000000",
            "maxQty": f"{market.lot_size * 1e7:.8f}",
            "stepSize": "0.00000000",
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": "5",
            "bidMultiplierDown": "0.2",
            "askMultiplierUp": "5",
            "askMultiplierDown": "0.2",
            "avgPriceMins": 5,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": MIN_NOTIONAL,
            "applyMinToMarket": True,
            "maxNotional": "9000000.00000000",
            "applyMaxToMarket": False,
            "avgPriceMins": 5,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": 5},
    ]
