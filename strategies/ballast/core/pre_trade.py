"""Checks of an entry just before its order is sent: each a question with one number and one limit.

A number that is not known (NaN) passes no check. Ages are seconds, distances hourly ATR, spreads
basis points of the middle price, money quote currency.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ballast.core.reasons import Reason
from ballast.core.verdict import ALLOW, Verdict

Level = tuple[float, float]


@dataclass(frozen=True)
class Quote:
    """
    An order book, best prices first.

    Parameters
    ----------
    bids, asks : sequence of (price, amount)
        Quote currency per unit, and units.
    """

    bids: Sequence[Level]
    asks: Sequence[Level]

    @property
    def spread_bps(self) -> float:
        """Ask less bid, basis points of their middle; NaN where a side is empty or they cross."""
        if not self.bids or not self.asks:
            return math.nan
        bid, ask = self.bids[0][0], self.asks[0][0]
        if not 0 < bid <= ask:
            return math.nan
        return (ask - bid) / ((ask + bid) / 2) * 10_000

    def depth(self, within_bps: float) -> float:
        """
        Value that rests within so many basis points of the best price, on the thinner side, quote
        currency. An entry needs the asks; what leaves by market in a hurry needs the bids.
        """
        return min(_value(self.bids, within_bps), _value(self.asks, within_bps))


def at_most(code: Reason, value: float, limit: float) -> Verdict:
    """Allow what does not exceed the limit."""
    return ALLOW if value <= limit else Verdict(code, value, limit, 0.0)


def at_least(code: Reason, value: float, limit: float) -> Verdict:
    """Allow what does not fall short of the limit."""
    return ALLOW if value >= limit else Verdict(code, value, limit, 0.0)


def age(seconds: float, limit: float) -> Verdict:
    """SIGNAL_OLD: since its candle closed. A clock that runs behind the exchange's is as bad."""
    return at_most(Reason.SIGNAL_OLD, abs(seconds), limit)


def moved(rate: float, close: float, atr: float, limit: float) -> Verdict:
    """PRICE_MOVED: from the signal's close to the price of the order, either way."""
    distance = abs(rate - close) / atr if atr > 0 else math.nan
    return at_most(Reason.PRICE_MOVED, distance, limit)


def spread(quote: Quote, limit_bps: float) -> Verdict:
    """SPREAD_WIDE: half of it is lost at once, and again on the way out."""
    return at_most(Reason.SPREAD_WIDE, quote.spread_bps, limit_bps)


def depth(quote: Quote, stake: float, within_bps: float, times: float) -> Verdict:
    """DEPTH_THIN: the book must hold our size several times over, near the best price."""
    return at_least(Reason.DEPTH_THIN, quote.depth(within_bps), stake * times)


def balance(free: float, stake: float, fee: float) -> Verdict:
    """BALANCE_SHORT: what is free on the exchange now must pay for the order and its fee."""
    return at_least(Reason.BALANCE_SHORT, free, stake * (1 + fee))


def _value(levels: Sequence[Level], within_bps: float) -> float:
    if not levels:
        return math.nan
    best = levels[0][0]
    reach = best * within_bps / 10_000
    return sum(price * amount for price, amount in levels if abs(price - best) <= reach)
