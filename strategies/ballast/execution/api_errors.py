"""Counts failed requests to the exchange, from the warning that Freqtrade logs for each."""

import logging
from collections import deque
from datetime import datetime, timedelta

# Freqtrade's retry wrapper logs one such warning for every failed attempt (a contract test holds
# the wording).
LOGGER = "freqtrade.exchange.common"
FAILED = "returned exception"


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
        self._failed: deque[float] = deque(maxlen=10_000)

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
        if FAILED in record.getMessage():
            self._failed.append(record.created)

    def count(self, now: datetime) -> int:
        """Number of requests that failed within the window before `now`."""
        oldest = (now - self._window).timestamp()
        while self._failed and self._failed[0] < oldest:
            self._failed.popleft()
        return len(self._failed)
