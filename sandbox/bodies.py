"""Response bodies in Binance's form: numbers as text with eight decimals, times in milliseconds."""

from __future__ import annotations

from typing import Any

from sandbox.candles import DAY_MS, Candles
from sandbox.market_data import Ticker
from sandbox.trades import PER_CANDLE, Trades


def amount(value: float) -> str:
    """A price or an amount."""
    return f"{value:.8f}"


def kline_rows(candles: Candles) -> list[list[Any]]:
    """Binance's twelve fields a candle; half of the volume counts as bought by takers."""
    close_after = candles.timeframe_ms - 1
    columns = zip(
        candles.open_ms.tolist(),
        candles.open.tolist(),
        candles.high.tolist(),
        candles.low.tolist(),
        candles.close.tolist(),
        candles.volume.tolist(),
        candles.quote_volume.tolist(),
        strict=True,
    )
    return [
        [
            time_ms,
            f"{first:.8f}",
            f"{high:.8f}",
            f"{low:.8f}",
            f"{last:.8f}",
            f"{volume:.8f}",
            time_ms + close_after,
            f"{quote:.8f}",
            PER_CANDLE if volume else 0,
            f"{volume / 2:.8f}",
            f"{quote / 2:.8f}",
            "0",
        ]
        for time_ms, first, high, low, last, volume, quote in columns
    ]


def ticker_body(ticker: Ticker) -> dict[str, Any]:
    """The body of ticker/24hr for one symbol."""
    change = ticker.last - ticker.open
    average = ticker.quote_volume / ticker.volume if ticker.volume else 0.0
    return {
        "symbol": ticker.market.symbol,
        "priceChange": amount(change),
        "priceChangePercent": f"{100 * change / ticker.open if ticker.open else 0.0:.3f}",
        "weightedAvgPrice": amount(average),
        "prevClosePrice": amount(ticker.open),
        "lastPrice": amount(ticker.last),
        "lastQty": amount(ticker.market.lot_size),
        "bidPrice": amount(ticker.bid[0]),
        "bidQty": amount(ticker.bid[1]),
        "askPrice": amount(ticker.ask[0]),
        "askQty": amount(ticker.ask[1]),
        "openPrice": amount(ticker.open),
        "highPrice": amount(ticker.high),
        "lowPrice": amount(ticker.low),
        "volume": amount(ticker.volume),
        "quoteVolume": amount(ticker.quote_volume),
        "openTime": ticker.close_time_ms - DAY_MS,
        "closeTime": ticker.close_time_ms,
        "firstId": ticker.first_id if ticker.trade_count else -1,
        "lastId": ticker.first_id + ticker.trade_count - 1 if ticker.trade_count else -1,
        "count": ticker.trade_count,
    }


def aggregate_trade_rows(trades: Trades) -> list[dict[str, Any]]:
    """The body of aggTrades: every aggregate holds one trade."""
    return [
        {"a": id_, "p": amount(price), "q": amount(size)}
        | {"f": id_, "l": id_, "T": time_ms, "m": maker, "M": True}
        for id_, time_ms, price, size, maker in _columns(trades)
    ]


def trade_rows(trades: Trades) -> list[dict[str, Any]]:
    """The body of trades and historicalTrades."""
    return [
        {"id": id_, "price": amount(price), "qty": amount(size)}
        | {"quoteQty": amount(price * size), "time": time_ms}
        | {"isBuyerMaker": maker, "isBestMatch": True}
        for id_, time_ms, price, size, maker in _columns(trades)
    ]


def _columns(trades: Trades) -> list[tuple[int, int, float, float, bool]]:
    return list(
        zip(
            trades.ids.tolist(),
            trades.time_ms.tolist(),
            trades.price.tolist(),
            trades.amount.tolist(),
            trades.buyer_is_maker.tolist(),
            strict=True,
        )
    )
