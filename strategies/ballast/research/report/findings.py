"""Findings: what speaks against a result, in plain words, worst first; and what was checked.

A check looks at one thing of a study and answers with a finding, or None where it has nothing to
look at. Each finding carries the number it rests on and the threshold it was held against.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum

from ballast.research.report.study import Study


class Severity(IntEnum):
    """How much a finding weighs."""

    FINE = 0
    NOTE = 1
    WARNING = 2
    ALARM = 3


@dataclass(frozen=True)
class Finding:
    """
    One finding.

    Parameters
    ----------
    code : str
        Names the check, the same in every report.
    text : str
        One or two sentences for people.
    value, threshold : float
        What was measured, and where it becomes a warning; NaN where there is no such number.
    """

    code: str
    severity: Severity
    text: str
    value: float = math.nan
    threshold: float = math.nan


Check = Callable[[Study], Finding | None]


def findings(study: Study, checks: Iterable[Check]) -> list[Finding]:
    """Findings of all checks, worst first; of equal weight, in the order of the checks."""
    found = [finding for check in checks if (finding := check(study)) is not None]
    return sorted(found, key=lambda finding: -finding.severity)


def above(value: float, warning: float, alarm: float) -> Severity:
    """Severity of a value that is bad when it is high; at a threshold it counts."""
    if value >= alarm:
        return Severity.ALARM
    return Severity.WARNING if value >= warning else Severity.FINE


def below(value: float, warning: float, alarm: float) -> Severity:
    """Severity of a value that is bad when it is low: under a threshold it counts."""
    if value < alarm:
        return Severity.ALARM
    return Severity.WARNING if value < warning else Severity.FINE
