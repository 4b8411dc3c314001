"""Failures inside callbacks: counted, logged, and announced once per cause and hour."""

import logging
import time
from collections import Counter
from collections.abc import Callable

logger = logging.getLogger(__name__)

_QUIET_S = 3600.0


class IncidentLog:
    """Remembers what failed where; what failed has already refused."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._announced: dict[str, float] = {}
        self._tell: Callable[[str], None] | None = None

    def announce_through(self, tell: Callable[[str], None]) -> None:
        """Send alerts to the operator from now on."""
        self._tell = tell

    def record(self, where: str, error: Exception) -> None:
        """
        Count a failure and tell about it.

        Parameters
        ----------
        where : str
            Name of the callback.
        """
        # The first line: a database's errors go on with their statement and a link.
        said, _, _ = str(error).partition("\n")
        cause = f"{where}: {type(error).__name__}: {said}"
        self.counts[cause] += 1
        now = time.monotonic()
        if now - self._announced.get(cause, -_QUIET_S) < _QUIET_S:
            return
        self._announced[cause] = now
        logger.error("%s failed and refused", where, exc_info=error)
        if self._tell is not None:
            self._tell(f"Ballast: {cause} (refused)")
