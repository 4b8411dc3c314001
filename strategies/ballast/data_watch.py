"""Says at every candle which pairs' market data is missing or not trusted."""

from collections.abc import Callable
from datetime import datetime

from ballast.core.tape import Tape
from ballast.core.trust import Trust
from ballast.events import Event, Kind

MISSING = "CANDLE_MISSING"


class DataWatch:
    """
    Looks at the newest candle of every pair.

    Parameters
    ----------
    pairs : callable
        Pairs that are traded now.
    tape_of : callable
        Gives a pair's tape, or None.
    publish : callable
        Told about each pair whose newest candle cannot be acted on.
    """

    def __init__(
        self,
        pairs: Callable[[], list[str]],
        tape_of: Callable[[str], Tape | None],
        publish: Callable[[Event], None],
    ) -> None:
        self._pairs = pairs
        self._tape_of = tape_of
        self._publish = publish

    def look(self, end: datetime) -> None:
        """Look at the candles that ended at `end`."""
        for pair in self._pairs():
            trust = self._trust(pair, end)
            if trust is None:
                self._publish(Event(end, Kind.DATA, MISSING, pair))
            elif trust != Trust.OK:
                self._publish(Event(end, Kind.DATA, trust.name, pair, None, int(trust), 0))

    def _trust(self, pair: str, end: datetime) -> Trust | None:
        """Trust in the pair's candle; None where it has not come."""
        tape = self._tape_of(pair)
        position = tape.completed_at(end) if tape is not None else -1
        if tape is None or not tape.is_fresh(position, end):
            return None
        return Trust(int(tape["trust"][position]))
