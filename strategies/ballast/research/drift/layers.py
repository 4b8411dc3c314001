"""Where two runs first differ about a candle: candles, indicators, signals, guards, sizing, fills.

Each layer is made from the one before, so that only the first that differs is an explanation.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from ballast.core.decision import Decision, Outcome
from ballast.research.drift.record import Key, Record

# Recursive averages of a bot, which has fewer candles behind it, have forgotten their seed to
# 0.03 %.
_INDICATORS = 1e-3
_CANDLES = 1e-9
# As long as the longest windows of indicators.
_MEMORY = timedelta(days=30)
_IN_POSITION = (Outcome.ENTERED, Outcome.HOLDING, Outcome.LEFT, Outcome.ORDERED)
# Sections of the settings that a replay has of its own, or that decide nothing.
_OWN_SECTIONS = ("costs", "journal")


class DriftLayer(StrEnum):
    """Layers in the order in which they are made."""

    SETTINGS = "settings"
    CANDLES = "candles"
    INDICATORS = "indicators"
    SIGNALS = "signals"
    GUARDS = "guards"
    SIZING = "sizing and gate"
    FILLS = "fills"


# What is yes or no, in words.
_MET = {True: "met", False: "not met"}
_HELD = {True: "held", False: "not held"}
_POSITIONS = (DriftLayer.SIZING, DriftLayer.FILLS)
SIGNAL_LAYERS = (DriftLayer.CANDLES, DriftLayer.INDICATORS, DriftLayer.SIGNALS)


@dataclass(frozen=True)
class Difference:
    """
    Something that differs.

    Parameters
    ----------
    at : datetime or None
        Opening time of the candle (UTC); None where it is about the whole run.
    what : str
        Which value or verdict.
    bot, replay : str
        What each of them has.
    """

    layer: DriftLayer
    pair: str
    at: datetime | None
    what: str
    bot: str
    replay: str


@dataclass(frozen=True)
class Comparison:
    """
    Decisions of two runs beside each other.

    Parameters
    ----------
    compared : int
        Candles of pairs that both had to decide about.
    alike : int
        Those whose candle, indicators and signals are the same.
    """

    compared: int
    alike: int
    differences: tuple[Difference, ...]

    @property
    def signal_match(self) -> float:
        """Share of candles with the same signals (ratio); NaN where there is none."""
        return self.alike / self.compared if self.compared else math.nan


def compare(bot: Record, replay: Record) -> Comparison:
    """First difference of every candle of every pair, and settings that differ."""
    found = list(settings_differences(bot.settings, replay.settings))
    keys = sorted(set(bot.decisions) | set(replay.decisions), key=lambda key: (key[1], key[0]))
    # Before its first and after its last row, the bot was not asked.
    known = [key[1] for key in bot.decisions]
    keys = [key for key in keys if min(known) <= key[1] <= max(known)]
    alike, broken, apart = 0, dict[str, datetime](), set[str]()
    for key in keys:
        one, other = bot.decisions.get(key), replay.decisions.get(key)
        difference = first_difference(key, one, other)
        if difference is None or difference.layer not in SIGNAL_LAYERS:
            alike += 1
        if difference is not None and not (key[0] in apart and difference.layer in _POSITIONS):
            found.append(_explained(difference, broken))
        # That one holds what the other has not follows from the candle at which it began.
        (apart.add if _is_apart(one, other) else apart.discard)(key[0])
    return Comparison(len(keys), alike, tuple(found))


def first_difference(key: Key, bot: Decision | None, replay: Decision | None) -> Difference | None:
    """The first layer in which two decisions about the same pair and candle differ, or None."""
    if bot is None or replay is None:
        have = ["no row" if each is None else each.outcome.value for each in (bot, replay)]
        return Difference(DriftLayer.CANDLES, *key, "decision", *have)
    for layer, what, left, right in _checks(bot, replay):
        if left != right:
            return Difference(layer, *key, what, _text(left), _text(right))
    return None


def _is_apart(one: Decision | None, other: Decision | None) -> bool:
    """Whether one run holds a position that the other does not."""
    held = [each is not None and each.outcome in _IN_POSITION for each in (one, other)]
    return held[0] != held[1]


def _explained(difference: Difference, broken: dict[str, datetime]) -> Difference:
    """
    An indicator that has an unlike candle behind it differs because of the candle. `broken` is
    when each pair's candles last differed, and is kept.
    """
    if difference.at is None:
        return difference
    since = broken.get(difference.pair)
    if difference.layer is DriftLayer.CANDLES:
        broken[difference.pair] = difference.at
    elif difference.layer is DriftLayer.INDICATORS and since and difference.at - since <= _MEMORY:
        what = f"{difference.what}, by the candle of {since:%m-%d %H:%M}"
        return replace(difference, layer=DriftLayer.CANDLES, what=what)
    return difference


def settings_differences(
    bot: Sequence[Mapping[str, Any]], replay: Sequence[Mapping[str, Any]]
) -> Iterator[Difference]:
    """Settings of each version of the bot that are not those of the replay."""
    expected = _flat(replay[-1]) if replay else {}
    seen: set[tuple[str, str]] = set()
    for version in bot:
        given = _flat(version)
        for name in sorted(set(given) | set(expected)):
            have, wanted = _text(given.get(name)), _text(expected.get(name))
            if have != wanted and (name, have) not in seen:
                seen.add((name, have))
                yield Difference(DriftLayer.SETTINGS, "", None, name, have, wanted)


def _checks(bot: Decision, replay: Decision) -> Iterator[tuple[DriftLayer, str, Any, Any]]:
    """Layer, name and the two values, in order; numbers that are near enough are made equal."""
    yield DriftLayer.CANDLES, "decision", _decided(bot), _decided(replay)
    yield DriftLayer.CANDLES, "trust", bot.trust, replay.trust
    yield DriftLayer.CANDLES, "close", *_near(bot.close, replay.close, _CANDLES)
    yield DriftLayer.INDICATORS, "atr", *_near(bot.atr, replay.atr, _INDICATORS)
    # Exit rules are read of what is held alone, and follow from the same candles.
    rules, others = bot.read_for_entry(), replay.read_for_entry()
    yield DriftLayer.SIGNALS, "rules", sorted(rules), sorted(others)
    for name, reading in rules.items():
        other = others[name]
        yield DriftLayer.INDICATORS, name, *_near(reading.value, other.value, _INDICATORS)
        yield DriftLayer.INDICATORS, name, *_near(reading.limit, other.limit, _INDICATORS)
        yield DriftLayer.SIGNALS, name, _MET[reading.met], _MET[other.met]
    for name in sorted({*bot.guards, *replay.guards}):
        yield DriftLayer.GUARDS, name, _multiplier(bot, name), _multiplier(replay, name)
    if not (bot.outcome in _IN_POSITION or replay.outcome in _IN_POSITION):
        yield DriftLayer.SIZING, "outcome", _answer(bot), _answer(replay)
    elif not (_refused(bot) or _refused(replay)):
        one, another = (_HELD[each.outcome in _IN_POSITION] for each in (bot, replay))
        yield DriftLayer.FILLS, "position", one, another
    else:
        yield DriftLayer.SIZING, "outcome", _answer(bot), _answer(replay)


def _decided(decision: Decision) -> str:
    return decision.code if decision.outcome is Outcome.UNSEEN else "taken"


def _refused(decision: Decision) -> bool:
    return decision.outcome is Outcome.REFUSED


def _answer(decision: Decision) -> str:
    return f"{decision.outcome} {decision.code}" if _refused(decision) else decision.outcome.value


def _multiplier(decision: Decision, name: str) -> float:
    verdict = decision.guards.get(name)
    return round(verdict.multiplier, 6) if verdict is not None else 1.0


def _near(one: float | bool, other: float | bool, tolerance: float) -> tuple[Any, Any]:
    if isinstance(one, bool) or isinstance(other, bool):
        return one, other
    if math.isnan(one) and math.isnan(other):
        return None, None
    close = math.isclose(one, other, rel_tol=tolerance, abs_tol=1e-12)
    return (None, None) if close else (one, other)


def _flat(section: Mapping[str, Any], name: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in section.items():
        if not name and key in _OWN_SECTIONS:
            continue
        path = f"{name}.{key}" if name else str(key)
        flat |= _flat(value, path) if isinstance(value, Mapping) else {path: value}
    return flat


def _text(value: Any) -> str:
    if isinstance(value, float):
        return "none" if math.isnan(value) else f"{value:.6g}"
    return "none" if value is None else str(value)
