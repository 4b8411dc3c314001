"""Positions and orders as the bot's database has recorded them."""

from collections import defaultdict
from collections.abc import Sequence

from freqtrade.persistence import Order, Trade
from sqlalchemy import func, select
from sqlalchemy.orm import Session, scoped_session

from ballast.core.reconciliation import RecordedPositions


def recorded_positions(pair: str) -> RecordedPositions:
    """Positions and orders of a pair."""
    return recorded_positions_of([pair])[pair]


def recorded_positions_of(pairs: Sequence[str]) -> dict[str, RecordedPositions]:
    """Positions and orders of pairs, by pair; as many questions for all as for one."""
    trades: dict[str, list[Trade]] = defaultdict(list)
    for trade in Trade.get_trades([Trade.pair.in_(pairs), Trade.is_open.is_(True)]):
        trades[trade.pair].append(trade)
    ids: dict[str, list[str]] = defaultdict(list)
    every_id = select(Order.ft_pair, Order.order_id).where(Order.ft_pair.in_(pairs))
    for pair, order_id in Order.session.execute(every_id):
        ids[pair].append(order_id)
    left = left_by_closed(Order.session, pairs)
    return {pair: _recorded(trades[pair], ids[pair], left[pair]) for pair in pairs}


def _recorded(trades: Sequence[Trade], ids: Sequence[str], left: float) -> RecordedPositions:
    opened = [order for trade in trades for order in trade.orders if order.ft_is_open]
    sides = {trade.entry_side for trade in trades}
    return RecordedPositions(
        amount=sum(trade.amount for trade in trades),
        entering=sum(o.safe_amount for o in opened if o.ft_order_side in sides),
        leaving=sum(o.safe_amount for o in opened if o.ft_order_side not in sides),
        order_ids=frozenset(ids),
        left=left,
    )


def left_by_closed(
    session: Session | scoped_session[Session], pairs: Sequence[str]
) -> dict[str, float]:
    """
    By pair, units that its closed positions have left on the account.

    Fees are taken in the coin bought and exits are rounded down to lots; Freqtrade pays later fees
    out of such dust, so that it is the sum over all trades that counts. What was too little to be
    sold at all is among it.
    """
    fee_columns = (Trade.fee_open, Trade.fee_open_currency, Trade.base_currency)
    traded = (
        select(Trade.pair, Order.ft_order_side, func.sum(Order.filled), *fee_columns)
        .join(Trade, Trade.id == Order.ft_trade_id)
        .where(Trade.pair.in_(pairs), Trade.is_open.is_(False), Order.filled > 0)
        .group_by(Trade.id, Order.ft_order_side)
    )
    left = dict.fromkeys(pairs, 0.0)
    for pair, side, filled, fee, currency, base in session.execute(traded):
        if side == "sell":
            left[pair] -= filled
        else:
            left[pair] += filled * (1 - (fee if currency in (None, base) else 0.0))
    return {pair: max(0.0, units) for pair, units in left.items()}
