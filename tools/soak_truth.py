"""What really happened, told by the exchange's orders and the bot's database alone.

Nothing here asks the bot: positions, cover, losses and duplicates follow from what the exchange
accepted and filled, amounts to the last unit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path

from sandbox.exchange import Exchange
from sandbox.markets import Market
from sandbox.orders import Fill, Order, Side
from sandbox.units import UNIT, from_float
from tools.soak_beside import OTHER_PAIR

# A position below this cannot be sold, nor protected: the exchange's smallest order, twice [USDT].
SMALLEST = 10.0
# A stop covers a position if it is for this share of it at least: fees leave dust.
COVER = 0.95
# Buying more than the largest single order of a position, by more than rounding, is buying twice.
TWICE = 1.02


@dataclass
class Position:
    """
    A pair from flat to flat; amounts and sums in units.

    Parameters
    ----------
    spells : (start, end) [Unix ms] of each time without enough cover.
    """

    symbol: str
    opened_ms: int
    closed_ms: int | None = None
    bought: int = 0
    largest_order: int = 0
    spent: int = 0
    received: int = 0
    held: int = 0
    price: int = 0
    spells: list[tuple[int, int]] = field(default_factory=list)

    @property
    def value(self) -> float:
        """What is held, at the last price traded [USDT]."""
        return self.held * self.price / UNIT**2

    @property
    def loss(self) -> float:
        """What it lost, fees included, with what is held at the last price traded [USDT]."""
        return (self.spent - self.received) / UNIT - self.value

    @property
    def is_bought_twice(self) -> bool:
        """Whether more was bought than any one of its orders was for."""
        return self.bought > TWICE * self.largest_order

    @property
    def uncovered_s(self) -> float:
        """The longest time at a stretch without enough cover [s]."""
        return self.uncovered_while(())

    def uncovered_while(self, away: Iterable[tuple[int, int]]) -> float:
        """The same without the time in which nobody was there to act, (start, end) [Unix ms]."""
        gone = list(away)
        lengths = [
            end - start - sum(max(0, min(end, b) - max(start, a)) for a, b in gone)
            for start, end in self.spells
        ]
        return max(lengths, default=0) / 1000


class _Walk:
    """Goes through what happened to one pair, in order."""

    def __init__(self, symbol: str) -> None:
        self.positions: list[Position] = []
        self._symbol = symbol
        self._open: Position | None = None
        self._cover = 0
        self._bare_since: int | None = None

    def fill(self, order: Order, fill: Fill) -> None:
        """Take note of a trade; a first purchase opens a position."""
        buys = order.side is Side.BUY
        if self._open is None:
            if not buys:
                return
            self._open = Position(self._symbol, fill.time_ms)
            self.positions.append(self._open)
        position = self._open
        position.price = fill.price
        if buys:
            position.bought += fill.amount
            position.largest_order = max(position.largest_order, order.amount)
            position.spent += fill.quote
            position.held += fill.amount - fill.fee
        else:
            position.received += fill.quote - fill.fee
            position.held -= fill.amount
            if position.value < SMALLEST:
                self._close(position, fill.time_ms)

    def protect(self, amount: int) -> None:
        """A stop for an amount begins to wait, or no longer does (below zero)."""
        self._cover += amount

    def look(self, now_ms: int) -> None:
        """Judge the state after everything that happened at a moment."""
        position = self._open
        if position is None:
            return
        bare = position.value >= SMALLEST and self._cover < COVER * position.held
        if bare and self._bare_since is None:
            self._bare_since = now_ms
        elif not bare:
            self._end_spell(position, now_ms)

    def _close(self, position: Position, now_ms: int) -> None:
        """What is bought next is another position, at the same moment too."""
        self._end_spell(position, now_ms)
        position.closed_ms = now_ms
        self._open = None

    def _end_spell(self, position: Position, now_ms: int) -> None:
        if self._bare_since is not None:
            position.spells.append((self._bare_since, now_ms))
            self._bare_since = None

    def end(self, now_ms: int) -> None:
        """Close what is still running."""
        if self._open is not None:
            self._end_spell(self._open, now_ms)


def positions(symbol: str, orders: Iterable[Order], end_ms: int) -> list[Position]:
    """
    What was held of a pair, from its orders alone.

    A stop covers from when it is accepted until it is triggered or closed: one that was triggered
    and sold nothing protects nobody.
    """
    walk = _Walk(symbol)
    events: list[tuple[int, int, Callable[[], None]]] = []
    for order in orders:
        for fill in order.fills:
            events.append((fill.time_ms, fill.trade_id, partial(walk.fill, order, fill)))
        if order.side is Side.SELL and order.request.type.is_conditional:
            until_ms = rested_until(order, end_ms)
            events.append((order.time_ms, 0, partial(walk.protect, order.amount)))
            if until_ms < end_ms:
                events.append((until_ms, 0, partial(walk.protect, -order.amount)))
    events.sort(key=lambda event: event[:2])
    for time_ms, at_once in groupby(events, key=lambda event: event[0]):
        for _, _, happen in at_once:
            happen()
        walk.look(time_ms)
    walk.end(end_ms)
    return walk.positions


def rested_until(order: Order, end_ms: int) -> int:
    """When a stop was triggered or ended; `end_ms` where it rests still [Unix ms]."""
    return ended(order, end_ms) if order.working_ms is None else order.working_ms


def ended(order: Order, end_ms: int) -> int:
    """When an order came to its end; `end_ms` where it is open [Unix ms]."""
    return end_ms if order.is_open else order.update_ms


def bought_at_once(orders: Iterable[Order]) -> list[Order]:
    """Buying orders of a pair that were accepted while another one was open."""
    bought = [order for order in orders if order.side is Side.BUY]
    return [
        order
        for order in bought
        if any(_is_open_at(other, order.time_ms) for other in bought if other.id < order.id)
    ]


def _is_open_at(order: Order, time_ms: int) -> bool:
    return order.is_open or order.update_ms > time_ms


def over_budget(
    found: Sequence[Position],
    deposit: float,
    budget_pct: float,
    flows: Sequence[tuple[int, float]] = (),
) -> list[float]:
    """
    Losses of closed positions in multiples of what each was allowed to lose.

    Parameters
    ----------
    deposit : the account's value at the beginning [quote currency].
    flows : what came (went where negative) and when [Unix ms, quote currency].
    budget_pct : of the account's value when the position was opened [percent].
    """
    closed = [position for position in found if position.closed_ms is not None]
    losses = []
    for position in closed:
        before = sum(p.loss for p in closed if (p.closed_ms or 0) <= position.opened_ms)
        came = sum(amount for moment, amount in flows if moment <= position.opened_ms)
        losses.append(position.loss / ((deposit + came - before) * budget_pct / 100))
    return losses


@dataclass(frozen=True)
class Books:
    """
    What the bot's database says: amounts filled by order, coins of open trades [units], and the
    highest of their stops [price], by coin.
    """

    filled: Mapping[str, int]
    open_orders: frozenset[str]
    coins: Mapping[str, int]
    stops: Mapping[str, float] = field(default_factory=dict)


NOTHING = Books({}, frozenset(), {})


def read_books(database: Path) -> Books:
    """The books of a Freqtrade database; nothing is changed in it."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        orders = connection.execute("select order_id, filled, ft_is_open from orders").fetchall()
        trades = connection.execute(
            "select base_currency, sum(amount), max(stop_loss) from trades "
            "where is_open group by base_currency"
        ).fetchall()
    return Books(
        {order_id: from_float(filled or 0) for order_id, filled, _ in orders},
        frozenset(order_id for order_id, _, is_open in orders if is_open),
        {asset: from_float(amount or 0) for asset, amount, _ in trades},
        {asset: stop or 0.0 for asset, _, stop in trades},
    )


