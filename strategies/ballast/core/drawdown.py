"""How far an account is below a former value of it, and what a limit on that leaves."""

import math

# Wider than drawdowns are rounded.
_MARGIN = 1e-9


def is_equity(value: float) -> bool:
    """Whether a value is one that an account can have; one that is not known is none."""
    return 0 < value < math.inf


def drawdown_pct(high: float, equity: float) -> float:
    """
    How far an equity is below a former one, percent of it.

    Rounded: 8 % below is 8, not 7.999999999999996, which no limit of 8 would notice.
    """
    return round(100 * (1 - equity / high), 9)


def equity_above(high: float, fall_pct: float) -> float:
    """An equity above which an account is less than so many percent below a former one."""
    return high * (1 - fall_pct / 100) * (1 + _MARGIN)


def equity_below(high: float, fall_pct: float) -> float:
    """An equity up to which it is at least so many percent below."""
    return high * (1 - fall_pct / 100) * (1 - _MARGIN)


def floor_of(limit_pct: float, high: float) -> float:
    """The equity that is a limit below a former one."""
    return high * (1 - limit_pct / 100)
