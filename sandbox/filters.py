"""The rules an order must keep, read from the filters that exchangeInfo publishes.

A refusal is Binance's -1013 with the name of the filter. Average prices, where Binance takes those
of the last five minutes, are the last price here, as in avgPrice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.errors import ApiError
from sandbox.markets import Market, filters
from sandbox.orders import Order, OrderRequest, OrderType, Side
from sandbox.units import UNIT, parse, value_down


@dataclass(frozen=True, slots=True)
class Limits:
    """The filters of a symbol in units; multipliers of the last price as units of 1."""

    tick: int
    min_price: int
    max_price: int
    lot: int
    min_amount: int
    max_amount: int
    max_market_amount: int
    min_value: int
    max_value: int
    multipliers: dict[Side, tuple[int, int]]
    max_orders: int
    max_conditional: int

    @staticmethod
    def of(market: Market) -> Limits:
        """What exchangeInfo says about a market."""
        by_type: dict[str, dict[str, Any]] = {
            entry["filterType"]: entry for entry in filters(market)
        }

        def units(kind: str, name: str) -> int:
            return parse(name, by_type[kind][name])

        def band(side: str) -> tuple[int, int]:
            kind = "PERCENT_PRICE_BY_SIDE"
            return units(kind, f"{side}MultiplierDown"), units(kind, f"{side}MultiplierUp")

        return Limits(
            tick=units("PRICE_FILTER", "tickSize"),
            min_price=units("PRICE_FILTER", "minPrice"),
            max_price=units("PRICE_FILTER", "maxPrice"),
            lot=units("LOT_SIZE", "stepSize"),
            min_amount=units("LOT_SIZE", "minQty"),
            max_amount=units("LOT_SIZE", "maxQty"),
            max_market_amount=units("MARKET_LOT_SIZE", "maxQty"),
            min_value=units("NOTIONAL", "minNotional"),
            max_value=units("NOTIONAL", "maxNotional"),
            multipliers={Side.BUY: band("bid"), Side.SELL: band("ask")},
            max_orders=by_type["MAX_NUM_ORDERS"]["maxNumOrders"],
            max_conditional=by_type["MAX_NUM_ALGO_ORDERS"]["maxNumAlgoOrders"],
        )


def check(
    request: OrderRequest, limits: Limits, last_price: int, open_orders: Sequence[Order]
) -> None:
    """Refuse an order that breaks a filter (ApiError -1013); ``open_orders`` are the symbol's."""
    for price in (request.price, request.stop_price):
        if price:
            _check_price(price, limits)
    if request.price:
        _check_band(request, limits, last_price)
    if not request.quote_amount:
        _check_amount(request, limits)
    _check_value(request, limits, last_price)
    if len(open_orders) >= limits.max_orders:
        raise failure("MAX_NUM_ORDERS")
    waiting = sum(order.request.type.is_conditional for order in open_orders)
    if request.type.is_conditional and waiting >= limits.max_conditional:
        raise failure("MAX_NUM_ALGO_ORDERS")


def _check_price(price: int, limits: Limits) -> None:
    if not limits.min_price <= price <= limits.max_price or price % limits.tick:
        raise failure("PRICE_FILTER")


def _check_band(request: OrderRequest, limits: Limits, last_price: int) -> None:
    low, high = limits.multipliers[request.side]
    if not low * last_price <= request.price * UNIT <= high * last_price:
        raise failure("PERCENT_PRICE_BY_SIDE")


def _check_amount(request: OrderRequest, limits: Limits) -> None:
    if not limits.min_amount <= request.amount <= limits.max_amount or request.amount % limits.lot:
        raise failure("LOT_SIZE")
    if request.type is OrderType.MARKET and request.amount > limits.max_market_amount:
        raise failure("MARKET_LOT_SIZE")


def _check_value(request: OrderRequest, limits: Limits, last_price: int) -> None:
    price = request.price or request.stop_price or last_price
    value = request.quote_amount or value_down(price, request.amount)
    too_much = value > limits.max_value and request.type is not OrderType.MARKET
    if value < limits.min_value or too_much:
        raise failure("NOTIONAL")


def failure(name: str) -> ApiError:
    """The refusal that names a filter."""
    return ApiError(-1013, f"Filter failure: {name}")
