"""What was decided about a pair at a closed candle, and how far it was from the other answer.

One function decides, `decide`: the journal of a bot, a backtest's and an answer worked out from
candles later are the same because all of them ask it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from ballast.core.columns import CandleColumns
from ballast.core.data_quality import DataQuality
from ballast.core.reasons import Reason
from ballast.core.rules import PART, Rule, with_parts
from ballast.core.verdict import Verdict, compose

# The one rule of a strategy that states none: hours since its last signal, met at a signal.
THEIR_SIGNAL = "signal_hours_ago"


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


class Rulebook:
    """
    The entry rules of a pair's setups, to be read candle by candle.

    Parameters
    ----------
    setups : mapping of str to mapping of str to Rule
        Entry rules by setup, in order of precedence. Setups that share a rule share its name. The
        parts of a rule are read after it ('trigger', 'trigger.dip').
    beside : mapping of str to Rule
        What is read beside them and decides nothing.
    """

    def __init__(
        self,
        setups: Mapping[str, Mapping[str, Rule]],
        beside: Mapping[str, Rule] | None = None,
    ) -> None:
        self.setups = {name: tuple(entry) for name, entry in setups.items()}
        self._rules = with_parts(
            {n: rule for entry in setups.values() for n, rule in entry.items()}
        )
        self._rules |= beside or {}

    def at(self, position: int) -> dict[str, Reading]:
        """Every rule's reading of the candle at a position."""
        return {
            name: Reading(
                rule.value.item(position),
                rule.relation,
                rule.limit.item(position),
                rule.met.item(position),
            )
            for name, rule in self._rules.items()
        }


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
    """

    trade_id: int
    stop: float = math.nan
    stop_code: str = ""
    filled: bool = True


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

    def unmet(self) -> dict[str, Reading]:
        """The rules of the setup that came nearest which are not met, in its order."""
        names = self.setups.get(self.setup, ())
        return {name: self.rules[name] for name in names if not self.rules[name].met}


def decide(
    pair: str,
    candle: datetime,
    columns: CandleColumns | None,
    position: int,
    rulebook: Rulebook | None,
    verdicts: Mapping[str, Verdict],
    held: Position | None = None,
) -> Decision:
    """
    What is decided about a pair by the candle at a position of its columns.

    Parameters
    ----------
    position : int
        -1 where the candle is not there.
    verdicts : mapping of str to Verdict
        What each guard says of the pair.
    held : Position or None
        What the account has in the pair when the candle has ended.
    """
    guards = {name: v for name, v in verdicts.items() if v.multiplier != 1}
    if columns is None or rulebook is None or position < 0:
        seen = Decision(pair, candle, Outcome.UNSEEN, Reason.CANDLE_MISSING, guards=guards)
        return _held(seen, held) if held else seen
    trust = int(columns["trust"][position])
    rules = rulebook.at(position)
    outcome, setup, why = _answer(trust, rules, rulebook.setups, compose(verdicts.values()))
    decision = Decision(
        pair,
        candle,
        outcome,
        *why,
        trust,
        float(columns["close"][position]),
        float(columns["atr"][position]),
        setup,
        rules,
        rulebook.setups,
        guards,
    )
    return _held(decision, held) if held else decision


Why = tuple[str, float, float]


def _answer(
    trust: int,
    rules: Mapping[str, Reading],
    setups: Mapping[str, tuple[str, ...]],
    verdict: Verdict,
) -> tuple[Outcome, str, Why]:
    """Outcome, the setup it is about, and code, value and limit; for a pair that is not held."""
    unmet = {name: [rule for rule in own if not rules[rule].met] for name, own in setups.items()}
    # A setup without rules never signals.
    nearest = min(
        unmet, key=lambda name: len(unmet[name]) if setups[name] else math.inf, default=""
    )
    if trust != DataQuality.OK:
        why = Reason[DataQuality(trust).name]
        return Outcome.UNTRUSTED, nearest, (why, trust, int(DataQuality.OK))
    if not setups.get(nearest):
        return Outcome.NO_SIGNAL, nearest, (Reason.NO_RULES, 0.0, 1.0)
    if unmet[nearest]:
        name = unmet[nearest][0]
        reading = rules[name]
        return Outcome.NO_SIGNAL, nearest, (name, float(reading.value), float(reading.limit))
    if verdict.blocks:
        return Outcome.REFUSED, nearest, (verdict.code, verdict.value, verdict.limit)
    return Outcome.SIGNAL, nearest, (Reason.NOT_ASKED, math.nan, math.nan)


def _held(decision: Decision, held: Position) -> Decision:
    """The same candle, seen by one who is in the pair."""
    if not held.filled:
        return replace(
            decision, outcome=Outcome.ORDERED, code=Reason.ENTRY_UNFILLED, trade_id=held.trade_id
        )
    return replace(
        decision,
        outcome=Outcome.HOLDING,
        code=Reason.STOP,
        value=decision.close,
        limit=held.stop,
        stop=held.stop,
        stop_code=held.stop_code,
        trade_id=held.trade_id,
    )
