"""A sandbox exchange on hand-written candles, with its clock in the test's hand.

``table([(100, 101, 99, 100, 50), ...])`` is a market of five-minute candles for AAA/USDT with a
tick of 0.01 and a lot of 0.001; a row is open, high, low, close, volume, None an absent candle.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sandbox.account import ClientAccount
from sandbox.candles import MINUTE_MS, Candles
from sandbox.clock import FixedClock
from sandbox.exchange import Exchange
from sandbox.hooks import Hooks
from sandbox.ledger import Ledger
from sandbox.market_data import MarketData
from sandbox.markets import Market
from sandbox.orders import Order, OrderRequest, OrderType, Side, TimeInForce
from sandbox.regimes import Label
from sandbox.units import UNIT, from_float

PAIR, SYMBOL = "AAA/USDT", "AAAUSDT"
START_MS = 1_704_067_200_000
CANDLE_MS = 5 * MINUTE_MS
# Candles before the first row, which stand still at its open: they say what volume is usual.
PAST, USUAL_VOLUME = 3, 300.0
MARKET = Market(PAIR, "0.01", "0.001", listed_ms=START_MS - PAST * CANDLE_MS, spread_ratio=0.0002)

Row = tuple[float, float, float, float, float] | None


@dataclass(frozen=True)
class TableSource:
    """One market with the candles given."""

    rows: Candles
    market: Market = MARKET

    def markets(self) -> tuple[Market, ...]:
        return (self.market,)

    def candles(self, pair: str) -> Candles:
        return self.rows

    def labels(self) -> tuple[Label, ...]:
        return ()


def table(rows: Sequence[Row], market: Market = MARKET) -> TableSource:
    """A market with five-minute candles from `START_MS` on."""
    first = next(row[0] for row in rows if row is not None)
    past: list[Row] = [(first, first, first, first, USUAL_VOLUME)] * PAST
    kept = [
        (START_MS + (i - PAST) * CANDLE_MS, *row)
        for i, row in enumerate([*past, *rows])
        if row is not None
    ]
    open_ms, *prices, volume = np.array(kept, dtype=float).T
    quote = volume * np.mean(prices, axis=0)
    opened, high, low, close = prices
    columns = (opened, high, low, close, volume, quote)
    return TableSource(Candles(CANDLE_MS, open_ms.astype(np.int64), *columns), market)


class Desk:
    """An exchange and short ways to speak to it; prices and amounts as floats."""

    def __init__(
        self,
        source: TableSource,
        *,
        usdt: float = 10_000,
        coins: float = 0,
        hooks: Hooks | None = None,
        share: float = 0.1,
    ) -> None:
        self.clock = FixedClock(START_MS)
        account = ClientAccount(Ledger())
        account.deposit(START_MS, "USDT", from_float(usdt))
        account.deposit(START_MS, "AAA", from_float(coins))
        market = MarketData(source, self.clock)
        self.exchange = Exchange(market, account, hooks, share_millionths=round(share * 1e6))
        self._sent = 0

    def go_to(self, minutes: float) -> None:
        """Move the clock to some minutes after the start, and the orders with it."""
        self.clock.time_ms = START_MS + round(minutes * MINUTE_MS)
        self.exchange.advance()

    def place(
        self,
        side: str,
        amount: float,
        price: float = 0,
        *,
        stop: float = 0,
        kind: str = "",
        lasts: str = "GTC",
        quote: float = 0,
    ) -> Order:
        """Place an order; its type follows from the prices given unless `kind` names it."""
        self._sent += 1
        implied = ("STOP_LOSS_" if stop else "") + ("LIMIT" if price else "MARKET")
        implied = "STOP_LOSS" if stop and not price else implied
        return self.exchange.place(
            OrderRequest(
                SYMBOL,
                Side(side),
                OrderType(kind or implied),
                TimeInForce(lasts),
                from_float(amount),
                from_float(quote),
                from_float(price),
                from_float(stop),
                f"test-{self._sent}",
            )
        )

    def free(self, asset: str) -> float:
        return self.exchange.account.free(asset) / UNIT

    def locked(self, asset: str) -> float:
        return self.exchange.account.locked(asset) / UNIT
