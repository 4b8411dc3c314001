"""Decisions in words: numbers as a trader reads them, and how far one was from the other answer."""

import math
from collections.abc import Callable

from ballast.core.decision import THEIR_SIGNAL, Decision, Outcome, Reading, nearest
from ballast.core.measures import against, measure, number
from ballast.core.reasons import Reason
from ballast.core.verdict import compose


def one_line(text: object) -> str:
    """A text, or what an error says, without its line breaks and indents."""
    return " ".join(str(text).split())


def said(name: str, reading: Reading) -> str:
    """A rule with its numbers: 'breakout 101.2 > 104.9'."""
    if name == THEIR_SIGNAL:
        return f"their signal is {int(reading.met)}{_last_signal(reading)}"
    if isinstance(reading.value, bool):
        return name if reading.met else f"not {name}"
    return f"{name} {number(reading.value)} {reading.relation} {number(reading.limit)}"


def _last_signal(reading: Reading) -> str:
    if reading.met:
        return ""
    known = math.isfinite(reading.value)
    return f"; last {number(reading.value)} h ago" if known else "; none before, as far as is known"


def distance(value: float | bool, limit: float | bool, close: float, atr: float) -> str:
    """
    How far a value is from its limit: in percent of the limit, and in ATR where it is a price.

    Parameters
    ----------
    close, atr : float
        Of the candle, quote currency; a value equal to the close is a price.
    """
    if isinstance(value, bool) or isinstance(limit, bool):
        return ""
    gap = value - limit
    if not math.isfinite(gap):
        return ""
    text = f"{gap:+.4g}" if limit == 0 else f"{100 * gap / abs(limit):+.2f} %"
    is_price = math.isclose(value, close, rel_tol=1e-9)
    return f"{text}, {gap / atr:+.1f} ATR" if is_price and atr > 0 else text


def explained(decision: Decision) -> str:
    """An entry in one line: its rules, size and what bound it, stop and risk."""
    names = decision.setups.get(decision.setup, ())
    rules = ", ".join(said(name, decision.rules[name]) for name in names)
    parts = [f"{decision.setup}: {rules}" if rules else decision.setup or decision.outcome.value]
    sizing = decision.sizing
    if "stake" in sizing:
        risk = float(sizing["stake"]) * float(sizing["loss_ratio"] or math.nan)
        guards = ", ".join(sorted(verdict.code for verdict in decision.guards.values()))
        scaled = f" x{sizing['multiplier']:g} by {guards}" if guards else ""
        stake = measure(sizing["binding"], sizing["stake"], decision.pair)
        parts.append(f"stake {stake}, bound by {sizing['binding']}{scaled}")
        lost = measure(sizing["binding"], risk, decision.pair)
        parts.append(f"stop {number(decision.stop)}, {lost} at risk")
    return "; ".join(parts)


def headline(decision: Decision) -> str:
    """What was decided, by what, and how far it was from the other answer, in one sentence."""
    return _HEADLINES[decision.outcome](decision)


def _no_signal(decision: Decision) -> str:
    reading = decision.rules.get(decision.code)
    if reading is None:
        return f"no signal: {decision.code}"
    if decision.code == THEIR_SIGNAL:
        return f"no entry: {said(decision.code, reading)}; {_guards_would(decision)}"
    short = _away(reading.value, reading.limit, decision)
    unmet, names = decision.unmet(), decision.setups.get(decision.setup, ())
    count = f"{len(unmet)} of {len(names)} rules of {decision.setup} unmet"
    closest = nearest(decision.rules, decision.code)
    if closest != decision.code:
        part = decision.rules[closest]
        away = _away(part.value, part.limit, decision)
        short = f", nearest is {said(closest, part)}{away}"
    # What is said of a state says already that it is not met.
    unmet_rule = decision.code if isinstance(reading.value, bool) else said(decision.code, reading)
    return f"no signal: {unmet_rule} is not met{short}; {count}"


def _guards_would(decision: Decision) -> str:
    """What the guards would have made of a signal."""
    verdict = compose(decision.guards.values())
    if verdict.blocks:
        return f"guards would have refused it ({verdict.code})"
    share = "a whole trade" if verdict.multiplier == 1 else f"{verdict.multiplier:.2g} of a trade"
    return f"guards would have allowed {share}"


def _refused(decision: Decision) -> str:
    numbers = _numbers(decision)
    detail = decision.sizing.get("detail")
    return f"refused by {decision.code}{numbers}{f', {detail}' if detail else ''}"


def _signal(decision: Decision) -> str:
    told: dict[str, str] = {
        Reason.SLOTS_FULL: "all places for trades are taken",
        Reason.PAIR_LOCKED: "a lock held the pair",
        Reason.NOT_ASKED: "nothing of Ballast's objected, and no entry was asked for",
    }
    why = told.get(decision.code, decision.code)
    return f"signal of {decision.setup}, not taken up: {why}{_numbers(decision)}"


def _entered(decision: Decision) -> str:
    size = decision.sizing
    stake = ""
    if "stake" in size:
        stake = f", stake {measure(decision.code, size['stake'], decision.pair)}"
        stake += f" bound by {decision.code}"
    verb = "entered" if decision.outcome is Outcome.ENTERED else "ordered, not filled"
    if decision.code == Reason.ENTRY_UNFILLED:
        verb = "an entry order waits to be filled"
    return f"{verb}{_trade(decision)}{stake}"


def _holding(decision: Decision) -> str:
    return (
        f"held{_trade(decision)}: close {number(decision.close)} is above its stop "
        f"{number(decision.stop)}{_away(decision.close, decision.stop, decision)}"
    )


def _left(decision: Decision) -> str:
    return f"left{_trade(decision)}: {decision.code}, result {decision.value:+.2f} %"


def _unseen(decision: Decision) -> str:
    if decision.code == Reason.CANDLE_MISSING:
        return "no decision: the candle was not there"
    return "no decision: the bot did not see this candle"


def _untrusted(decision: Decision) -> str:
    return f"not fit to act on: {decision.code}"


def _trade(decision: Decision) -> str:
    return f", trade {decision.trade_id}" if decision.trade_id is not None else ""


def _numbers(decision: Decision) -> str:
    """Of what refused, with the beginning and end that its guard gave."""
    for verdict in decision.guards.values():
        if verdict.code == decision.code and verdict.blocks:
            return f": {verdict.numbers}"
    if not math.isfinite(decision.value):
        return ""
    said = against(decision.code, decision.value, decision.limit, decision.pair)
    return f": {said}{_away(decision.value, decision.limit, decision)}" if said else ""


def _away(value: float | bool, limit: float | bool, decision: Decision) -> str:
    text = distance(value, limit, decision.close, decision.atr)
    return f" ({text})" if text else ""


_HEADLINES: dict[Outcome, Callable[[Decision], str]] = {
    Outcome.NO_SIGNAL: _no_signal,
    Outcome.REFUSED: _refused,
    Outcome.SIGNAL: _signal,
    Outcome.ORDERED: _entered,
    Outcome.ENTERED: _entered,
    Outcome.HOLDING: _holding,
    Outcome.LEFT: _left,
    Outcome.UNSEEN: _unseen,
    Outcome.UNTRUSTED: _untrusted,
}
