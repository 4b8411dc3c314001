"""Reductions of a position: what is left of it can be sold and have a stop, or leaves with it."""

from freqtrade.persistence import LocalTrade

from ballast.runtime.host import Host


def least(host: Host, min_stake: float | None, live: bool) -> float:
    """
    What a sale must be worth, and what stays after it, quote currency.

    Parameters
    ----------
    min_stake : float or None
        As Freqtrade tells `adjust_trade_position`.
    """
    smallest = min_stake or 0.0
    # Backtests give it with what a stop needs, as Freqtrade itself then asks for live.
    return smallest / (1 - host.disaster_ratio()) if live else smallest


def whole_or_part(trade: LocalTrade, stake: float, rate: float, smallest: float) -> float:
    """
    A reduction as Freqtrade is told it (a negative stake); all of the position where what is left
    could not be sold or have a stop.

    Parameters
    ----------
    stake : float
        Wanted, a negative share of `trade.stake_amount`.
    rate : float
        What a sale would fetch, quote currency.
    smallest : float
        As `least` gives it.
    """
    if stake <= -trade.stake_amount:
        return -float(trade.stake_amount)
    left = (1 + stake / trade.stake_amount) * trade.amount * rate
    return -float(trade.stake_amount) if left < smallest else stake
