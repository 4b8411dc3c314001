"""The one shape of a decision: allow, scale or block, with the numbers that decided."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from ballast.core.measures import against
from ballast.core.reasons import Reason

ALL_PAIRS = "*"


@dataclass(frozen=True)
class Verdict:
    """
    Answer of a guard or a check.

    Parameters
    ----------
    code : str
        A `Reason`, or its text as it was stored.
    value, limit : float
        What was seen and what would have been allowed, as `Reason` has it.
    multiplier : float
        Size allowed, from 0 (block) to 1 (allow).
    until : datetime or None
        When a block ends by itself (UTC); None where it ends with its cause.
    began : float
        Value at which a block or cut began that has gone on since; NaN where it is not known.
    below : float
        Value below which it ends where no time ends it; NaN where none is known.
    unit : str
        Of value and limit, where the code measures several things; empty where its `Reason` has it.
    """

    code: str
    value: float
    limit: float
    multiplier: float = 1.0
    until: datetime | None = None
    began: float = math.nan
    below: float = math.nan
    # Said beside the numbers; rows from before it was written decide no other thing.
    unit: str = field(default="", compare=False)

    @property
    def blocks(self) -> bool:
        """Whether no entry is allowed; a multiplier that is not a number blocks as well."""
        return not self.multiplier > 0

    @property
    def numbers(self) -> str:
        """What was seen against what is allowed, with beginning and end."""
        hold = self.began, self.until, self.below
        return against(self.code, self.value, self.limit, "", *hold, unit=self.unit)

    def begun_at(self, value: float) -> "Verdict":
        """The same, having begun at a value."""
        return Verdict(
            self.code,
            self.value,
            self.limit,
            self.multiplier,
            self.until,
            value,
            self.below,
            self.unit,
        )

    def __str__(self) -> str:
        return f"{self.code} {self.numbers}".rstrip()


ALLOW = Verdict(Reason.OK, 0.0, 0.0)


def compose(verdicts: Iterable[Verdict]) -> Verdict:
    """
    The strictest of several verdicts: the smallest multiplier, and among equals the longest block.

    Adding a verdict can only lower the result. No verdicts at all allow.
    """

    several = list(verdicts)
    if all(verdict is ALLOW for verdict in several):
        return ALLOW
    return min(several, key=_leniency)


def _leniency(verdict: Verdict) -> tuple[float, float]:
    size = 0.0 if verdict.blocks else verdict.multiplier
    end = verdict.until.timestamp() if verdict.until else 0.0
    return size, -end
