"""At what values blocks and cuts began that still hold."""

import math
from collections.abc import Mapping

from pydantic import Field

from ballast.core.guards.base import Memory
from ballast.core.verdict import ALL_PAIRS, Verdict

# The row that keeps them.
BEGINNINGS = "Beginnings"


class Beginnings(Memory):
    """
    Limit and value at which blocks and cuts began that still hold, by guard and pair (separated by
    a space), '*' being all.
    """

    begun: dict[str, tuple[float, float]] = Field(default_factory=dict)

    def dated(self, guard: str, pair: str, verdict: Verdict) -> Verdict:
        """A verdict with the value that it began with."""
        if verdict.multiplier == 1 or math.isfinite(verdict.began):
            return verdict
        for scope in (pair, ALL_PAIRS):
            known = self.begun.get(f"{guard} {scope}")
            if known is not None and known[0] == verdict.limit:
                return verdict.begun_at(known[1])
        return verdict

    def followed_by(self, objections: Mapping[str, Mapping[str, Verdict]]) -> "Beginnings":
        """
        After what guards that were asked object to now; one to another limit is another.

        Parameters
        ----------
        objections : mapping of str to mapping of str to Verdict
            By guard and pair.
        """
        before = self.begun
        if not before and not any(objections.values()):
            return self
        begun = {key: at for key, at in before.items() if key.split(" ")[0] not in objections}
        for name, verdicts in objections.items():
            for pair, verdict in verdicts.items():
                key = f"{name} {pair}"
                known = before.get(key)
                if known is not None and known[0] == verdict.limit:
                    begun[key] = known
                elif math.isfinite(verdict.value) and math.isfinite(verdict.limit):
                    begun[key] = (verdict.limit, verdict.value)
        return self if begun == before else Beginnings(begun=begun)
