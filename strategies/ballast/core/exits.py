"""Exits about the trade itself: at a profit, when its time is up, and with a part of it."""

import functools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from numbers import Real
from typing import Self

from ballast.core.measures import duration, number
from ballast.core.rules import Axis, Rule
from ballast.core.windows import minutes

_PROFIT = re.compile(r"^(\d+(?:\.\d+)?)\s*(R|%)$")
# Beyond these nothing is ever sold.
_MOST = {"R": 100.0, "%": 1_000.0}


@dataclass(frozen=True)
class Sell:
    """
    A sale that follows from the trade and not from the market; see `sell`, which makes it.

    Raises
    ------
    ValueError
        One sentence: what was said and what is accepted.
    """

    at: str | None = None
    after: str | None = None
    share: float = 1.0
    # Rules are arrays: two sales with one are never the same.
    when: Rule | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if self.at is None and self.after is None and self.when is None:
            raise ValueError(f"{self} says none of at='2R', after='3d' and when=below(...)")
        if self.when is not None and not isinstance(self.when, Rule):
            raise ValueError(f"sell(when={self.when!r}): expected a rule such as below(...)")
        if self.at is not None:
            _profit(self.at)
        if self.after is not None:
            try:
                minutes(self.after)
            except ValueError as error:
                raise ValueError(f"sell(after={self.after!r}): expected {error}") from None
        share: object = self.share
        is_number = isinstance(share, Real) and not isinstance(share, bool)
        if not (is_number and 0 < self.share <= 1):
            raise ValueError(
                f"sell(share={share!r}): expected a number above 0 to 1, of what was bought"
            )

    def __str__(self) -> str:
        said = {"share": None if self.share == 1 else self.share, "at": self.at}
        said["after"] = self.after
        parts = [f"{name}={value!r}" for name, value in said.items() if value is not None]
        parts += ["when=..."] if isinstance(self.when, Rule) else []
        return f"sell({', '.join(parts)})"

    @property
    def is_partial(self) -> bool:
        """Whether something is left of the position afterwards."""
        return self.share < 1

    def price(self, entry: float, risk: float) -> float:
        """
        The close from which on it sells; NaN where no profit is asked for.

        Parameters
        ----------
        entry : float
            Average price paid, quote currency.
        risk : float
            One R, quote currency per unit (see `StopPlan.risk`).
        """
        if self.at is None:
            return math.nan
        amount, unit = _profit(self.at)
        return entry + (amount * risk if unit == "R" else amount / 100 * entry)

    def on(self, axis: Axis) -> Self:
        """The sale with its rule asked about these candles (see `Rule.on`)."""
        return self if self.when is None else replace(self, when=self.when.on(axis))

    def is_due(
        self, close: float, entry: float, risk: float, held_minutes: float, met: bool = False
    ) -> bool:
        """
        Whether it sells after a candle.

        Parameters
        ----------
        close : float
            Of the last completed candle; NaN where it is not known, which is no profit.
        entry, risk : float
            As for `price`.
        held_minutes : float
            From the opening of the candle in which the position began.
        met : bool
            Whether its rule is, where it has one.
        """
        if self.when is not None and not met:
            return False
        if self.after is not None and held_minutes < minutes(self.after):
            return False
        # A comparison with NaN is False, which is to stay.
        return self.at is None or close >= self.price(entry, risk)


def sell(
    *,
    at: str | None = None,
    after: str | None = None,
    when: Rule | None = None,
    share: float = 1.0,
) -> Sell:
    """
    An exit of `exit_rules` that follows from the trade: `{"target": sell(at="3R")}`.

    Parameters
    ----------
    at : str
        A profit: `"2R"` (R is what the first stop puts at risk) or `"5%"`. Met when a candle closes
        so far above the average price paid, before costs; sold at the next opening.
    after : str
        A length of time such as `"3d"`, counted in whole candles. With `at` both must be met:
        `sell(at="1%", after="1d")`.
    when : Rule
        A rule that must be met as well: `sell(at="0%", when=above(pair.own.rsi(14), 70))` leaves
        only in profit, `sell(share=0.5, when=crossed_below(pair.close, pair.ema("5d")))` sells half
        when it is met for the first time.
    share : float
        Of what was bought, above 0 to 1; once for each trade. What is left keeps its stop.
    """
    return Sell(at, after, share, when)


def shares_fault(sales: Mapping[str, Sell]) -> str:
    """What is wrong with the shares of a setup together; empty where nothing is."""
    parts = {name: sale.share for name, sale in sales.items() if sale.is_partial}
    total = sum(parts.values())
    if total < 1 - 1e-9:
        return ""
    named = f"shares of {', '.join(parts)} are {total:g} together"
    return f"{named}: expected less than 1, what is left is sold without a share"


def explained(close: float, entry: float, risk: float, held_minutes: float) -> str:
    """What a sale was decided by: profit at the last close, and how long it was held."""
    held = f"held {duration(60 * held_minutes)}"
    if not math.isfinite(close):
        return held
    gain = close - entry
    return (
        f"close {number(close)} is {gain / risk:+.2f} R, {100 * gain / entry:+.2f} % from the "
        f"entry; {held}"
    )


@functools.lru_cache(maxsize=256)
def _profit(text: str) -> tuple[float, str]:
    """Amount and unit of a profit."""
    match = _PROFIT.match(text.strip()) if isinstance(text, str) else None
    amount, unit = (float(match[1]), match[2]) if match else (math.nan, "")
    if not match or amount > _MOST[unit]:
        raise ValueError(
            f"sell(at={text!r}): expected a profit such as '2R' or '5%', "
            f"up to {_MOST['R']:g}R or {_MOST['%']:g}%"
        )
    return amount, unit
