"""The trading side of the exchange: takes orders, matches them, keeps the account right.

Nothing here runs by itself. Every call first brings the open orders forward to the clock's time, so
that what it answers is what would have happened by then.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

from sandbox.account import ClientAccount, insufficient_balance
from sandbox.errors import ApiError
from sandbox.filters import Limits, check, failure
from sandbox.hooks import Hooks
from sandbox.ledger import Ledger
from sandbox.market_data import MarketData
from sandbox.markets import Market
from sandbox.matching import DEFAULT_SHARE_MILLIONTHS, Matcher
from sandbox.orders import Fill, Order, OrderRequest, OrderType, Side, Status, TimeInForce
from sandbox.units import UNIT, from_float, value_down, value_up

# Levels of the book that one order can walk through.
DEPTH = 100
# A stop without a limit buys at a price unknown when it is placed: it locks this much more [ratio].
STOP_RESERVE = (105, 100)

Level = tuple[int, int]


class Exchange:
    """Orders, trades and the account of the one client.

    Parameters
    ----------
    account : with a ledger of its own by default.
    hooks : what a rehearsal changes.
    share_millionths : of the traded volume that resting orders get [millionths].
    first_id : number of the first order, and of the first trade.
    """

    def __init__(
        self,
        market: MarketData,
        account: ClientAccount | None = None,
        hooks: Hooks | None = None,
        share_millionths: int = DEFAULT_SHARE_MILLIONTHS,
        first_id: int = 1,
    ) -> None:
        self.market = market
        self.account = account or ClientAccount(Ledger())
        self.hooks = hooks or Hooks()
        self.orders: list[Order] = []
        self._open: dict[int, Order] = {}
        self._limits: dict[str, Limits] = {}
        self._order_ids, self._trade_ids = count(first_id), count(first_id)
        self._matcher = Matcher(self._fill_at_limit, self._trigger, share_millionths)
        self._matched_ms = market.clock.now_ms()

    def advance(self) -> int:
        """Bring every open order forward to the clock's time; returns it [Unix ms]."""
        now_ms = self.market.clock.now_ms()
        start_ms, self._matched_ms = self._matched_ms, max(self._matched_ms, now_ms)
        if self._open and now_ms > start_ms:
            for symbol in sorted({order.symbol for order in self._open.values()}):
                self._advance_market(symbol, start_ms, now_ms)
        return self._matched_ms

    def _advance_market(self, symbol: str, start_ms: int, now_ms: int) -> None:
        orders = self.open_orders(symbol)
        # Not looked up: the exchange may have forgotten the pair meanwhile.
        market = orders[0].market
        delisted_ms = market.delisted_ms
        end_ms = now_ms if delisted_ms is None else min(now_ms, delisted_ms)
        candles = self.market.source.candles(market.pair)
        if end_ms > start_ms:
            self._matcher.run(candles, self.limits(market).lot, orders, start_ms, end_ms)
        if end_ms == delisted_ms:
            for order in self.open_orders(symbol):
                self._close(order, Status.EXPIRED, end_ms)

    def open_orders(self, symbol: str | None = None) -> list[Order]:
        """Open orders, oldest first; of one symbol if given."""
        return [order for order in self._open.values() if symbol in (None, order.symbol)]

    def limits(self, market: Market) -> Limits:
        """The filters of a market in units."""
        if market.symbol not in self._limits:
            self._limits[market.symbol] = Limits.of(market)
        return self._limits[market.symbol]

    def check(self, request: OrderRequest) -> None:
        """Refuse an order that cannot be placed whatever the account holds (ApiError)."""
        now_ms = self.advance()
        market = self.market.market(request.symbol)
        if not market.is_trading(now_ms):
            raise ApiError(-1013, "Market is closed.")
        others = self.open_orders(request.symbol)
        check(request, self.limits(market), self._last_price(request.symbol), others)
        if any(order.request.client_id == request.client_id for order in self._open.values()):
            raise ApiError(-2010, "Duplicate order sent.")

    def place(self, request: OrderRequest) -> Order:
        """Accept an order and fill what can be filled at once; ApiError if it is refused."""
        self.check(request)
        self.hooks.before_order(request)
        market, now_ms = self.market.market(request.symbol), self._matched_ms
        order = Order(0, request, market, request.amount, now_ms, now_ms)
        if request.type.is_conditional:
            self._accept_conditional(order, now_ms)
        else:
            self._accept_working(order, now_ms)
        return order

    def _last_price(self, symbol: str) -> int:
        return from_float(self.market.last_price(symbol))

    def _accept_conditional(self, order: Order, now_ms: int) -> None:
        if order.triggers_at(self._last_price(order.symbol)):
            raise ApiError(-2010, "Stop price would trigger immediately.")
        if order.price or order.side is Side.SELL:
            self._accept(order, order.needed, now_ms)
            return
        more, whole = STOP_RESERVE
        reserve = value_up(order.request.stop_price, order.amount) * more // whole
        self._accept(order, reserve, now_ms)

    def _accept_working(self, order: Order, now_ms: int) -> None:
        request = order.request
        levels = self._levels(order, now_ms)
        if request.quote_amount:
            order.amount = self._amount_for(request.quote_amount, levels, order.market)
            levels = _cut(levels, order.amount)
            if not order.amount:
                raise failure("LOT_SIZE")
        if request.type is OrderType.LIMIT_MAKER and levels:
            raise ApiError(-2010, "Order would immediately match and take.")
        if order.price or order.side is Side.SELL:
            needed = order.needed
        else:
            needed = sum(value_up(price, amount) for price, amount in levels)
        self._accept(order, needed, now_ms)
        order.working_ms = now_ms
        self._take(order, levels, now_ms)

    def _amount_for(self, quote: int, levels: list[Level], market: Market) -> int:
        """How many whole lots a sum of quote currency pays for."""
        lot, amount = self.limits(market).lot, 0
        for price, offered in levels:
            affordable = quote * UNIT // price // lot * lot
            amount += min(offered, affordable)
            if affordable <= offered:
                return amount
            quote -= value_up(price, offered)
        return amount

    def _accept(self, order: Order, locks: int, now_ms: int) -> None:
        if self.account.free(order.asset_given) < locks:
            raise insufficient_balance()
        order.id = next(self._order_ids)
        self.account.lock(order, locks, now_ms)
        self.orders.append(order)
        self._open[order.id] = order

    def cancel(self, order: Order) -> None:
        """Cancel an order and release what it holds; ApiError -2011 if it is not open."""
        now_ms = self.advance()
        if order.is_open:
            self.hooks.before_cancel(order)
        if not order.is_open:
            raise ApiError(-2011, "Unknown order sent.")
        self._close(order, Status.CANCELED, now_ms)

    def fill(self, order: Order, price: int, amount: int, time_ms: int, *, maker: bool) -> None:
        """Trade an amount [units] of an open order at a price [units] it accepts."""
        quote = value_down(price, amount)
        fee = self.account.fee(amount if order.side is Side.BUY else quote)
        trade = Fill(
            next(self._trade_ids),
            time_ms,
            price,
            amount,
            quote,
            fee,
            order.asset_received,
            is_maker=maker,
        )
        self.account.settle(order, trade)
        order.fills.append(trade)
        order.executed += amount
        order.quote_executed += quote
        order.status, order.update_ms = Status.PARTIALLY_FILLED, time_ms
        if not order.remaining:
            self._close(order, Status.FILLED, time_ms)
        elif order.price and order.locked > order.needed:
            self.account.release(order, order.locked - order.needed, time_ms)

    def _close(self, order: Order, status: Status, time_ms: int) -> None:
        order.status, order.update_ms = status, time_ms
        if order.locked:
            self.account.release(order, order.locked, time_ms)
        del self._open[order.id]

    def audit(self) -> list[str]:
        """What is wrong with ledger and orders, in sentences; empty if nothing is."""
        wrong = self.account.ledger.audit()
        held: dict[str, int] = {}
        for order in self.orders:
            held[order.asset_given] = held.get(order.asset_given, 0) + order.locked
            if order.locked < 0 or (order.locked and not order.is_open):
                wrong.append(f"Order {order.id} is {order.status} and holds {order.locked}.")
            if order.executed != sum(fill.amount for fill in order.fills):
                wrong.append(f"Order {order.id} has executed {order.executed}, its trades do not.")
        for asset in {*held, *self.account.assets()}:
            locked = self.account.locked(asset)
            if locked != held.get(asset, 0):
                wrong.append(f"{locked} {asset} are locked, orders hold {held.get(asset, 0)}.")
        return wrong

    def _fill_at_limit(self, order: Order, amount: int, time_ms: int) -> int:
        """What the matcher calls for a resting order; returns what was filled."""
        amount = self._allowed(order, amount, time_ms)
        if amount:
            self.fill(order, order.price, amount, time_ms, maker=True)
        return amount

    def _allowed(self, order: Order, amount: int, time_ms: int) -> int:
        """What the hooks let an order fill of an amount, in whole lots."""
        lot = self.limits(order.market).lot
        return min(amount, self.hooks.fillable(order, amount, time_ms)) // lot * lot

    def _trigger(self, order: Order, time_ms: int) -> None:
        order.working_ms = order.update_ms = time_ms
        self._take(order, self._levels(order, time_ms), time_ms)

    def _take(self, order: Order, levels: Iterable[Level], time_ms: int) -> None:
        """Fill from the book what is there, then let the rest stay or expire."""
        levels = list(levels)
        time_in_force = order.request.time_in_force
        missing = order.amount > sum(amount for _, amount in levels)
        if not (time_in_force is TimeInForce.FOK and missing):
            self._walk(order, levels, time_ms)
        stays = time_in_force is TimeInForce.GTC and order.price
        if order.is_open and not stays:
            self._close(order, Status.EXPIRED, time_ms)

    def _walk(self, order: Order, levels: list[Level], time_ms: int) -> None:
        lot = self.limits(order.market).lot
        for price, offered in levels:
            amount = self._allowed(order, min(offered, order.remaining), time_ms)
            if order.side is Side.BUY:
                amount = min(amount, order.locked * UNIT // price // lot * lot)
            if amount:
                self.market.take(order.symbol, price, amount, time_ms)
                self.fill(order, price, amount, time_ms, maker=False)
            if not order.is_open or amount < offered:
                return

    def _levels(self, order: Order, time_ms: int) -> list[Level]:
        """What the other side of the book offers an order, no more than it wants [units]."""
        book = self.market.book(order.symbol, DEPTH, time_ms)
        offered = book.asks if order.side is Side.BUY else book.bids
        levels = [(from_float(price), from_float(amount)) for price, amount in offered]
        levels = [level for level in levels if order.accepts(level[0])]
        return _cut(levels, order.amount) if order.amount else levels


def _cut(levels: list[Level], amount: int) -> list[Level]:
    """The first levels, up to an amount in all."""
    kept = []
    for price, offered in levels:
        if amount > 0:
            kept.append((price, min(offered, amount)))
            amount -= offered
    return kept
