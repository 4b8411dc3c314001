"""Tells once when a guard takes size away or gives it back; blocks are events of their own."""

from collections.abc import Callable

from ballast.core.guard_set import GuardSet
from ballast.core.measures import share
from ballast.core.verdict import Verdict


class GuardWatch:
    """
    Compares what the guards say with what they said at the candle before.

    Parameters
    ----------
    guard_set : GuardSet
    tell : callable
        Given one sentence for each transition.
    """

    def __init__(self, guard_set: GuardSet, tell: Callable[[str], None]) -> None:
        self._guard_set = guard_set
        self._tell = tell
        self._sizes: dict[str, float] = {}

    def look(self) -> None:
        """Tell what has changed; to be called once a candle, after the guards have seen it."""
        for guard, verdict in self._guard_set.standing().items():
            if verdict.blocks:
                continue
            before = self._sizes.get(guard, 1.0)
            self._sizes[guard] = verdict.multiplier
            if verdict.multiplier != before:
                self._tell(_sentence(guard, verdict))


def _sentence(guard: str, verdict: Verdict) -> str:
    if verdict.multiplier >= 1:
        return f"{guard}: entries have their full size again"
    return f"{guard}: entries are cut to {share(verdict.multiplier)} of their size: {verdict}"
