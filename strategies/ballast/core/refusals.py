"""An entry that may not be, as every check says it."""

from ballast.core.reasons import Reason
from ballast.core.verdict import Verdict


class EntryRefused(Exception):
    """
    An entry that may not be.

    Parameters
    ----------
    verdict : Verdict
        Why: code, value and limit.
    detail : str
        What the numbers do not say.
    """

    def __init__(self, verdict: Verdict, detail: str = "") -> None:
        super().__init__(verdict, detail)
        self.verdict = verdict
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.verdict} ({self.detail})" if self.detail else str(self.verdict)


def refused(code: Reason, value: float, limit: float, detail: str = "") -> EntryRefused:
    """An entry refused by a single check."""
    return EntryRefused(Verdict(code, value, limit, 0.0), detail)
