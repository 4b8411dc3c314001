"""What the bot's database knows of positions and orders, as `ballast.core.reconcile` asks it."""

from freqtrade.persistence import Order, Trade
from sqlalchemy import select

from ballast.core.reconcile import Known


def known_of(pair: str) -> Known:
    """Positions and orders of a pair."""
    trades = Trade.get_trades([Trade.pair == pair, Trade.is_open.is_(True)]).all()
    opened = [order for trade in trades for order in trade.orders if order.ft_is_open]
    ids = Order.session.scalars(select(Order.order_id).where(Order.ft_pair == pair))
    sides = {trade.entry_side for trade in trades}
    return Known(
        amount=sum(trade.amount for trade in trades),
        entering=sum(o.safe_amount for o in opened if o.ft_order_side in sides),
        leaving=sum(o.safe_amount for o in opened if o.ft_order_side not in sides),
        order_ids=frozenset(ids),
    )
