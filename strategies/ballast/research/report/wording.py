"""Numbers in plain words, the same everywhere in a report."""

import math
from collections.abc import Callable
from datetime import datetime


def percent(ratio: float, digits: int = 1) -> str:
    """A signed share: 0.123 is '+12.3 %'; '-' where there is none."""
    # What rounds to nothing has no sign.
    if round(100 * ratio, digits) == 0:
        return "0 %"
    return _known(ratio, lambda: f"{100 * ratio:+,.{_digits(ratio, digits)}f} %")


def share(ratio: float, digits: int = 0) -> str:
    """An unsigned share: 0.123 is '12 %'."""
    return _known(ratio, lambda: f"{100 * ratio:,.{digits}f} %")


def number(value: float, digits: int = 2) -> str:
    """A plain number; '-' where there is none."""
    # 'z': what rounds to nothing has no sign here either.
    return _known(value, lambda: f"{value:z,.{digits}f}")


def chance(ratio: float) -> str:
    """A chance: '54 %', 'less than 1 %'."""
    if 0 <= ratio < 0.01:
        return "less than 1 %"
    return "more than 99 %" if ratio > 0.99 else share(ratio)


def day(moment: datetime) -> str:
    """A date: '5 Mar 2021'."""
    return f"{moment.day} {moment:%b %Y}"


def days(count: float) -> str:
    """A length: '40 days', '1.5 years'."""
    if not math.isfinite(count):
        return "no length of time"
    if count >= 730:
        return f"{count / 365.25:.1f} years"
    return "1 day" if round(count) == 1 else f"{count:,.0f} days"


def counted(count: int, one: str, many: str = "") -> str:
    """A number with its noun: '1 trade', '3 trades'."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _known(value: float, text: Callable[[], str]) -> str:
    return text() if math.isfinite(value) else "-"


def _digits(ratio: float, digits: int) -> int:
    """No decimals where they are noise."""
    return 0 if abs(ratio) >= 1 else digits
