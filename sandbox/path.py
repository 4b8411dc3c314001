"""The price path between two moments, as straight legs in whole units.

It is the path that last prices, unfinished candles and public trades are read from (`candles`):
open, first extreme, second extreme and close of each of the finest candles, a third of its time
apart. Between a close and the next open the price jumps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.candles import Candles, path_prices
from sandbox.units import MILLION, from_float

LEGS = 3


@dataclass(frozen=True, slots=True)
class Leg:
    """A straight piece of the path, of which only ``start_ms`` to ``end_ms`` is asked for.

    ``from_ms``, ``to_ms`` and the prices there describe the whole piece [Unix ms, units].
    ``volume`` and ``candle_ms`` are the whole candle's [units, ms], traded evenly over its time.
    """

    from_ms: int
    to_ms: int
    from_price: int
    to_price: int
    start_ms: int
    end_ms: int
    volume: int
    candle_ms: int

    def price(self, time_ms: int) -> int:
        """The price at a moment of the leg, rounded down."""
        run = self.to_ms - self.from_ms
        return self.from_price + (self.to_price - self.from_price) * (time_ms - self.from_ms) // run

    def side_of(self, price: int, start_ms: int, end_ms: int) -> int:
        """Where the middle of a stretch lies: -1 below a price, 0 at it, 1 above it."""
        run = 2 * (self.to_ms - self.from_ms)
        elapsed = start_ms + end_ms - 2 * self.from_ms
        above = (self.from_price - price) * run + (self.to_price - self.from_price) * elapsed
        return (above > 0) - (above < 0)

    def traded(self, start_ms: int, end_ms: int, millionths: int) -> int:
        """A share of the volume traded between two moments [units].

        Adjoining stretches of a leg add up exactly: how often one looks changes nothing.
        """
        return self._traded_until(end_ms, millionths) - self._traded_until(start_ms, millionths)

    def _traded_until(self, time_ms: int, millionths: int) -> int:
        return self.volume * millionths * (time_ms - self.from_ms) // (self.candle_ms * MILLION)

    def reaches(self, price: int, after_ms: int) -> int | None:
        """The first moment after ``after_ms`` at which the leg has come to a price, if it does."""
        rise = self.to_price - self.from_price
        distance = price - self.from_price
        if rise == 0 or distance * rise < 0 or abs(distance) > abs(rise):
            return None
        run = self.to_ms - self.from_ms
        moment = self.from_ms - (-abs(distance) * run // abs(rise))
        return moment if after_ms < moment <= self.end_ms else None


def legs(candles: Candles, start_ms: int, end_ms: int) -> Iterator[Leg]:
    """The legs of the path from ``start_ms`` through ``end_ms``, in order.

    Where no candle is, nothing is traded and there is no leg.
    """
    frame = candles.timeframe_ms
    found = candles.between(start_ms - frame + 1, end_ms + 1)
    paths = path_prices(found)
    for row, open_ms in enumerate(found.open_ms.tolist()):
        prices = [from_float(price) for price in paths[row].tolist()]
        volume = from_float(float(found.volume[row]))
        for number in range(LEGS):
            from_ms = open_ms + frame * number // LEGS
            to_ms = open_ms + frame * (number + 1) // LEGS
            first, last = max(from_ms, start_ms), min(to_ms, end_ms)
            if first <= last:
                yield Leg(
                    from_ms,
                    to_ms,
                    prices[number],
                    prices[number + 1],
                    first,
                    last,
                    volume,
                    frame,
                )
