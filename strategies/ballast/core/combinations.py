"""Rules made of rules: one of several, all, the opposite, lately, for long; and by the clock."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from ballast.core.frames import nanoseconds, span_ns
from ballast.core.rules import Axis, Rule, above, at_least, at_most, below, holds, is_known
from ballast.core.windows import minutes

_DAY, _LAST_HOUR = minutes("1d"), 24
_OPPOSITE = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def between(value: pd.Series, low: pd.Series | float, high: pd.Series | float) -> Rule:
    """
    Met on candles where `value` is from `low` to `high`, both included:
    `between(pair.rsi("14h"), 40, 60)`.
    """
    return all_of(from_low=at_least(value, low), to_high=at_most(value, high))


def crossed_above(value: pd.Series, limit: pd.Series | float) -> Rule:
    """
    Met on the candle where `value` comes to exceed `limit`: one before, it did not.
    `crossed_above(pair.own.ema(12), pair.own.ema(26))`.
    """
    return all_of(is_above=above(value, limit), was_not=_before(at_most(value, limit)))


def crossed_below(value: pd.Series, limit: pd.Series | float) -> Rule:
    """
    Met on the candle where `value` comes to be less than `limit`: one before, it was not.
    `crossed_below(pair.close, pair.own.mean(50))`.
    """
    return all_of(is_below=below(value, limit), was_not=_before(at_least(value, limit)))


def any_of(**parts: Rule) -> Rule:
    """
    Met where at least one part is:
    `any_of(dip=below(pair.own.rsi(14), 30), breakout=above(pair.close, pair.highest_high("5d")))`.

    Its value is how many are, its limit 1.
    """
    return _counted(parts, 1, "any_of")


def all_of(**parts: Rule) -> Rule:
    """
    Met where every part is: one branch of an `any_of`. Its value is how many parts are met.
    `all_of(strong=above(pair.ta("ADX", 14), 25), rises=above(pair.roc("1d"), 0))`.
    """
    return _counted(parts, len(parts), "all_of")


def negated(rule: Rule) -> Rule:
    """
    Met where it is known that the rule is not: what is not known stays unmet.
    `negated(below(pair.roc("8h"), -0.05))`.
    """

    def opposite(bound: Rule) -> Rule:
        known = is_known(bound)
        met, relation, limit = known & ~bound.met, bound.relation, bound.limit
        if relation == "is":
            limit = ~limit
        else:
            relation = _OPPOSITE[relation]
        return Rule(bound.value, relation, limit, met, known, bound.parts, bound.history)

    return _of([rule], lambda _, bound: opposite(bound[0]))


def within(window: str | int, rule: Rule) -> Rule:
    """
    Met where the rule was on this candle or another that ended within the window before its end:
    `within("12h", below(pair.own.rsi(14), 30))`.

    Parameters
    ----------
    window : str or int
        A length of time such as '12h', or a number of candles of the strategy.
    """

    def lately(axis: Axis | None, bound: Rule) -> Rule:
        n = _span(window, axis, "within")
        count = _sum(bound.met, n)
        known = (count > 0) | (_sum(is_known(bound), n) == n)
        return _with_parts(count, 1, known, {"now": bound}, bound.history + n - 1)

    return _of([rule], lambda axis, bound: lately(axis, bound[0]), timed=isinstance(window, str))


def for_at_least(window: str | int, rule: Rule) -> Rule:
    """
    Met where the rule has been on every candle that ended within the window, this one included:
    `for_at_least("6h", above(pair.close, pair.ema("5d")))`.

    Its value is for how many candles it has been, no more than the window has; its limit is how
    many those are. `window` as for `within`.
    """

    def lasting(axis: Axis | None, bound: Rule) -> Rule:
        n = _span(window, axis, "for_at_least")
        position = np.arange(len(bound.met))
        last_not = np.maximum.accumulate(np.where(bound.met, -1, position))
        run = np.minimum(position - last_not, n)
        broken = _sum(is_known(bound) & ~bound.met, n) > 0
        known = broken | (run == n)
        return _with_parts(run, n, known, {"now": bound}, bound.history + n - 1)

    return _of([rule], lambda axis, bound: lasting(axis, bound[0]), timed=isinstance(window, str))


def hours(start: float, end: float) -> Rule:
    """
    Met on candles that end from `start` to before `end` (hours of the day, UTC): `hours(8, 20)`.

    The end of a candle is when its order is sent. `hours(22, 4)` is met at night.
    """
    if start == end or any(isinstance(h, bool) or not 0 <= h <= 24 for h in (start, end)):
        raise ValueError(f"hours({start!r}, {end!r}): expected two hours of the day, 0 to 24")

    def at(axis: Axis) -> Rule:
        minute = _ends(axis) % _DAY
        clock = minute // 60 + minute % 60 / 60
        bounds = {"from_start": at_least(clock, start), "to_end": below(clock, end)}
        if start > end:
            return any_of(**bounds)
        # The day's own beginning and end bound nothing: a part that is always met says nothing.
        given = {"from_start": start > 0, "to_end": end < _LAST_HOUR}
        said = {name: rule for name, rule in bounds.items() if given[name]}
        return all_of(**(said or bounds))

    return _of([], lambda axis, _: at(_there(axis)), timed=True)


def weekdays(*days: str) -> Rule:
    """
    Met on candles that end on one of the days (UTC): mon, tue, wed, thu, fri, sat, sun.
    `weekdays("mon", "tue")`.
    """
    unknown = [day for day in days if day not in WEEKDAYS]
    if unknown or not days:
        raise ValueError(
            f"weekdays({', '.join(map(repr, days))}): expected some of {', '.join(WEEKDAYS)}"
        )
    wanted = [WEEKDAYS.index(day) for day in days]

    def at(axis: Axis) -> Rule:
        # The epoch began on a Thursday.
        return holds(np.isin((_ends(axis) // _DAY + 3) % 7, wanted))

    return _of([], lambda axis, _: at(_there(axis)), timed=True)


def _of(
    rules: Sequence[Rule],
    make: Callable[[Axis | None, list[Rule]], Rule],
    *,
    timed: bool = False,
) -> Rule:
    """A rule made of others; once the candles are known, where it or one of them asks for times."""
    if not timed and all(rule.bind is None for rule in rules):
        return make(None, list(rules))
    nothing = np.zeros(0)

    def bind(axis: Axis) -> Rule:
        return make(axis, [rule.on(axis) for rule in rules])

    return Rule(nothing, "", nothing, nothing.astype(bool), bind=bind)


def _counted(parts: Mapping[str, Rule], needed: int, name: str) -> Rule:
    """Met where at least so many parts are."""
    if not parts:
        raise ValueError(f"{name}() has no parts: expected rules by name, {name}(dip=below(...))")
    for part, rule in parts.items():
        if not isinstance(rule, Rule):
            raise ValueError(f"{name}({part}={rule!r}): expected a rule, such as below(...)")

    def count(_: Axis | None, bound: list[Rule]) -> Rule:
        met = np.sum([rule.met for rule in bound], axis=0)
        open_ = np.sum([~is_known(rule) for rule in bound], axis=0)
        known = (met >= needed) | (met + open_ < needed)
        named = dict(zip(parts, bound, strict=True))
        return _with_parts(met, needed, known, named, max(rule.history for rule in bound))

    return _of(list(parts.values()), count)


def _with_parts(
    count: np.ndarray, needed: int, known: np.ndarray, parts: dict[str, Rule], history: int
) -> Rule:
    values, limits = count.astype(float), np.full(len(count), float(needed))
    return Rule(values, ">=", limits, count >= needed, known, parts, history)


def _before(rule: Rule) -> Rule:
    """The rule as it was one candle before."""

    def moved(values: np.ndarray, missing: float) -> np.ndarray:
        return np.concatenate((np.full(1, missing), values))[: len(values)]

    value, limit = (moved(values, np.nan) for values in (rule.value, rule.limit))
    met = moved(rule.met, False).astype(bool)
    return Rule(value, rule.relation, limit, met, history=rule.history + 1)


def _sum(flags: np.ndarray, n: int) -> np.ndarray:
    """How many of the last n candles are flagged."""
    total = np.concatenate((np.zeros(1, dtype=np.int64), np.cumsum(flags)))
    last = np.arange(1, len(total))
    return np.asarray(total[last] - total[np.maximum(last - n, 0)])


def _span(window: str | int, axis: Axis | None, name: str) -> int:
    """Candles of a window, one at least."""
    if isinstance(window, str):
        timeframe = _there(axis).timeframe
        try:
            n = round(minutes(window) / minutes(timeframe))
        except ValueError as error:
            raise ValueError(f"{name}({window!r}): expected {error}") from None
        if n < 1:
            raise ValueError(f"{name}({window!r}) is shorter than a candle of {timeframe}")
        return n
    if isinstance(window, bool) or not isinstance(window, int) or window < 1:
        raise ValueError(
            f"{name}({window!r}): expected a length of time such as '12h', or a number of candles"
        )
    return window


def _ends(axis: Axis) -> np.ndarray:
    """When the candles end, minutes since the epoch (UTC); NaN for one without a time."""
    ends = (nanoseconds(axis.dates) + span_ns(axis.timeframe)) // span_ns("1m")
    return np.where(axis.dates.isna(), np.nan, ends)


def _there(axis: Axis | None) -> Axis:
    if axis is None:
        raise ValueError("a rule about times is asked without candles")
    return axis
