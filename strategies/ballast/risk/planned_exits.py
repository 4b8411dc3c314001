"""Exits that a setup states: by rule, at a profit, when a trade's time is up."""

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from freqtrade.persistence import LocalTrade, Order

from ballast.core.columns import CandleColumns
from ballast.core.exits import Sell, explained
from ballast.risk.stop_manager import MOVES_NOTHING, StopManager
from ballast.risk.stop_plans import ManagedStop, ns

_MINUTE_NS = 60_000_000_000
# Of a part: amounts are rounded down to the exchange's steps, and fees are taken in coins.
_ROUNDING = 0.02


class PlannedExits:
    """
    Exits of the open positions that their setups have stated.

    Decided by completed candles, as stops are: a backtest and a bot leave at the same one.

    Parameters
    ----------
    columns_of : callable
        Gives a pair's columns, or None.
    sales_of : callable
        What a setup sells by the trade itself, by its name.
    stop_manager : StopManager
        Knows the setup, entry and R of a position.
    """

    def __init__(
        self,
        columns_of: Callable[[str], CandleColumns | None],
        sales_of: Callable[[str], Mapping[str, Sell]],
        stop_manager: StopManager,
    ) -> None:
        self._columns_of = columns_of
        self._sales_of = sales_of
        self._manager = stop_manager

    def rule_met(self, trade: LocalTrade, now: datetime) -> str | None:
        """Exit rule of the setup that is met, or None."""
        managed, columns = self._manager.managed(trade), self._columns_of(trade.pair)
        column = f"exit:{managed.setup}"
        if columns is None or not columns.labels.get(column):
            return None
        position = columns.completed_at(now)
        number = columns.value(column, position) if position >= 0 else 0
        if not number or _since(managed.opened_at, columns, now) < 0:
            return None
        return f"{managed.setup}: {columns.labels[column][int(number) - 1]}"

    def sale_due(self, trade: LocalTrade, now: datetime) -> str | None:
        """Sale of the whole position that is due, or None."""
        return next((name for name, sale in self._due(trade, now) if not sale.is_partial), None)

    def has_none(self, trade: LocalTrade) -> bool:
        """Whether nothing of the setup leaves beside its stops and its time."""
        setup, columns = self._manager.managed(trade).setup, self._columns_of(trade.pair)
        has_rules = columns is None or bool(columns.labels.get(f"exit:{setup}"))
        return not self._sales_of(setup) and not has_rules

    def holds(self, trade: LocalTrade, now: datetime) -> bool:
        """Whether no exit rule is met; of a setup that has no sales."""
        setup = self._manager.managed(trade).setup
        return not self._sales_of(setup) and self.rule_met(trade, now) is None

    def parts_due(self, trade: LocalTrade, now: datetime) -> Iterator[tuple[str, float]]:
        """
        Parts of a position that are due and have not been sold: reason, and units of each.

        None in a candle that has sold another: a backtest asks once a candle, a bot in every loop.
        What has been sold is read from the trade's orders, which survive a restart.
        """
        missing = self._missing(trade)
        for reason, sale in self._due(trade, now):
            if not sale.is_partial or self._has_sold_another(trade, reason, now):
                continue
            if (units := missing.get(reason, 0.0)) > 0:
                yield reason, float(min(units, trade.amount))

    def _missing(self, trade: LocalTrade) -> dict[str, float]:
        """By part, units that have not been sold."""
        setup, exits = self._manager.managed(trade).setup, _filled(trade, trade.exit_side)
        bought = sum(o.safe_amount_after_fee for o in _filled(trade, trade.entry_side))
        # An order whose answer was lost is found again without what it was for: it counts for the
        # first part that it may have been.
        nameless = sum(o.safe_filled for o in exits if not o.ft_order_tag)
        left: dict[str, float] = {}
        for name, sale in self._sales_of(setup).items():
            if not sale.is_partial:
                continue
            reason, wanted = f"{setup}: {name}", sale.share * bought
            missing = wanted - sum(o.safe_filled for o in exits if _is(o, reason))
            counted = min(nameless, max(missing, 0.0))
            nameless -= counted
            left[reason] = missing - counted if missing - counted > _ROUNDING * wanted else 0.0
        return left

    def _has_sold_another(self, trade: LocalTrade, reason: str, now: datetime) -> bool:
        """Whether something was sold in the present candle for another reason."""
        return any(
            self.same_candle(trade, order.order_date_utc, now) and not _is(order, reason)
            for order in _filled(trade, trade.exit_side)
        )

    def same_candle(self, trade: LocalTrade, one: datetime, other: datetime) -> bool:
        """Whether two moments are in one candle of the trade's pair."""
        columns = self._columns_of(trade.pair)
        return columns is not None and ns(one) // columns.span == ns(other) // columns.span

    def explained(self, trade: LocalTrade, reason: str, now: datetime) -> str:
        """What a sale was decided by at a moment, in words; empty where the reason is no sale's."""
        managed, columns = self._manager.managed(trade), self._columns_of(trade.pair)
        setup, _, name = reason.partition(": ")
        if columns is None or name not in self._sales_of(setup):
            return ""
        close, held = _seen(columns, managed, now)
        return explained(close, managed.plan.entry, managed.plan.risk, held)

    def targets(self, setup: str, entry: float, risk: float) -> dict[str, float]:
        """Prices (quote currency) at which closes sell, by name, of a trade of a setup."""
        prices = {n: sale.price(entry, risk) for n, sale in self._sales_of(setup).items()}
        return {name: price for name, price in prices.items() if math.isfinite(price)}

    def _due(self, trade: LocalTrade, now: datetime) -> Iterator[tuple[str, Sell]]:
        """Sales of the setup that are due, by the reason that they are told by."""
        managed = self._manager.managed(trade)
        sales, columns = self._sales_of(managed.setup), self._columns_of(trade.pair)
        if not sales or columns is None:
            return
        close, held = _seen(columns, managed, now)
        position = _since(managed.filled_at, columns, now)
        for name, sale in sales.items():
            rule = columns.by_name.get(f"sale:{managed.setup}:{name}")
            met = rule is not None and position >= 0 and bool(rule[position])
            if sale.is_due(close, managed.plan.entry, managed.plan.risk, held, met):
                yield f"{managed.setup}: {name}", sale


def _since(begun: datetime, columns: CandleColumns, now: datetime) -> int:
    """Position of the last completed candle; -1 where it had ended when the position began."""
    position = columns.completed_at(now)
    return position if position >= 0 and columns.opened[position] + columns.span > ns(begun) else -1


def _seen(columns: CandleColumns, managed: ManagedStop, now: datetime) -> tuple[float, float]:
    """Last close since the entry (NaN where it is not known), and minutes since it, in candles."""
    position, span = _since(managed.filled_at, columns, now), columns.span
    begun, reached = (ns(moment) // span * span for moment in (managed.filled_at, now))
    close = math.nan
    # A filled or absurd candle is no price that could be had.
    if position >= 0 and columns["trust"][position] < MOVES_NOTHING:
        close = float(columns["close"][position])
    return close, (reached - begun) / _MINUTE_NS


def _filled(trade: LocalTrade, side: str) -> list[Order]:
    """Orders of a side of which something has filled."""
    return [o for o in trade.orders if o.ft_order_side == side and o.safe_filled]


def _is(order: Order, reason: str) -> bool:
    """Whether an order was sent for a reason; the cost model writes the price asked behind it."""
    return (order.ft_order_tag or "").partition(" asked=")[0] == reason
