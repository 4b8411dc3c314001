"""The rules of a pair, read candle by candle, and what follows from them.

One function decides, `decide`: the journal of a bot, a backtest's and an answer worked out from
candles later are the same because all of them ask it.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from ballast.core.columns import CandleColumns
from ballast.core.decision import EXIT, Decision, Outcome, Position, Reading
from ballast.core.reasons import Reason
from ballast.core.rules import Rule, with_parts
from ballast.core.trust import DataQuality
from ballast.core.verdict import Verdict, compose


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
    exits : mapping of str to mapping of str to Rule
        Exit rules by setup, read of what was entered by it.
    """

    def __init__(
        self,
        setups: Mapping[str, Mapping[str, Rule]],
        beside: Mapping[str, Rule] | None = None,
        exits: Mapping[str, Mapping[str, Rule]] | None = None,
    ) -> None:
        self.setups = {name: tuple(entry) for name, entry in setups.items()}
        self._rules = with_parts(
            {n: rule for entry in setups.values() for n, rule in entry.items()}
        )
        self._rules |= beside or {}
        self._exits = {name: with_parts(dict(rules)) for name, rules in (exits or {}).items()}

    def at(self, position: int) -> dict[str, Reading]:
        """Every rule's reading of the candle at a position."""
        return {name: _read(rule, position) for name, rule in self._rules.items()}

    def exits_at(self, setup: str, position: int) -> dict[str, Reading]:
        """The same of the rules by which a setup's positions are left, each marked as such."""
        rules = self._exits.get(setup, {})
        return {f"{EXIT}{name}": _read(rule, position) for name, rule in rules.items()}


def _read(rule: Rule, position: int) -> Reading:
    return Reading(
        rule.value.item(position),
        rule.relation,
        rule.limit.item(position),
        rule.met.item(position),
    )


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
    if held is not None and held.filled:
        rules |= rulebook.exits_at(held.setup, position)
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
