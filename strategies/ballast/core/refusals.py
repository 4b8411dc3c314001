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
        super().__init__(f"{verdict} ({detail})" if detail else str(verdict))
        self.verdict = verdict
        self.detail = detail


def refused(code: Reason, value: float, limit: float, detail: str = "") -> EntryRefused:
    """An entry refused by a single check."""
    return EntryRefused(Verdict(code, value, limit, 0.0), detail)
