"""Says at every candle which pairs' market data is missing or not trusted."""

from collections.abc import Callable
from datetime import datetime

from ballast.core.columns import CandleColumns
from ballast.core.events import Event, EventKind
from ballast.core.reasons import Reason
from ballast.core.trust import DataQuality


class DataWatch:
    """
    Looks at the newest candle of every pair.

    Parameters
    ----------
    pairs : callable
        Pairs that are traded now.
    columns_of : callable
        Gives a pair's columns, or None.
    publish : callable
        Told about each pair whose newest candle cannot be acted on.
    """

    def __init__(
        self,
        pairs: Callable[[], list[str]],
        columns_of: Callable[[str], CandleColumns | None],
        publish: Callable[[Event], None],
    ) -> None:
        self._pairs = pairs
        self._columns_of = columns_of
        self._publish = publish

    def look(self, end: datetime) -> None:
        """Look at the candles that ended at `end`."""
        for pair in self._pairs():
            trust = self._trust(pair, end)
            if trust is None:
                self._publish(Event(end, EventKind.DATA, Reason.CANDLE_MISSING, pair))
            elif trust != DataQuality.OK:
                self._publish(
                    Event(end, EventKind.DATA, Reason[trust.name], pair, None, int(trust), 0)
                )

    def _trust(self, pair: str, end: datetime) -> DataQuality | None:
        """Trust in the pair's candle; None where it has not come."""
        columns = self._columns_of(pair)
        position = columns.newest_at(end) if columns is not None else -1
        if columns is None or position < 0:
            return None
        return DataQuality(int(columns["trust"][position]))
