"""Stories of a few candles (see `tests.behaviour.mini`), traded live on a sandbox exchange.

The exchange lists one pair, which is the market's leader too. Its candles are hourly, its clock
stands at a second after row 3 opens, where a signal in row 2 has just completed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
from aiohttp import web
from freqtrade.enums import ExitCheckTuple, ExitType
from freqtrade.persistence import Trade

from ballast.core.events import Event, EventKind
from ballast.strategy.guarded import GuardedStrategy
from sandbox.candles import Candles
from sandbox.hooks import Hooks
from sandbox.markets import Market
from sandbox.orders import Order, OrderRequest, OrderType, Side, TimeInForce
from sandbox.units import UNIT
from tests.behaviour.mini import Mini, Story, at, quiet, signal, told
from tests.exchange import PAIR, SYMBOL, TableSource
from tests.live_run import LiveRun, live_run

HOUR_MS = 3_600_000
BOUGHT: Story = [*quiet(2), signal(), *quiet(5, 101)]
LOOP_S = 5


def hourly(story: Story) -> TableSource:
    """One market with the candles of a story and the quiet before it."""
    rows = told(story, len(story))
    start_ms = round(at(0).timestamp() * 1000) - (len(rows) - len(story)) * HOUR_MS
    kept = [(start_ms + i * HOUR_MS, *row) for i, row in enumerate(rows) if row is not None]
    open_ms, opened, high, low, close, volume = np.array(kept, dtype=float).T
    quote = volume * (opened + high + low + close) / 4
    columns = (opened, high, low, close, volume, quote)
    market = Market(PAIR, "0.01", "0.001", listed_ms=start_ms, spread_ratio=0.0002)
    return TableSource(Candles(HOUR_MS, open_ms.astype(np.int64), *columns), market)


@dataclass
class LostAnswers:
    """Orders that are accepted, and whose answer does not arrive."""

    times: int = 0
    # A part of the orders only: 'BUY', 'SELL', or a type such as 'STOP_LOSS_LIMIT'.
    of: str = ""
    lost: int = field(default=0)

    @property
    def middleware(self) -> Any:
        """For the exchange."""

        @web.middleware
        async def losing(request: web.Request, handler: Any) -> web.StreamResponse:
            response = await handler(request)
            text = f"{request.query_string} {await request.text()}"
            placed = request.method == "POST" and request.path == "/api/v3/order"
            if not placed or self.lost >= self.times or self.of not in text:
                return response
            self.lost += 1
            return web.json_response({"code": -1007, "msg": "Timeout."}, status=504)

        return losing


class Shy(Hooks):
    """Fills at most a share of each order, by side or type; all of those that are not named."""

    def __init__(self, **shares: float) -> None:
        self.shares = shares

    def fillable(self, order: Order, amount: int, time_ms: int) -> int:
        kind = "stop" if order.request.stop_price else order.request.side.value.lower()
        most = round(order.amount * self.shares.get(kind, 1.0))
        return max(0, min(amount, most - order.executed))


@dataclass
class Told:
    """A live run of a story, and what it tells."""

    run: LiveRun
    events: list[Event] = field(default_factory=list)

    def loops(self, count: int) -> None:
        for _ in range(count):
            self.run.loop()

    def hours(self, count: int) -> None:
        """Go on by so many candles; the bot looks every five minutes."""
        for _ in range(12 * count):
            self.run.clock.shift(300 - LOOP_S)
            self.run.loop()

    def codes(self, kind: EventKind = EventKind.WATCH) -> list[str]:
        """Codes of what was told, without the usual."""
        told = [event.code for event in self.events if event.kind is kind]
        return [code for code in told if code != "RECONCILED"]

    def listen(self) -> None:
        """To a bot that has just been started."""
        self.run.bot.strategy._ballast.events.listen(self.events.append)

    @property
    def trade(self) -> Trade:
        (trade,) = self.run.trades
        return trade

    @property
    def coins(self) -> float:
        """Units of the coin on the exchange, in orders or not."""
        account = self.run.exchange.account
        return (account.free("AAA") + account.locked("AAA")) / UNIT

    def by_hand(
        self,
        side: Side,
        amount: float,
        *,
        mark: str = "web_1",
        symbol: str = SYMBOL,
        **prices: float,
    ) -> Order:
        """An order that the bot has not sent; with ccxt's mark it looks as if it had."""
        price = round(prices.get("price", 0) * UNIT)
        kind = OrderType.LIMIT if price else OrderType.MARKET
        request = OrderRequest(
            symbol, side, kind, TimeInForce.GTC, round(amount * UNIT), 0, price, 0, mark
        )
        return self.run.exchange.place(request)

    def leave(self) -> None:
        """Sell what is held, the way a person asks for it."""
        trade = self.trade
        reason = ExitCheckTuple(exit_type=ExitType.FORCE_EXIT)
        self.run.bot.execute_trade_exit(trade, 101.0, exit_check=reason)


@contextmanager
def story_run(
    folder: Path,
    story: Story = BOUGHT,
    strategy: type[GuardedStrategy] = Mini,
    *,
    lost: LostAnswers | None = None,
    ballast: dict[str, Any] | None = None,
    **settings: Any,
) -> Iterator[Told]:
    """Start a bot on the story, which has not looped yet."""
    settings.setdefault("loop_seconds", LOOP_S)
    middlewares = [*settings.pop("middlewares", []), *([lost.middleware] if lost else [])]
    with live_run(
        strategy,
        hourly(story),
        folder,
        at(3) + timedelta(seconds=1),
        middlewares=middlewares,
        stake_amount="unlimited",
        ballast={"market": {"leader": PAIR}, **(ballast or {})},
        **settings,
    ) as run:
        told = Told(run)
        told.listen()
        yield told
