"""The one shape of a decision: allow, scale or block, with the numbers that decided."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ballast.core.reasons import Reason


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
    """

    code: str
    value: float
    limit: float
    multiplier: float = 1.0
    until: datetime | None = None

    @property
    def blocks(self) -> bool:
        """Whether no entry is allowed; a multiplier that is not a number blocks as well."""
        return not self.multiplier > 0

    def __str__(self) -> str:
        end = f" until={self.until:%Y-%m-%d %H:%M}" if self.until else ""
        return f"{self.code} value={self.value:.4g} limit={self.limit:.4g}{end}"


ALLOW = Verdict(Reason.OK, 0.0, 0.0)


def compose(verdicts: Iterable[Verdict]) -> Verdict:
    """
    The strictest of several verdicts: the smallest multiplier, and among equals the longest block.

    Adding a verdict can only lower the result. No verdicts at all allow.
    """

    def leniency(verdict: Verdict) -> tuple[float, float]:
        size = 0.0 if verdict.blocks else verdict.multiplier
        end = verdict.until.timestamp() if verdict.until else 0.0
        return size, -end

    return min(verdicts, key=leniency, default=ALLOW)
