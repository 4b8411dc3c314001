"""Additions to a position: which orders are one, and when none may be sent."""

from datetime import datetime

from freqtrade.persistence import LocalTrade, Order

from ballast.core.reasons import Reason
from ballast.core.reconciliation import CLOCK_SKEW
from ballast.core.refusals import EntryRefused, refused
from ballast.risk.kill_switch import KillSwitch


def check(trade: LocalTrade, most: int, kill: KillSwitch, now: datetime) -> None:
    """
    Refuse an addition that is one too many, or while another entry of the position is under way.

    Parameters
    ----------
    most : int
        Additions to one position that are allowed.

    Raises
    ------
    EntryRefused
    """
    number = trade.nr_of_successful_entries
    if number > most:
        raise refused(Reason.ADDITIONS, number, most, "ballast.additions.most")
    for order in trade.select_filled_or_open_orders():
        # Two entries of one moment could not be told apart if an answer were lost.
        recent = now - order.order_date_utc < 2 * CLOCK_SKEW
        if order.ft_order_side == trade.entry_side and (order.ft_is_open or recent):
            text = "an entry order of the position is open, or has just been sent"
            raise refused(Reason.ADDITIONS, number, most, text)
    if (killed := kill.verdict()).blocks:
        raise EntryRefused(killed)


def is_one(trade: LocalTrade, order: Order) -> bool:
    """Whether an order that has filled adds to what an earlier one has bought."""
    is_entry, several = order.ft_order_side == trade.entry_side, len(trade.orders) > 1
    return is_entry and several and trade.nr_of_successful_entries > 1
