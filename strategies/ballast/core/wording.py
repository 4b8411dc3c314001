"""Decisions in words: numbers as a trader reads them, and how far one was from the other answer."""

import math

from ballast.core.decision import Decision, Reading


def number(value: float | bool) -> str:
    """Five significant digits, without an exponent where people would not write one."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not math.isfinite(value):
        return "unknown"
    if value == 0 or 1e-4 <= abs(value) < 1e5:
        return f"{value:.5g}"
    return f"{value:,.0f}" if abs(value) >= 1e5 else f"{value:.4e}"


def said(name: str, reading: Reading) -> str:
    """A rule with its numbers: 'breakout 101.2 > 104.9'."""
    if isinstance(reading.value, bool):
        return name if reading.met else f"not {name}"
    return f"{name} {number(reading.value)} {reading.relation} {number(reading.limit)}"


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
        parts.append(f"stake {number(sizing['stake'])}, bound by {sizing['binding']}{scaled}")
        parts.append(f"stop {number(decision.stop)}, {number(risk)} at risk")
    return "; ".join(parts)
