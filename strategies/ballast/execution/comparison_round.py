"""One comparison of the whole account: when it is due, and which pairs it has still to come to.

Where an exchange gives the open orders of all pairs at once it is done within one loop. Elsewhere
pairs are asked a few in each loop: two hundred in one would hold up exits and stops for a minute.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

# A loop that begins so soon after a candle's end is the one that trades on it.
NEW_CANDLE = timedelta(seconds=5)
# Pairs that are asked one by one in a loop. Binance counts a request for all pairs as much as one
# for each of thirteen, so that up to these are asked one by one everywhere.
A_LOOP = 13


class ComparisonRound:
    """
    Comparisons of everything, one after the other.

    Parameters
    ----------
    every : timedelta
        From the beginning of one to that of the next.
    candle : timedelta
        Length of the strategy's candles.
    """

    def __init__(self, every: timedelta, candle: timedelta) -> None:
        self._every = every
        self._candle = candle
        # When the last one that has come to its end began.
        self.checked: datetime | None = None
        self._began: datetime | None = None
        self._rest: list[str] = []

    def is_due(self, now: datetime) -> bool:
        """
        Whether pairs are to be compared in this loop. A new candle goes first where it can: its
        orders would wait.
        """
        if self.checked is None:
            return True
        age = now - self.checked
        into = now.timestamp() % self._candle.total_seconds()
        is_calm = into >= NEW_CANDLE.total_seconds()
        return age >= self._every and (is_calm or age >= 1.5 * self._every)

    def rest(self, everything: Iterable[str], now: datetime) -> list[str]:
        """Pairs that are still to be compared; all of them where a comparison begins."""
        if self._began is None:
            self._began, self._rest = now, sorted(everything)
        return self._rest

    def compared(self, rest: list[str]) -> bool:
        """Go on with these pairs in a later loop; whether none are left, and it has ended."""
        self._rest = rest
        if rest:
            return False
        # What was asked first is as old as that.
        self.checked, self._began = self._began, None
        return True
