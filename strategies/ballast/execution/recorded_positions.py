"""Positions and orders as the bot's database has recorded them."""

from freqtrade.persistence import Order, Trade
from sqlalchemy import func, select
from sqlalchemy.orm import Session, scoped_session

from ballast.core.reconciliation import RecordedPositions


def recorded_positions(pair: str) -> RecordedPositions:
    """Positions and orders of a pair."""
    trades = Trade.get_trades([Trade.pair == pair, Trade.is_open.is_(True)]).all()
    opened = [order for trade in trades for order in trade.orders if order.ft_is_open]
    ids = Order.session.scalars(select(Order.order_id).where(Order.ft_pair == pair))
    sides = {trade.entry_side for trade in trades}
    return RecordedPositions(
        amount=sum(trade.amount for trade in trades),
        entering=sum(o.safe_amount for o in opened if o.ft_order_side in sides),
        leaving=sum(o.safe_amount for o in opened if o.ft_order_side not in sides),
        order_ids=frozenset(ids),
        left=left_by_closed(Order.session, pair),
    )


def left_by_closed(session: Session | scoped_session[Session], pair: str) -> float:
    """
    Units that closed positions of a pair have left on the account.

    Fees are taken in the coin bought and exits are rounded down to lots; Freqtrade pays later fees
    out of such dust, so that it is the sum over all trades that counts. What was too little to be
    sold at all is among it.
    """
    fee_columns = (Trade.fee_open, Trade.fee_open_currency, Trade.base_currency)
    traded = (
        select(Order.ft_order_side, func.sum(Order.filled), *fee_columns)
        .join(Trade, Trade.id == Order.ft_trade_id)
        .where(Trade.pair == pair, Trade.is_open.is_(False), Order.filled > 0)
        .group_by(Trade.id, Order.ft_order_side)
    )
    left = 0.0
    for side, filled, fee, currency, base in session.execute(traded):
        if side == "sell":
            left -= filled
        else:
            left += filled * (1 - (fee if currency in (None, base) else 0.0))
    return max(0.0, left)
