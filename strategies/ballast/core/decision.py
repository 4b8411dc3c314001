"""What was decided about a pair at a closed candle, and how far it was from the other answer.

A reader of the journal needs no more than this; who decides is `ballast.core.rulebook`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from ballast.core.trust import DataQuality
from ballast.core.verdict import Verdict

# The one rule of a strategy that states none: hours since its last signal, met at a signal.
THEIR_SIGNAL = "signal_hours_ago"
# Between the name of a rule and that of a part of it.
PART = "."
# Before the name of an exit rule, which is read of what is held.
EXIT = "exit:"


class Outcome(StrEnum):
    """What became of a pair from the end of a candle to the end of the next."""

    UNSEEN = "UNSEEN"  # no decision was taken; `code` says why
    UNTRUSTED = "UNTRUSTED"  # the candle is not fit to act on
    NO_SIGNAL = "NO_SIGNAL"  # a rule is not met
    SIGNAL = "SIGNAL"  # all rules met, nothing of ours objected, and no entry was asked for
    REFUSED = "REFUSED"  # all rules met; a guard, the gate or the sizer refused
    ORDERED = "ORDERED"  # an entry order was let through and has not filled
    ENTERED = "ENTERED"  # it has filled
    HOLDING = "HOLDING"  # in a position, and staying
    LEFT = "LEFT"  # in a position that was left before the next candle ended


class Reading(NamedTuple):
    """A rule at one candle; NaN where a number is missing."""

    value: float | bool
    relation: str
    limit: float | bool
    met: bool


def parts_of(rules: Mapping[str, Reading], name: str) -> list[str]:
    """Names of the rules that a rule is made of."""
    start = f"{name}{PART}"
    return [one for one in rules if one.startswith(start) and PART not in one[len(start) :]]


def nearest(rules: Mapping[str, Reading], name: str) -> str:
    """
    Of a rule made of others, the part that would change its answer first; of any other, itself.

    How near a part is, is its gap as a share of the larger of value and limit: a price one percent
    away is nearer than an RSI ten percent away. Of several that must all change, the furthest.
    """
    return _nearest(rules, name)[1]


def _nearest(rules: Mapping[str, Reading], name: str) -> tuple[float, str]:
    reading = rules[name]
    value, limit = float(reading.value), float(reading.limit)
    # More of its parts must be met, or fewer where it is the opposite of a rule made of others.
    more = (reading.relation == ">=") != reading.met
    parts = [part for part in parts_of(rules, name) if rules[part].met != more]
    if parts:
        changes = limit - value if more else value - limit + 1
        return sorted(_nearest(rules, part) for part in parts)[min(int(changes), len(parts)) - 1]
    if isinstance(reading.value, bool) or not math.isfinite(value - limit):
        return math.inf, name
    return abs(value - limit) / (max(abs(value), abs(limit)) or 1.0), name


@dataclass(frozen=True)
class Position:
    """
    What is held in a pair.

    Parameters
    ----------
    stop : float
        Present stop, quote currency.
    stop_code : str
        What moved it at the last candle; empty where it stayed.
    filled : bool
        Whether the entry has filled.
    setup : str
        By which it was entered, and is left.
    """

    trade_id: int
    stop: float = math.nan
    stop_code: str = ""
    filled: bool = True
    setup: str = ""


@dataclass(frozen=True)
class Decision:
    """
    A row of the journal.

    Parameters
    ----------
    candle : datetime
        Opening time of the closed candle (UTC).
    code : str
        What decided: a rule, a guard, a check, a trust code, an exit reason.
    value, limit : float
        What was seen and what would have led to the other answer, in the unit of the code.
    trust : int
        `DataQuality` code of the candle.
    close, atr : float
        Of the candle, quote currency.
    setup : str
        The setup that signalled, or the one with the fewest rules unmet.
    rules : mapping of str to Reading
        All rules of all setups, and what is read beside them.
    setups : mapping of str to tuple of str
        Names of the rules of each setup.
    guards : mapping of str to Verdict
        What each guard that objected said; the others allowed.
    gate : mapping
        Checks before the order, as published.
    sizing : mapping
        Stake, cap that bound, all caps, multiplier, rate.
    stop : float
        Stop of the position or of the entry, quote currency.
    stop_code : str
        Why the stop moved at this candle.
    """

    pair: str
    candle: datetime
    outcome: Outcome
    code: str
    value: float = math.nan
    limit: float = math.nan
    trust: int = int(DataQuality.OK)
    close: float = math.nan
    atr: float = math.nan
    setup: str = ""
    rules: Mapping[str, Reading] = field(default_factory=dict)
    setups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    guards: Mapping[str, Verdict] = field(default_factory=dict)
    gate: Mapping[str, Any] = field(default_factory=dict)
    sizing: Mapping[str, Any] = field(default_factory=dict)
    stop: float = math.nan
    stop_code: str = ""
    trade_id: int | None = None

    def with_parts(self, name: str) -> list[str]:
        """A rule that was read, followed by those that it is made of and theirs."""
        return [one for one in self.rules if one == name or one.startswith(f"{name}{PART}")]

    def exits(self) -> dict[str, Reading]:
        """Exit rules that were read of what is held, with their parts."""
        return {n.removeprefix(EXIT): r for n, r in self.rules.items() if n.startswith(EXIT)}

    def read_for_entry(self) -> dict[str, Reading]:
        """All others."""
        return {name: r for name, r in self.rules.items() if not name.startswith(EXIT)}

    def unmet(self) -> dict[str, Reading]:
        """The rules of the setup that came nearest which are not met, in its order."""
        names = self.setups.get(self.setup, ())
        return {name: self.rules[name] for name in names if not self.rules[name].met}
