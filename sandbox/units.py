"""Money in whole units of 1e-8, the smallest step of every asset on Binance.

Prices are units of the quote currency for one whole base currency. Nothing here is rounded unless
the name of the function says which way.
"""

from __future__ import annotations

import re

from sandbox.errors import ApiError, missing_parameter

DECIMALS = 8
UNIT = 10**DECIMALS
# Rates, such as fees, are kept in millionths.
MILLION = 1_000_000
_NUMBER = re.compile(r"^([0-9]{1,20})(?:\.([0-9]{1,20}))?$")


def parse(name: str, text: str) -> int:
    """Units of a decimal text.

    Raises
    ------
    ApiError
        -1102 for an empty text, -1100 for one that is no plain decimal number, -1111 for one with
        more than eight decimals that are not zero. ``name`` is the parameter's, for the message.
    """
    if not text:
        raise missing_parameter(name)
    found = _NUMBER.match(text)
    if not found:
        raise ApiError(
            -1100,
            f"Illegal characters found in parameter '{name}'; legal range is "
            r"'^([0-9]{1,20})(\.[0-9]{1,20})?$'.",
        )
    whole, decimals = found[1], (found[2] or "").rstrip("0")
    if len(decimals) > DECIMALS:
        raise ApiError(-1111, f"Parameter '{name}' has too much precision.")
    return int(whole) * UNIT + int(decimals.ljust(DECIMALS, "0"))


def text(units: int) -> str:
    """The decimal text of units, always with eight decimals."""
    sign, size = ("-", -units) if units < 0 else ("", units)
    return f"{sign}{size // UNIT}.{size % UNIT:08d}"


def from_float(value: float) -> int:
    """The nearest whole number of units: for market data, which is kept as floats."""
    return round(value * UNIT)


def value_down(price: int, amount: int) -> int:
    """Price times amount, in units of the quote currency, rounded down."""
    return price * amount // UNIT


def value_up(price: int, amount: int) -> int:
    """Price times amount, in units of the quote currency, rounded up."""
    return -(-price * amount // UNIT)


def share_down(amount: int, millionths: int) -> int:
    """A share of an amount, rounded down."""
    return amount * millionths // MILLION
