"""Making known to Freqtrade what it has sent and never recorded, in its own words.

An adopted entry is an open order of a new trade: Freqtrade asks the exchange about it in the same
loop, finds it filled, and places the stop, as it does with every order of its own.
"""

from collections.abc import Mapping
from typing import Any

from freqtrade.exchange import timeframe_to_minutes
from freqtrade.persistence import Order, Trade

from ballast.core.reconciliation import SeenOrder

# Freqtrade's name of a stop among the sides of orders.
STOP_SIDE = "stoploss"


def adopt_entry(
    order: SeenOrder,
    *,
    rate: float,
    tag: str,
    terms: Mapping[str, Any],
    strategy: str,
    timeframe: str,
    stoploss: float,
) -> Trade:
    """
    Record an entry as `FreqtradeBot.execute_entry` would have.

    Parameters
    ----------
    rate : float
        Limit that was asked for, quote currency.
    terms : mapping
        See `ExchangeView.terms`.
    stoploss : float
        The strategy's class stop, negative ratio.
    """
    trade = Trade(
        pair=order.pair,
        stake_amount=order.amount * rate,
        amount=0,
        amount_requested=order.amount,
        is_open=True,
        open_rate=rate,
        open_rate_requested=rate,
        open_date=order.created,
        strategy=strategy,
        enter_tag=tag,
        timeframe=timeframe_to_minutes(timeframe),
        leverage=1.0,
        is_short=False,
        funding_fees=0.0,
        **terms,
    )
    trade.adjust_stop_loss(trade.open_rate, stoploss, initial=True)
    record = _recorded(order, str(order.side), order.amount, rate)
    record.ft_order_tag = tag
    trade.orders.append(record)
    trade.recalc_trade_from_orders()
    Trade.session.add(trade)
    Trade.commit()
    return trade


def adopt_addition(trade: Trade, order: SeenOrder, *, rate: float, tag: str) -> Trade:
    """Record an order that adds to an open trade, as `FreqtradeBot.execute_entry` would have."""
    record = _recorded(order, str(order.side), order.amount, rate)
    record.ft_order_tag = tag
    trade.orders.append(record)
    Trade.commit()
    return trade


def adopt_stop(trade: Trade, order: SeenOrder) -> None:
    """Record the stop order of an open trade, or that it is open after all."""
    known = next((record for record in trade.orders if record.order_id == order.id), None)
    if known is None:
        trade.orders.append(_recorded(order, STOP_SIDE, order.amount, order.stop))
    else:
        known.ft_is_open, known.status = True, "open"
    Trade.commit()


def _recorded(order: SeenOrder, side: str, amount: float, price: float) -> Order:
    """As it was just after it was sent: what has become of it Freqtrade asks itself."""
    fresh = {**order.raw, "status": "open", "filled": 0.0, "remaining": order.amount, "cost": 0.0}
    return Order.parse_from_ccxt_object({**fresh, "average": None}, order.pair, side, amount, price)
