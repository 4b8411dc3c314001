"""The exchange's limits on requests: a middleware that counts them and refuses what is too much.

Weights are those that Binance publishes for its spot endpoints; the limits are those that
`exchangeInfo` tells. The minute is the exchange's own: a clock that stands still gives a bot no
second one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from sandbox.clock import Clock
from sandbox.faults import OWN_PATHS
from sandbox.routes import reply

MINUTE_MS, ORDERS_MS = 60_000, 10_000
WEIGHT_LIMIT, ORDERS_LIMIT = 6000, 100
ORDER = ("POST", "/api/v3/order")
# Of a request that names a symbol, and of one that asks for all of them; the others cost one.
_WEIGHTS = {
    "/api/v3/klines": (2, 2),
    "/api/v3/exchangeInfo": (20, 20),
    "/api/v3/account": (20, 20),
    "/api/v3/myTrades": (20, 20),
    "/api/v3/allOrders": (20, 20),
    "/api/v3/openOrders": (6, 80),
    "/api/v3/ticker/24hr": (2, 80),
    "/api/v3/ticker/bookTicker": (2, 4),
    "/api/v3/ticker/price": (2, 4),
}
# Of a book, by the number of levels at most.
_DEPTH = ((100, 5), (500, 25), (1000, 50), (5000, 250))


def weight(method: str, path: str, query: dict[str, str]) -> int:
    """What a request counts for; `query` holds its parameters."""
    if path == "/api/v3/depth":
        levels = query.get("limit", "100")
        wanted = int(levels) if levels.isdigit() else 100
        return next((cost for most, cost in _DEPTH if wanted <= most), _DEPTH[-1][1])
    if path == "/api/v3/order" and method == "GET":
        return 4
    one, every = _WEIGHTS.get(path, (1, 1))
    return one if "symbol" in query else every


@dataclass
class Limits:
    """
    What has been asked, and what is refused.

    Parameters
    ----------
    clock : of the exchange.
    """

    clock: Clock
    refused: int = 0
    # The most of any minute, and of any ten seconds.
    most: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    _used: Counter[tuple[str, int]] = field(default_factory=Counter)

    @property
    def middleware(self) -> Middleware:
        """In front of every handler of the exchange."""

        @web.middleware
        async def limited(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path.startswith(OWN_PATHS):
                return await handler(request)
            self.requests[f"{request.method} {request.path}"] += 1
            now_ms = self.clock.now_ms()
            used = self._count("weight", now_ms // MINUTE_MS, self._weight(request))
            orders = self._count(
                "orders", now_ms // ORDERS_MS, int((request.method, request.path) == ORDER)
            )
            if used > WEIGHT_LIMIT or orders > ORDERS_LIMIT:
                self.refused += 1
                return _too_many(used > WEIGHT_LIMIT)
            answer = await handler(request)
            answer.headers["X-MBX-USED-WEIGHT-1M"] = str(used)
            return answer

        return limited

    def _weight(self, request: web.Request) -> int:
        # The limit on what starts with /sapi is another one, and far away.
        if not request.path.startswith("/api/"):
            return 0
        return weight(request.method, request.path, dict(request.query))

    def _count(self, what: str, window: int, by: int) -> int:
        for old in [key for key in self._used if key[0] == what and key[1] != window]:
            del self._used[old]
        self._used[what, window] += by
        self.most[what] = max(self.most[what], self._used[what, window])
        return self._used[what, window]


def _too_many(by_weight: bool) -> web.Response:
    """Binance's answer, with how long to wait for."""
    limit = f"{WEIGHT_LIMIT} request weight per 1 MINUTE"
    text, code, wait_s = f"Too many requests; current limit is {limit}.", -1003, 60
    if not by_weight:
        limit = f"{ORDERS_LIMIT} orders per 10 SECOND"
        text, code, wait_s = f"Too many new orders; current limit is {limit}.", -1015, 10
    answer = reply({"code": code, "msg": text}, 429)
    answer.headers["Retry-After"] = str(wait_s)
    return answer
