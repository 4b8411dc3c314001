"""Orders and their trades as values: what they say follows from their own fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from sandbox.markets import Market
from sandbox.units import value_up


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"


class OrderType(StrEnum):
    LIMIT = "LIMIT"
    LIMIT_MAKER = "LIMIT_MAKER"
    MARKET = "MARKET"
    STOP_LOSS = "STOP_LOSS"
    STOP_LOSS_LIMIT = "STOP_LOSS_LIMIT"
    TAKE_PROFIT = "TAKE_PROFIT"
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"

    @property
    def has_limit(self) -> bool:
        """Whether it names the worst price it accepts."""
        return self not in (OrderType.MARKET, OrderType.STOP_LOSS, OrderType.TAKE_PROFIT)

    @property
    def is_conditional(self) -> bool:
        """Whether it waits for a trigger before it enters the book."""
        return self.value.startswith(("STOP", "TAKE"))


class TimeInForce(StrEnum):
    """What becomes of what cannot be filled at once: it stays, expires, or nothing is filled."""

    GTC = "GTC"
    IOC = "IOC"
    FOK = "FOK"


class Status(StrEnum):
    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"

    @property
    def is_open(self) -> bool:
        return self in (Status.NEW, Status.PARTIALLY_FILLED)


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """What a client asks for; amounts and prices in units, 0 where the type has none.

    ``quote_amount`` is set instead of ``amount`` by a market order for a sum of quote currency.
    """

    symbol: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    amount: int
    quote_amount: int
    price: int
    stop_price: int
    client_id: str


@dataclass(frozen=True, slots=True)
class Fill:
    """A trade of the client: amount and fee [units], quote is what was paid or received."""

    trade_id: int
    time_ms: int
    price: int
    amount: int
    quote: int
    fee: int
    fee_asset: str
    is_maker: bool


@dataclass(slots=True)
class Order:
    """An accepted order.

    ``amount``, ``executed``, ``quote_executed`` and ``locked`` [units]. ``working_ms`` is when it
    entered the book, None while it waits for its trigger. ``claim`` is the part of the traded
    volume that is due to it and too small for a whole lot yet [units].
    """

    id: int
    request: OrderRequest
    market: Market
    amount: int
    time_ms: int
    update_ms: int
    status: Status = Status.NEW
    working_ms: int | None = None
    executed: int = 0
    quote_executed: int = 0
    locked: int = 0
    claim: int = 0
    fills: list[Fill] = field(default_factory=list)

    @property
    def reference(self) -> str:
        """How postings name it."""
        return f"order {self.id}"

    @property
    def symbol(self) -> str:
        return self.market.symbol

    @property
    def side(self) -> Side:
        return self.request.side

    @property
    def price(self) -> int:
        """The worst price it accepts [units], 0 for none."""
        return self.request.price

    @property
    def remaining(self) -> int:
        return self.amount - self.executed

    @property
    def is_open(self) -> bool:
        return self.status.is_open

    @property
    def waits_for_trigger(self) -> bool:
        return self.is_open and self.request.type.is_conditional and self.working_ms is None

    @property
    def asset_given(self) -> str:
        return self.market.quote if self.side is Side.BUY else self.market.base

    @property
    def asset_received(self) -> str:
        return self.market.base if self.side is Side.BUY else self.market.quote

    @property
    def needed(self) -> int:
        """What the rest of an order with a limit may take of the asset given [units]."""
        return value_up(self.price, self.remaining) if self.side is Side.BUY else self.remaining

    def accepts(self, price: int) -> bool:
        """Whether a price is no worse than its limit; without a limit every price is accepted."""
        if not self.price:
            return True
        return price <= self.price if self.side is Side.BUY else price >= self.price

    def triggers_at(self, price: int) -> bool:
        """Whether a last price triggers it: a stop by a loss, a take-profit by a gain."""
        falls = (self.side is Side.SELL) == self.request.type.value.startswith("STOP")
        return price <= self.request.stop_price if falls else price >= self.request.stop_price
