"""When longer candles, the history in front of a pair's own, are read from the exchange again.

Windows of days are measured on longer candles that are made of the strategy's own; those of the
exchange stand in front of them alone (see `core.frames.grouped`). So they need not be new, as long
as they reach to where the strategy's own begin. Read at every one that ends, they would be asked
for in the very loop in which orders wait: at each full hour, a request for every pair.
"""

from datetime import datetime, timedelta

import pandas as pd

from ballast.core import frames
from ballast.core.windows import minutes


class OlderHistory:
    """
    Tells which longer candles are to be read in a loop.

    Parameters
    ----------
    timeframe : str
        The strategy's.
    """

    def __init__(self, timeframe: str) -> None:
        self._timeframe = timeframe
        self._span = timedelta(minutes=minutes(timeframe))
        # By pair and timeframe, candles that were read, and from when on they may, and must, be
        # read again.
        self._read: dict[tuple[str, str], tuple[pd.DataFrame, datetime, datetime]] = {}

    def is_due(
        self, pair: str, timeframe: str, older: pd.DataFrame, own: pd.DataFrame, now: datetime
    ) -> bool:
        """
        Whether longer candles of a pair are to be read.

        Parameters
        ----------
        timeframe : str
            Of the longer ones.
        older, own : DataFrame
            The longer ones, and those of the strategy's timeframe, as they are known.
        """
        if not len(older) or not len(own):
            return True
        known = self._read.get((pair, timeframe))
        if known is None or known[0] is not older:
            known = self._read[pair, timeframe] = (older, *self._due(timeframe, older, own))
        _, may, must = known
        return now >= must or (now >= may and not self._ends(own, now))

    def _due(
        self, timeframe: str, older: pd.DataFrame, own: pd.DataFrame
    ) -> tuple[datetime, datetime]:
        """
        From when on longer candles may be read again, between two candles of the strategy, and from
        when on in any loop.

        Groups are whole: the first may begin as late as one after the own candles do, and what
        leads up to it may end one earlier. None is there before the next one has ended.
        """
        span = timedelta(minutes=minutes(timeframe))
        read_in = frames.read_in
        groups = frames.groups_of(self._timeframe)
        longest = max(
            (minutes(to) for to in groups if read_in(self._timeframe, to) == timeframe),
            default=minutes(timeframe),
        )
        reach = len(own) * self._span - 2 * timedelta(minutes=longest)
        end = older["date"].iloc[-1].to_pydatetime() + span
        return end + max(reach / 2, span), end + max(reach, span)

    def _ends(self, own: pd.DataFrame, now: datetime) -> bool:
        """Whether a candle of the strategy has ended that is not known yet."""
        return bool(own["date"].iloc[-1].to_pydatetime() + 2 * self._span <= now)
