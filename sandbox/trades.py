"""Public trades made from candles, such that trades aggregate back to the candles they come from.

Each candle with volume holds up to `PER_CANDLE` trades along the candle's path (`candles`), its
open, extremes and close among them, with its lots shared out evenly. Ids count from 0 over a pair's
whole history without gaps, so paging by id works as on Binance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sandbox.candles import BoolArray, Candles, FloatArray, IntArray, path_prices
from sandbox.markets import Market

PER_CANDLE = 8
# When each trade happens [share of the candle's time]; the extremes fall on 1/3 and 2/3.
_TIMES = np.array([0.0, 1 / 6, 1 / 3, 1 / 2, 2 / 3, 5 / 6, 0.95, 1.0])
# The leg of the path each trade is on: to the first extreme, to the second, to the close.
_LEG = np.array([0, 0, 0, 1, 1, 2, 2, 2])
# Fewer lots than trades: which of them remain. Open, extremes and close go last.
_KEPT = {n: sorted([0, 7, 2, 4, 3, 1, 5, 6][:n]) for n in range(1, PER_CANDLE + 1)}


@dataclass(frozen=True, slots=True)
class Trades:
    """Public trades in order: id, time [Unix ms], price [quote], amount [base]."""

    ids: IntArray
    time_ms: IntArray
    price: FloatArray
    amount: FloatArray
    buyer_is_maker: BoolArray

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, selection: slice) -> Trades:
        """The trades of a slice of row numbers."""
        return Trades(
            self.ids[selection],
            self.time_ms[selection],
            self.price[selection],
            self.amount[selection],
            self.buyer_is_maker[selection],
        )


class TradeTape:
    """The trades of one pair, made on demand for stretches of its candles."""

    def __init__(self, candles: Candles, market: Market) -> None:
        self._candles = candles
        self._market = market
        lots = np.rint(candles.volume / market.lot_size).astype(np.int64)
        self._counts = np.minimum(lots, PER_CANDLE)
        # _first_ids[i] is the id of the first trade of candle i; the last entry is the total.
        self._first_ids = np.concatenate([[0], np.cumsum(self._counts)])

    def count(self, start_ms: int, end_ms: int) -> tuple[int, int]:
        """First id and number of the trades of candles that open from start through end."""
        opens = self._candles.open_ms
        first = int(np.searchsorted(opens, start_ms, side="left"))
        last = int(np.searchsorted(opens, end_ms, side="right"))
        return int(self._first_ids[first]), int(self._first_ids[last] - self._first_ids[first])

    def from_id(self, first_id: int, limit: int, now_ms: int) -> Trades:
        """Up to ``limit`` trades from an id on."""
        first = int(np.searchsorted(self._first_ids, first_id, side="right")) - 1
        last = int(np.searchsorted(self._first_ids, first_id + limit, side="left"))
        trades = self._until(self._make(max(first, 0), last), now_ms)
        start = int(np.searchsorted(trades.ids, first_id, side="left"))
        return trades.rows(slice(start, start + limit))

    def between(self, start_ms: int, end_ms: int, limit: int, now_ms: int) -> Trades:
        """The first ``limit`` trades from ``start_ms`` through ``end_ms``."""
        opens = self._candles.open_ms
        first = max(int(np.searchsorted(opens, start_ms, side="right")) - 1, 0)
        last = int(np.searchsorted(opens, end_ms, side="right"))
        # The first candle may end before start_ms, hence one candle more than the limit needs.
        enough = np.searchsorted(
            self._first_ids, self._first_ids[min(first + 1, len(opens))] + limit, side="left"
        )
        trades = self._make(first, min(last, int(enough)))
        trades = self._until(trades, min(end_ms, now_ms))
        start = int(np.searchsorted(trades.time_ms, start_ms, side="left"))
        return trades.rows(slice(start, start + limit))

    def latest(self, limit: int, now_ms: int) -> Trades:
        """The last ``limit`` trades up to now."""
        last = int(np.searchsorted(self._candles.open_ms, now_ms, side="right"))
        # The candle that is forming may have shown none of its trades yet.
        wanted = self._first_ids[max(last - 1, 0)] - limit
        first = max(int(np.searchsorted(self._first_ids, wanted, side="right")) - 1, 0)
        trades = self._until(self._make(first, last), now_ms)
        return trades.rows(slice(max(len(trades) - limit, 0), len(trades)))

    @staticmethod
    def _until(trades: Trades, time_ms: int) -> Trades:
        return trades.rows(slice(0, int(np.searchsorted(trades.time_ms, time_ms, side="right"))))

    def _make(self, first: int, last: int) -> Trades:
        """All trades of the candles in rows first to last (excluded)."""
        candles = self._candles.rows(slice(first, last))
        counts = self._counts[first:last]
        kept = np.zeros((len(candles), PER_CANDLE), dtype=bool)
        for count, columns in _KEPT.items():
            kept[np.ix_(counts == count, columns)] = True
        row, column = np.nonzero(kept)
        time_ms = candles.open_ms[row] + (_TIMES[column] * (candles.timeframe_ms - 1)).astype(
            np.int64
        )
        ids = np.arange(len(row), dtype=np.int64) + self._first_ids[first]
        price = self._prices(candles)[row, column]
        amount = self._amounts(candles, counts, kept)[row, column]
        # A trade on a falling leg of the path hit a bid: its buyer was the maker.
        falling = np.diff(path_prices(candles), axis=1) < 0
        return Trades(ids, time_ms, price, amount, falling[row, _LEG[column]])

    def _prices(self, candles: Candles) -> FloatArray:
        """Prices of all `PER_CANDLE` trades, shape (n, 8), on ticks."""
        path = path_prices(candles)
        share = _TIMES * 3
        left = np.minimum(share.astype(int), 2)
        prices = path[:, left] + (share - left) * (path[:, left + 1] - path[:, left])
        decimals = len(self._market.tick.partition(".")[2])
        prices = np.round(
            np.rint(prices / self._market.tick_size) * self._market.tick_size, decimals
        )
        # The four points of the path are prices of the candle itself: kept as they are.
        prices[:, [0, 2, 4, 7]] = path
        return np.clip(prices, candles.low[:, None], candles.high[:, None])

    def _amounts(
        self,
        candles: Candles,
        counts: IntArray,
        kept: BoolArray,
    ) -> FloatArray:
        """Amounts of the trades kept, shape (n, 8), in whole lots that sum to the volume."""
        lots = np.rint(candles.volume / self._market.lot_size)
        each = np.floor_divide(lots, np.maximum(counts, 1))
        amounts = np.where(kept, each[:, None], 0.0)
        amounts[:, 0] += lots - amounts.sum(axis=1)
        decimals = len(self._market.lot.partition(".")[2])
        return np.round(amounts * self._market.lot_size, decimals)
