"""The sandbox's own endpoints under /sandbox: the truth, and the hands of whoever rehearses.

They need no key: nobody but this machine can reach them, and the client under rehearsal does not
know them. Amounts are decimal texts.
"""

from __future__ import annotations

from typing import Any

import orjson
from aiohttp import web

from sandbox.clock import FixedClock
from sandbox.errors import ApiError
from sandbox.exchange import Exchange
from sandbox.ledger import LedgerError, Posting
from sandbox.order_bodies import order_body, trade_body
from sandbox.orders import Order
from sandbox.routes import reply
from sandbox.units import parse, text

MAX_POSTINGS = 10_000


class AdminRoutes:
    """Handlers of the sandbox's own endpoints; `table` lists them for an application."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def table(self) -> list[web.RouteDef]:
        """Paths and their handlers."""
        return [
            web.get("/sandbox/balances", self.balances),
            web.get("/sandbox/ledger", self.ledger),
            web.get("/sandbox/audit", self.audit),
            web.get("/sandbox/orders", self.orders),
            web.post("/sandbox/deposit", self.deposit),
            web.post("/sandbox/withdraw", self.withdraw),
            web.post("/sandbox/clock", self.move_clock),
        ]

    async def balances(self, request: web.Request) -> web.Response:
        """Every account of the ledger."""
        self._exchange.advance()
        balances = self._exchange.account.ledger.balances()
        return reply(
            {
                account: {asset: text(amount) for asset, amount in assets.items()}
                for account, assets in balances.items()
            }
        )

    async def ledger(self, request: web.Request) -> web.Response:
        """Postings after the number ``after`` (0 for all), oldest first."""
        self._exchange.advance()
        after = request.query.get("after", "0")
        if not (after.isascii() and after.isdigit()):
            raise ApiError(-1100, "Illegal characters found in parameter 'after'.")
        postings = self._exchange.account.ledger.postings(int(after), MAX_POSTINGS)
        return reply([_posting_body(posting) for posting in postings])

    async def audit(self, request: web.Request) -> web.Response:
        """What is wrong with the books: an empty list if nothing is."""
        self._exchange.advance()
        return reply(self._exchange.audit())

    async def orders(self, request: web.Request) -> web.Response:
        """Every order there ever was with its trades and what it holds, oldest first."""
        self._exchange.advance()
        return reply([_whole_order(order) for order in self._exchange.orders])

    async def deposit(self, request: web.Request) -> web.Response:
        """``{"asset": "USDT", "amount": "100"}``: money from outside."""
        now_ms = self._exchange.advance()
        asset, amount = await _asset_amount(request)
        self._exchange.account.deposit(now_ms, asset, amount)
        return await self.balances(request)

    async def withdraw(self, request: web.Request) -> web.Response:
        """``{"asset": "USDT", "amount": "100"}``: money taken out, behind the client's back."""
        now_ms = self._exchange.advance()
        asset, amount = await _asset_amount(request)
        try:
            self._exchange.account.withdraw(now_ms, asset, amount)
        except LedgerError as error:
            raise ApiError(-4026, "User has insufficient balance.") from error
        return await self.balances(request)

    async def move_clock(self, request: web.Request) -> web.Response:
        """``{"seconds": 60}`` or ``{"now_ms": ...}``: later only, and only where time stands."""
        clock, body = self._exchange.market.clock, await _body(request)
        if not isinstance(clock, FixedClock):
            raise ApiError(-1000, "Only a fixed clock can be moved.")
        seconds, now_ms = body.get("seconds"), body.get("now_ms")
        if isinstance(seconds, int | float):
            now_ms = clock.time_ms + round(seconds * 1000)
        if not isinstance(now_ms, int) or now_ms < clock.time_ms:
            raise ApiError(-1100, "Send 'seconds' or 'now_ms', not before the clock's time.")
        clock.time_ms = now_ms
        self._exchange.advance()
        return reply({"now_ms": now_ms})


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise ApiError(-1100, "The body must be a JSON object.")
    return body


async def _asset_amount(request: web.Request) -> tuple[str, int]:
    body = await _body(request)
    asset, amount = body.get("asset"), body.get("amount")
    if not isinstance(asset, str) or not isinstance(amount, str):
        raise ApiError(-1102, "'asset' and 'amount' are sent as texts.")
    return asset, parse("amount", amount)


def _posting_body(posting: Posting) -> dict[str, Any]:
    return {
        "number": posting.number,
        "time": posting.time_ms,
        "kind": posting.kind,
        "reference": posting.reference,
        "entries": [
            {"account": entry.account, "asset": entry.asset, "change": text(entry.change)}
            for entry in posting.entries
        ],
    }


def _whole_order(order: Order) -> dict[str, Any]:
    return order_body(order) | {
        "locked": text(order.locked),
        "lockedAsset": order.asset_given,
        "trades": [trade_body(order, fill) for fill in order.fills],
    }
