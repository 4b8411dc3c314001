"""Positions and orders as the bot's database has recorded them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from ccxt import TICK_SIZE
from freqtrade.persistence import Order, Trade
from sqlalchemy import Row, case, func, select
from sqlalchemy.orm import Session, scoped_session

from ballast.core.reasons import Reason
from ballast.core.reconciliation import BUY, TOLERANCE, RecordedPositions


def recorded_positions(pair: str) -> RecordedPositions:
    """Positions and orders of a pair."""
    return recorded_positions_of([pair])[pair]


def recorded_positions_of(pairs: Sequence[str]) -> dict[str, RecordedPositions]:
    """Positions and orders of pairs, by pair; as many questions for all as for one."""
    trades: dict[str, list[Trade]] = defaultdict(list)
    for trade in Trade.get_trades([Trade.pair.in_(pairs), Trade.is_open.is_(True)]):
        trades[trade.pair].append(trade)
    ids: dict[str, dict[str, bool]] = defaultdict(dict)
    every_id = select(Order.ft_pair, Order.order_id, Order.ft_is_open)
    for pair, order_id, is_open in Order.session.execute(every_id.where(Order.ft_pair.in_(pairs))):
        ids[pair][order_id] = is_open
    left = left_by_closed(Order.session, pairs)
    return {pair: _recorded(trades[pair], ids[pair], left[pair]) for pair in pairs}


def _recorded(trades: Sequence[Trade], ids: Mapping[str, bool], left: float) -> RecordedPositions:
    opened = [order for trade in trades for order in trade.orders if order.ft_is_open]
    sides = {trade.entry_side for trade in trades}
    return RecordedPositions(
        amount=sum(trade.amount for trade in trades),
        entering=sum(o.safe_amount for o in opened if o.ft_order_side in sides),
        leaving=sum(o.safe_amount for o in opened if o.ft_order_side not in sides),
        order_ids=frozenset(ids),
        ended=frozenset(order_id for order_id, is_open in ids.items() if not is_open),
        left=left,
    )


def left_by_closed(
    session: Session | scoped_session[Session], pairs: Sequence[str]
) -> dict[str, float]:
    """
    By pair, units that its closed positions have left on the account.

    Fees are taken in the coin bought and exits are rounded down to lots; Freqtrade pays later fees
    out of such dust, so that it is the sum over all trades that counts. What was too little to be
    sold at all is among it. Whatever else a closed position has not sold is no dust: its exit never
    filled, and its coins are unknown.
    """
    is_entry = Order.ft_order_side == BUY
    traded = (
        select(
            *(Trade.pair, Trade.base_currency, Trade.exit_reason),
            *(Trade.fee_open, Trade.fee_open_currency),
            *(Trade.amount_precision, Trade.precision_mode),
            func.sum(case((is_entry, Order.filled), else_=0.0)).label("bought"),
            # By exits and by stops, which have a side of their own.
            func.sum(case((is_entry, 0.0), else_=Order.filled)).label("sold"),
        )
        .join(Trade, Trade.id == Order.ft_trade_id)
        .where(Trade.pair.in_(pairs), Trade.is_open.is_(False), Order.filled > 0)
        .group_by(Trade.id)
    )
    left = dict.fromkeys(pairs, 0.0)
    for row in session.execute(traded):
        fee = row.fee_open if row.fee_open_currency in (None, row.base_currency) else 0.0
        units = row.bought * (1 - fee) - row.sold
        if row.exit_reason != Reason.DUST_EXIT:
            units = min(units, max(lot(row), row.bought * TOLERANCE))
        left[row.pair] += units
    return {pair: max(0.0, units) for pair, units in left.items()}


def lot(trade: Trade | Row[Any]) -> float:
    """Smallest step of an amount, by the precision that Freqtrade has recorded; 0 for none."""
    step = trade.amount_precision
    if step is None:
        return 0.0
    return float(step) if trade.precision_mode == TICK_SIZE else 10.0 ** -int(step)
