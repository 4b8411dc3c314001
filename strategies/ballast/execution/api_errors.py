"""Counts failed requests to the exchange, from the warning that Freqtrade logs for each.

What fails of one pair alone says nothing of the exchange: without candles the pair itself cannot be
entered. A pair that is not listed fails at every request.
"""

import logging
import re
from collections import deque
from datetime import datetime, timedelta

# Freqtrade's retry wrapper logs one such warning for every failed attempt (a contract test holds
# the wording).
LOGGER = "freqtrade.exchange.common"
FAILED = "returned exception"
NOT_LISTED = "due to BadSymbol"
_PAIR = re.compile(r"\b[A-Z0-9]+/[A-Z0-9]+\b")


class ApiErrors(logging.Handler):
    """
    Remembers when requests failed.

    Parameters
    ----------
    window : timedelta
        How far back failures count.
    """

    def __init__(self, window: timedelta = timedelta(minutes=10)) -> None:
        super().__init__(level=logging.WARNING)
        self._window = window
        # When, and of which pair, if the request was about one.
        self._failed: deque[tuple[float, str]] = deque(maxlen=10_000)

    def listen(self) -> None:
        """Begin to count; an earlier run's counter of this process is taken off."""
        source = logging.getLogger(LOGGER)
        for handler in [h for h in source.handlers if isinstance(h, ApiErrors)]:
            source.removeHandler(handler)
        source.addHandler(self)
        # A guard must not be blinded by how much of the log somebody wants to read.
        source.disabled = False
        if source.getEffectiveLevel() > logging.WARNING:
            source.setLevel(logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        """Take note of a failed request."""
        text = record.getMessage()
        if FAILED in text and NOT_LISTED not in text:
            pair = _PAIR.search(text)
            self._failed.append((record.created, pair[0] if pair else ""))

    def count(self, now: datetime) -> int:
        """Requests that failed within the window before `now`; those of a single pair are none."""
        oldest = (now - self._window).timestamp()
        while self._failed and self._failed[0][0] < oldest:
            self._failed.popleft()
        pairs = [pair for _, pair in self._failed if pair]
        return len(self._failed) - (len(pairs) if len(set(pairs)) == 1 else 0)
