"""What the exchange knows at a moment: candles, tickers, book and trades, cut at the clock.

All of it is derived from the source's finest candles, so that every answer agrees with every
other: the last price is the close of the candle that is forming, the 24h ticker sums candles, the
book stands around the last price.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from sandbox.candles import (
    DAY_MS,
    TIMEFRAMES_MS,
    Candles,
    IntArray,
    aggregate,
    candle_open_ms,
    unfinished,
)
from sandbox.clock import Clock
from sandbox.errors import ApiError, invalid_symbol
from sandbox.markets import Market
from sandbox.sources import CandleSource
from sandbox.trades import Trades, TradeTape
from sandbox.units import UNIT, from_float

# A level of the book holds this share of a usual candle's volume, more further out.
_LEVEL_SHARE, _LEVEL_GROWTH = 0.02, 0.15
_LEVEL_STEP_RATIO = 0.0001


@dataclass(frozen=True, slots=True)
class Ticker:
    """24 hours of trading; prices in quote currency, bid and ask as (price, amount).

    Prices and amounts are zero where there are none.
    """

    market: Market
    close_time_ms: int
    open: float
    high: float
    low: float
    last: float
    volume: float
    quote_volume: float
    bid: tuple[float, float]
    ask: tuple[float, float]
    first_id: int
    trade_count: int


@dataclass(frozen=True, slots=True)
class Book:
    """Bids and asks from the best outwards, each level (price [quote], amount [base])."""

    update_id: int
    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]


class MarketData:
    """The market-data side of the exchange: a source of candles seen through a clock."""

    def __init__(self, source: CandleSource, clock: Clock) -> None:
        self.source = source
        self.clock = clock
        self._markets = {market.symbol: market for market in source.markets()}
        self._aggregated: dict[tuple[str, str], Candles] = {}
        self._tapes: dict[str, TradeTape] = {}
        # By symbol: the second, and what was taken from the book in it, by price.
        self._taken: dict[str, tuple[int, dict[int, int]]] = {}

    def markets(self) -> list[Market]:
        """The pairs listed by now, delisted ones included."""
        now_ms = self.clock.now_ms()
        return [market for market in self._markets.values() if market.is_listed(now_ms)]

    def market(self, symbol: str) -> Market:
        """The market of a symbol; ApiError -1121 if it is not listed by now."""
        market = self._markets.get(symbol)
        if market is None or not market.is_listed(self.clock.now_ms()):
            raise invalid_symbol()
        return market

    def klines(
        self,
        symbol: str,
        interval: str,
        start_ms: int | None = None,
        end_ms: int | None = None,
        limit: int = 500,
    ) -> Candles:
        """Candles as GET /api/v3/klines gives them; the last may still be forming.

        With ``start_ms`` the first ``limit`` candles that open at or after it, else the last
        ``limit`` ones; ``end_ms`` is the latest open [Unix ms]. Raises ApiError -1120 for a
        timeframe that is unknown or finer than the source.
        """
        market, now_ms = self.market(symbol), self.clock.now_ms()
        whole = self._candles(market, interval)
        start = 0 if start_ms is None else start_ms
        end = now_ms if end_ms is None else min(end_ms, now_ms)
        found = whole.between(start, min(end, now_ms - whole.timeframe_ms) + 1)
        found = found.rows(slice(0, limit) if start_ms is not None else slice(-limit, None))
        if len(found) < limit or start_ms is None:
            forming = self._forming(market, whole.timeframe_ms, now_ms)
            found = found.append(forming.between(start, end + 1))
        return found.rows(slice(-limit, None))

    def last_price(self, symbol: str) -> float:
        """The latest traded price [quote currency], 0 before the first candle."""
        recent = self._recent(self.market(symbol), 1, self.clock.now_ms())
        return float(recent.close[-1]) if len(recent) else 0.0

    def ticker(self, symbol: str) -> Ticker:
        """The rolling 24 hours up to now."""
        market, now_ms = self.market(symbol), self.clock.now_ms()
        timeframe_ms = self.source.candles(market.pair).timeframe_ms
        day = self._recent(market, DAY_MS // timeframe_ms + 1, now_ms)
        last = float(day.close[-1]) if len(day) else 0.0
        day = day.between(now_ms - DAY_MS + 1, now_ms + 1)
        opened = float(day.open[0]) if len(day) else last
        first_id, count = self._tape(market).count(now_ms - DAY_MS + 1, now_ms)
        book = self._book(market, 1, now_ms)
        return Ticker(
            market,
            close_time_ms=now_ms,
            open=opened,
            high=float(day.high.max(initial=opened)),
            low=float(day.low.min(initial=opened)),
            last=last,
            volume=float(day.volume.sum()),
            quote_volume=float(day.quote_volume.sum()),
            bid=book.bids[0] if book.bids else (0.0, 0.0),
            ask=book.asks[0] if book.asks else (0.0, 0.0),
            first_id=first_id,
            trade_count=count,
        )

    def book(self, symbol: str, levels: int, time_ms: int | None = None) -> Book:
        """A book around the last price; empty for a pair that does not trade.

        The spread is the market's usual one, at least a tick. Amounts vary from second to second
        but are the same for the same second, less what was taken in it. ``time_ms`` is a moment
        that has passed; now by default [Unix ms].
        """
        market = self.market(symbol)
        return self._book(market, levels, self.clock.now_ms() if time_ms is None else time_ms)

    def take(self, symbol: str, price: int, amount: int, time_ms: int) -> None:
        """Remove an amount from a level of the book for the rest of the second [units of 1e-8]."""
        second, taken = self._taken.get(symbol, (0, {}))
        if second != time_ms // 1000:
            taken = {}
        taken[price] = taken.get(price, 0) + amount
        self._taken[symbol] = (time_ms // 1000, taken)

    def trades_from(self, symbol: str, first_id: int, limit: int) -> Trades:
        """Up to ``limit`` trades from an id on."""
        return self._tape(self.market(symbol)).from_id(first_id, limit, self.clock.now_ms())

    def trades_between(self, symbol: str, start_ms: int, end_ms: int, limit: int) -> Trades:
        """The first ``limit`` trades from ``start_ms`` through ``end_ms``."""
        tape = self._tape(self.market(symbol))
        return tape.between(start_ms, end_ms, limit, self.clock.now_ms())

    def trades_latest(self, symbol: str, limit: int) -> Trades:
        """The last ``limit`` trades up to now."""
        return self._tape(self.market(symbol)).latest(limit, self.clock.now_ms())

    def delistings(self) -> list[tuple[int, list[str]]]:
        """Announced delistings that are still to come: (time [Unix ms], symbols)."""
        now_ms = self.clock.now_ms()
        return [
            (market.delisted_ms, [market.symbol])
            for market in self._markets.values()
            if market.delisted_ms is not None
            and market.announced_ms is not None
            and market.announced_ms <= now_ms < market.delisted_ms
        ]

    def _candles(self, market: Market, interval: str) -> Candles:
        """All candles of a market in a timeframe, made once."""
        key = (market.pair, interval)
        if key not in self._aggregated:
            base = self.source.candles(market.pair)
            timeframe_ms = TIMEFRAMES_MS.get(interval, 0)
            if not timeframe_ms or timeframe_ms % base.timeframe_ms:
                raise ApiError(-1120, "Invalid interval.")
            self._aggregated[key] = aggregate(base, timeframe_ms)
        return self._aggregated[key]

    def _book(self, market: Market, levels: int, now_ms: int) -> Book:
        recent = self._recent(market, 100, now_ms)
        if not market.is_trading(now_ms) or not len(recent):
            return Book(now_ms, [], [])
        tick, last = market.tick_size, float(recent.close[-1])
        spread = max(1, round(market.spread_ratio * last / tick))
        step = max(1, round(_LEVEL_STEP_RATIO * last / tick))
        best_bid = max(1, round(last / tick) - spread // 2)
        second = now_ms // 1000
        taken_in, taken = self._taken.get(market.symbol, (0, {}))
        taken = taken if taken_in == second else {}
        offsets = np.arange(levels + len(taken)) * step
        bids, asks = best_bid - offsets, best_bid + spread + offsets
        return Book(
            now_ms,
            _left(_levels(market, bids[bids > 0], recent, f"bid {second}"), taken)[:levels],
            _left(_levels(market, asks, recent, f"ask {second}"), taken)[:levels],
        )

    def _recent(self, market: Market, count: int, now_ms: int) -> Candles:
        """The last ``count`` of the finest candles, the newest as far as it has formed by now."""
        base = self.source.candles(market.pair)
        end = int(np.searchsorted(base.open_ms, now_ms, side="right"))
        recent = base.rows(slice(max(0, end - count), end))
        if not len(recent) or recent.open_ms[-1] + base.timeframe_ms <= now_ms:
            return recent
        elapsed = (now_ms - int(recent.open_ms[-1])) / base.timeframe_ms
        forming = unfinished(recent.rows(slice(-1, None)), elapsed, market.tick_size)
        return recent.rows(slice(0, -1)).append(forming)

    def _forming(self, market: Market, timeframe_ms: int, now_ms: int) -> Candles:
        """The candle of a timeframe that contains now: one, or none where nothing traded yet."""
        opened = int(candle_open_ms(now_ms, timeframe_ms))
        base_ms = self.source.candles(market.pair).timeframe_ms
        recent = self._recent(market, timeframe_ms // base_ms, now_ms)
        return aggregate(recent.between(opened, now_ms + 1), timeframe_ms)

    def _tape(self, market: Market) -> TradeTape:
        if market.symbol not in self._tapes:
            self._tapes[market.symbol] = TradeTape(self.source.candles(market.pair), market)
        return self._tapes[market.symbol]


def _levels(
    market: Market, prices: IntArray, recent: Candles, key: str
) -> list[tuple[float, float]]:
    """Levels at prices given in ticks, with amounts in whole lots."""
    usual = float(np.median(recent.volume)) or float(recent.volume.mean())
    rng = np.random.default_rng(zlib.crc32(f"{market.symbol} {key}".encode()))
    size = _LEVEL_SHARE * (1 + _LEVEL_GROWTH * np.arange(len(prices)))
    amounts = usual * size * rng.uniform(0.5, 1.5, len(prices))
    lots = np.maximum(1, np.rint(amounts / market.lot_size))
    return [
        (price * market.tick_size, amount * market.lot_size)
        for price, amount in zip(prices.tolist(), lots.tolist(), strict=True)
    ]


def _left(levels: list[tuple[float, float]], taken: dict[int, int]) -> list[tuple[float, float]]:
    """The levels without the amounts taken from them."""
    if not taken:
        return levels
    left = [
        (price, (from_float(amount) - taken.get(from_float(price), 0)) / UNIT)
        for price, amount in levels
    ]
    return [level for level in left if level[1] > 0]
