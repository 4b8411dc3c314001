"""Exponential back-off: after each failure in a row, twice as long a pause."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ballast.core.reasons import Reason
from ballast.core.verdict import ALLOW, Verdict

# 2 ** 30 first pauses are longer than any limit; higher powers would overflow a timedelta.
_MOST_DOUBLINGS = 30


def pause(failures: int, first: timedelta, longest: timedelta) -> timedelta:
    """How long to wait after that many failures in a row; nothing after none."""
    if failures <= 0:
        return timedelta(0)
    doublings: int = min(failures - 1, _MOST_DOUBLINGS)
    return min(longest, first * int(2**doublings))


@dataclass
class Backoff:
    """
    Counts failures in a row, each kind (pair) by itself.

    Parameters
    ----------
    first, longest : timedelta
        Pause after the first failure, and at most.
    """

    first: timedelta
    longest: timedelta
    _failed: dict[str, tuple[int, datetime]] = field(default_factory=dict)

    def failed(self, key: str, now: datetime) -> datetime:
        """Count a failure; when the next attempt may be made."""
        failures = self._failed.get(key, (0, now))[0] + 1
        until = now + pause(failures, self.first, self.longest)
        self._failed[key] = (failures, until)
        return until

    def succeeded(self, key: str) -> None:
        """Forget the failures."""
        self._failed.pop(key, None)

    def verdict(self, key: str, now: datetime) -> Verdict:
        """BACKOFF, in seconds still to wait, until the pause is over."""
        failures, until = self._failed.get(key, (0, now))
        if failures == 0 or now >= until:
            return ALLOW
        return Verdict(Reason.BACKOFF, (until - now).total_seconds(), 0.0, 0.0, until)
