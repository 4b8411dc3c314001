"""What else happens on the account of a soak run: money comes and goes, or another bot trades."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import StrEnum

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from sandbox.errors import ApiError
from sandbox.exchange import Exchange
from sandbox.orders import OrderRequest, OrderType, Side, TimeInForce
from sandbox.units import UNIT

# What the other bot trades; the one that is tried does not.
OTHER_PAIR, OTHER_SYMBOL, OTHER_COIN = "DOGE/USDT", "DOGEUSDT", "DOGE"
# Of the free quote currency: money that comes or goes at once, and what the other bot buys for.
_FLOWS, _STAKE = (0.02, 0.08), 0.05
# Freqtrade's orders carry such a mark, whichever bot has sent them.
_MARK = "x-TKT5PX2Fother"


class Beside(StrEnum):
    """Who else uses the account."""

    NOBODY = "nobody"
    PERSON = "a person who pays in and out"
    BOT = "another bot"


def who(seed: int) -> Beside:
    """Of the run with a seed: of three in a row each has another."""
    return tuple(Beside)[seed % len(Beside)]


@dataclass
class Others:
    """
    Acts at given moments of the exchange's time.

    Parameters
    ----------
    moments : ascending [Unix ms].
    flows : what a person has paid in, out where negative, and when [Unix ms, USDT].
    """

    who: Beside
    exchange: Exchange
    moments: list[int]
    stream: random.Random
    flows: list[tuple[int, float]] = field(default_factory=list)
    trades: int = 0

    def middleware(self) -> Middleware:
        """Acts before a request, where it is due."""

        @web.middleware
        async def watch(request: web.Request, handler: Handler) -> web.StreamResponse:
            now_ms = self.exchange.market.clock.now_ms()
            while self.who is not Beside.NOBODY and self.moments and self.moments[0] <= now_ms:
                self.moments.pop(0)
                self._pay(now_ms) if self.who is Beside.PERSON else self._trade()
            return await handler(request)

        return watch

    def _pay(self, now_ms: int) -> None:
        account = self.exchange.account
        amount = round(account.free("USDT") * self.stream.uniform(*_FLOWS))
        comes = self.stream.random() < 0.5
        move = account.deposit if comes else account.withdraw
        move(now_ms, "USDT", amount)
        self.flows.append((now_ms, (amount if comes else -amount) / UNIT))

    def _trade(self) -> None:
        """Buy, or sell what was bought."""
        account = self.exchange.account
        held, money = account.free(OTHER_COIN), round(account.free("USDT") * _STAKE)
        lot = self.exchange.limits(self.exchange.market.market(OTHER_SYMBOL)).lot
        side = Side.SELL if held >= lot else Side.BUY
        amount, quote = (held // lot * lot, 0) if side is Side.SELL else (0, money)
        mark = f"{_MARK}{self.trades}"
        request = OrderRequest(
            OTHER_SYMBOL, side, OrderType.MARKET, TimeInForce.GTC, amount, quote, 0, 0, mark
        )
        try:
            self.exchange.place(request)
        except ApiError:
            return
        self.trades += 1
