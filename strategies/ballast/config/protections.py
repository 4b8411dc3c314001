"""Entries of a list of protections: what one is, and what Freqtrade's options take."""

import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator

from ballast.core.quoting import quoted

# Asks a protection at every candle too: the one option that is not Freqtrade's.
EVERY_CANDLE = "every_candle"

# What an option takes, in words, and whether a value is one.
Taken = tuple[str, Callable[[Any], bool]]


_LARGEST = sys.float_info.max


def _is_number(value: Any, least: float = -_LARGEST, most: float = _LARGEST) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most


def _whole(most: int) -> Taken:
    return (
        f"a whole number from 1 to {most}",
        lambda value: isinstance(value, int) and _is_number(value, 1, most),
    )


def _is_time(value: Any) -> bool:
    try:
        datetime.strptime(value, "%H:%M")
    except (TypeError, ValueError):
        return False
    return True


# Ten years; of weekly candles so many that the end of a lock is a date still.
_MINUTES, _COUNT = _whole(5_256_000), _whole(100_000)
_FLAG: Taken = ("true or false", lambda value: isinstance(value, bool))

# Options that every protection has, with what they take; Freqtrade makes a number of what is given,
# or fails at a closed trade.
COMMON: dict[str, Taken] = {
    "stop_duration": _MINUTES,
    "stop_duration_candles": _COUNT,
    "lookback_period": _MINUTES,
    "lookback_period_candles": _COUNT,
    "unlock_at": ("a time of day such as '14:30'", _is_time),
    EVERY_CANDLE: _FLAG,
}
# Those of Freqtrade's own protections.
OWN: dict[str, Taken] = {
    "trade_limit": _COUNT,
    "required_profit": ("a ratio, a number", _is_number),
    "max_allowed_drawdown": ("a ratio, a number from 0", lambda value: _is_number(value, 0)),
    "calculation_mode": ("'ratios' or 'equity'", lambda value: value in ("ratios", "equity")),
    "only_per_pair": _FLAG,
    "only_per_side": _FLAG,
}


def is_entry(given: Any) -> Any:
    """
    An entry, if it says which protection it is.

    Raises
    ------
    ValueError
        With what is expected.
    """
    if not isinstance(given, dict) or not isinstance(given.get("method"), str):
        raise ValueError(
            'an entry such as {"method": "CooldownPeriod", "stop_duration_candles": 2}'
        )
    return given


ProtectionEntry = Annotated[dict[str, Any], BeforeValidator(is_entry)]


def wrong_option(entry: Mapping[str, Any], options: Mapping[str, Taken]) -> str:
    """
    The first option that is given what it does not take.

    Parameters
    ----------
    options : mapping of str to Taken
        `COMMON` or `OWN`.

    Returns
    -------
    str
        Such as "unlock_at is 5: expected a time of day such as '14:30'"; empty where there is none.
    """
    for name, (wanted, takes) in options.items():
        if name in entry and not takes(entry[name]):
            return f"{name} is {quoted(entry[name])}: expected {wanted}"
    return ""
