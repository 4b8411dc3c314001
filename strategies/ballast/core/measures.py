"""What a code saw against what it allows, in one wording for log, Telegram, locks and commands."""

import math
from datetime import datetime

from ballast.core.reasons import Reason, reason_of
from ballast.core.trust import DataQuality

# What a limit is called where it is not the most that is allowed.
_NAMED = {
    "price asked",
    "stop before",
    "price of the order",
    "cap",
    "stop",
    "loss decided",
    "equity after it",
}
# Codes that object to too little.
_LEAST = {
    Reason.NO_SIZE,
    Reason.DEPTH_THIN,
    Reason.BALANCE_SHORT,
    Reason.STRATEGY_STAKE,
    Reason.DUST,
    Reason.PART_TOO_SMALL,
}
_SUFFIXES = {
    "%": " %",
    "% of equity": " %",
    "% of pairs": " % of pairs",
    "times": "x",
    "bps": " bps",
    "ATR": " ATR",
    "standard deviations": " sd",
}
# Counted, and what one of them is called.
_COUNTED = {
    "trades": "trade",
    "orders": "order",
    "entries": "entry",
    "rows": "row",
    "findings": "finding",
    "coins": "coin",
    "requests": "request",
}
# What is left of a subtraction by the computer's arithmetic.
_NOTHING = 1e-10
_SPANS = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"))


def number(value: float | bool, digits: int = 5) -> str:
    """Significant digits, without an exponent where people would not write one."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not math.isfinite(value):
        return "unknown"
    if abs(value) < _NOTHING:
        return "0"
    if 1e-4 <= abs(value) < 1e5:
        text = f"{value:.{digits}g}"
        return text if "e" not in text else f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 1e5 else f"{value:.4e}"


def duration(seconds: float) -> str:
    """A length of time as people say it: '35 s', '12 h', '3.5 d'."""
    if not math.isfinite(seconds):
        return "unknown"
    for length, unit in _SPANS:
        # Up to two minutes are seconds, up to two hours minutes, up to two days hours.
        if abs(seconds) >= 2 * length:
            return f"{number(seconds / length, 3)} {unit}"
    return f"{number(seconds, 3)} s"


def share(ratio: float) -> str:
    """A ratio in percent, as sizes are cut to."""
    return f"{number(100 * ratio, 3)} %"


def measure(code: str, value: float, pair: str = "", unit: str = "") -> str:
    """
    A number of a code with its unit.

    Parameters
    ----------
    pair : str
        Whose currencies a unit of 'quote' or 'base' means; empty leaves them out.
    unit : str
        Of the number; empty takes the code's.
    """
    reason = reason_of(code)
    unit = unit or (reason.unit if reason is not None else "")
    if not math.isfinite(value):
        return "unknown"
    if unit == "s":
        return duration(value)
    if unit == "code":
        return _quality(value)
    if unit in _SUFFIXES:
        return f"{number(value, 3)}{_SUFFIXES[unit]}"
    if unit in _COUNTED:
        return f"{number(value)} {_COUNTED[unit] if value == 1 else unit}"
    base, _, quote = pair.partition("/")
    currency = {"quote": quote.partition(":")[0], "base": base}.get(unit, "")
    return f"{number(value)} {currency}".rstrip()


def against(
    code: str,
    value: float,
    limit: float,
    pair: str = "",
    began: float = math.nan,
    until: datetime | None = None,
    below: float = math.nan,
    unit: str = "",
) -> str:
    """
    What was seen, what would have been allowed, and how long it holds.

    'began at 1.6x (limit 1x), now 0.62x, until 2024-03-01 00:00 UTC'; without a beginning
    '3 USDT (needed 10 USDT)'. Empty where the code has no numbers.

    Parameters
    ----------
    began : float
        Value at which a block or cut began; NaN where it begins and ends with this candle.
    until : datetime or None
        When it ends by itself (UTC).
    below : float
        Value below which it ends; NaN where time or its cause ends it.
    unit : str
        Of value and limit where the code measures several things; empty takes the code's.
    """
    reason = reason_of(code)
    parts = []
    if reason is None or reason.seen:
        first = began if math.isfinite(began) else value
        if math.isfinite(first) or math.isfinite(limit):
            if reason is Reason.DATA_OUTAGE and limit == DataQuality.OK:
                # A row from before its unit was written.
                unit = "code"
            told = measure(code, first, pair, unit)
            parts.append(f"{told}{_limit(code, limit, pair, unit)}")
            if math.isfinite(began):
                parts[0] = f"began at {parts[0]}"
                now = told if value == began else measure(code, value, pair, unit)
                parts += [f"now {now}"] if now != told else []
    if until is not None:
        parts.append(f"until {until:%Y-%m-%d %H:%M} UTC")
    elif math.isfinite(below):
        parts.append(f"until below {measure(code, below, pair, unit)}")
    return ", ".join(parts)


def _limit(code: str, limit: float, pair: str, unit: str) -> str:
    reason = reason_of(code)
    if not math.isfinite(limit):
        return ""
    if reason is None:
        return f" (limit {number(limit)})"
    # A limit of nothing, or that all is well, says no more than the code.
    if not reason.allowed or reason.allowed.startswith("0") or "code" in (reason.unit, unit):
        return ""
    name = reason.allowed if reason.allowed in _NAMED else "limit"
    return f" ({'needed' if reason in _LEAST else name} {measure(code, limit, pair, unit)})"


def _quality(value: float) -> str:
    try:
        return DataQuality(int(value)).name
    except ValueError:
        return number(value)