def lost_orders(orders: Iterable[Order], books: Books) -> list[Order]:
    """Orders that traded and are not in the database, or are open and not open there."""
    unknown = [o for o in orders if o.executed and str(o.id) not in books.filled]
    return unknown + [o for o in orders if o.is_open and str(o.id) not in books.open_orders]


def difference(orders: Iterable[Order], books: Books) -> float:
    """What the amounts filled differ by, order by order, at the price paid [USDT]."""
    total = 0.0
    for order in orders:
        amount = abs(order.executed - books.filled.get(str(order.id), 0))
        paid = order.quote_executed / order.executed if order.executed else 0.0
        total += amount * paid / UNIT
    return total


def traded(exchange: Exchange) -> list[Market]:
    """Markets of the bot; another bot may trade one of its own."""
    return [market for market in exchange.market.markets() if market.pair != OTHER_PAIR]


def open_orders(exchange: Exchange) -> list[Order]:
    """Orders at work in them."""
    return [o for market in traded(exchange) for o in exchange.open_orders(market.symbol)]


def unknown_coins(exchange: Exchange, books: Books) -> dict[str, float]:
    """Coins that the account holds and no open trade knows, where they are worth selling [USDT]."""
    unknown = {}
    for market in traded(exchange):
        held = exchange.account.free(market.base) + exchange.account.locked(market.base)
        price = exchange.market.last_price(market.symbol)
        value = (held - books.coins.get(market.base, 0)) / UNIT * price
        if abs(value) >= SMALLEST + _dust(exchange, market) / UNIT * price:
            unknown[market.base] = value
    return unknown


def _dust(exchange: Exchange, market: Market) -> int:
    """What exits that are rounded down can have left of a coin: a lot each [units]."""
    exits = [o for o in exchange.orders if o.symbol == market.symbol and o.side is Side.SELL]
    return sum(order.executed > 0 for order in exits) * exchange.limits(market).lot


def is_calm(exchange: Exchange, books: Books) -> bool:
    """Whether all that is held is known and covered as planned, and nothing waits but stops."""
    if unknown_coins(exchange, books) or not all(
        order.waits_for_trigger and str(order.id) in books.filled for order in open_orders(exchange)
    ):
        return False
    for market in traded(exchange):
        held = exchange.account.free(market.base) + exchange.account.locked(market.base)
        worth = held / UNIT * exchange.market.last_price(market.symbol)
        resting = exchange.open_orders(market.symbol)
        cover = sum(order.remaining for order in resting)
        if worth >= SMALLEST and cover < COVER * held:
            return False
        plan = books.stops.get(market.base)
        if plan is not None and not all(
            abs(order.request.stop_price / UNIT - plan) <= market.tick_size for order in resting
        ):
            return False
    return True
