"""Faults of what an answer says: candles, the time, balances, the state of a market."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import web

from sandbox.faults import Kind
from sandbox.faults_candles import CandleFaults
from sandbox.faults_plan import Asked, FaultPlan, Planned
from sandbox.market_data import MarketData
from sandbox.routes import reply

# Balances that are remembered, to be given late.
MAX_BALANCES = 10_000


class Answers:
    """
    Changes the body of an answer where a fault of the plan strikes it.

    Parameters
    ----------
    market : what the exchange really knows.
    """

    def __init__(self, plan: FaultPlan, market: MarketData) -> None:
        self._plan = plan
        self._market = market
        self._balances: deque[tuple[int, Any]] = deque(maxlen=MAX_BALANCES)
        candles = CandleFaults(plan, market).change
        # By path: what takes the place of a body, or None where it stays.
        self._changes: dict[str, Callable[[Asked, web.Request, Any], Any]] = {
            "/api/v3/klines": candles,
            "/api/v3/uiKlines": candles,
            "/api/v3/time": self._skewed,
            "/api/v3/account": self._late,
            "/api/v3/exchangeInfo": self._closed,
            "/api/v3/depth": self._emptied,
            "/sapi/v1/spot/delist-schedule": self._announced,
        }

    def change(
        self, asked: Asked, request: web.Request, answer: web.StreamResponse
    ) -> web.StreamResponse:
        """The answer as the client gets it; ``answer`` itself where nothing strikes."""
        change = self._changes.get(asked.path)
        if change is None or not self._plan.planned or not isinstance(answer, web.Response):
            return answer
        changed = change(asked, request, orjson.loads(answer.body))  # type: ignore[arg-type]
        return answer if changed is None else reply(changed, answer.status)

    def _skewed(self, asked: Asked, request: web.Request, body: Any) -> Any:
        skewed = self._plan.strike(Kind.CLOCK_SKEW, asked)
        if skewed is None:
            return None
        ahead_ms = round(1000 * skewed.fault.numbers["skew_s"])
        return {**body, "serverTime": body["serverTime"] - ahead_ms}

    def _late(self, asked: Asked, request: web.Request, body: Any) -> Any:
        """The newest balances that were asked for long enough ago; the oldest known if none was."""
        now_ms = self._plan.clock.now_ms()
        self._balances.append((now_ms, body["balances"]))
        late = self._plan.strike(Kind.BALANCE_LATE, asked)
        if late is None:
            return None
        until_ms = now_ms - round(1000 * late.fault.numbers["late_s"])
        known = [balances for time_ms, balances in self._balances if time_ms <= until_ms]
        return {**body, "balances": known[-1] if known else self._balances[0][1]}

    def _closed(self, asked: Asked, request: web.Request, body: Any) -> Any:
        symbols = [
            {**entry, "status": "BREAK"} if self._delisted(asked, entry["symbol"]) else entry
            for entry in body["symbols"]
        ]
        return {**body, "symbols": symbols}

    def _emptied(self, asked: Asked, request: web.Request, body: Any) -> Any:
        if asked.symbol is None or not self._delisted(asked, asked.symbol):
            return None
        return {**body, "bids": [], "asks": []}

    def _delisted(self, asked: Asked, symbol: str) -> Planned | None:
        return self._plan.standing(Kind.DELISTING, Asked(asked.method, asked.path, symbol))

    def _announced(self, asked: Asked, request: web.Request, body: Any) -> Any:
        now_ms = self._plan.clock.now_ms()
        announced = [
            {"delistTime": planned.first_ms, "symbols": self._symbols(planned)}
            for planned in self._plan.planned
            if planned.fault.kind is Kind.DELISTING
            and 0 < planned.first_ms - now_ms <= 1000 * planned.fault.numbers["notice_s"]
        ]
        return [*body, *announced]

    def _symbols(self, planned: Planned) -> list[str]:
        listed = [market.symbol for market in self._market.markets()]
        return [symbol for symbol in listed if planned.fault.concerns_symbol(symbol)]
