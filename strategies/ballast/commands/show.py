"""A decision as a table that is read in five seconds: the answer first, then what led to it."""

import math
from collections.abc import Iterator
from datetime import timedelta

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ballast.core.data_quality import DataQuality
from ballast.core.decision import Decision, Outcome
from ballast.core.windows import minutes
from ballast.core.wording import distance, headline, number
from ballast.journal.reader import Row

_STYLES = {
    Outcome.ENTERED: "bold green",
    Outcome.HOLDING: "bold green",
    Outcome.ORDERED: "bold cyan",
    Outcome.LEFT: "bold cyan",
    Outcome.NO_SIGNAL: "bold",
    Outcome.SIGNAL: "bold yellow",
    Outcome.REFUSED: "bold yellow",
    Outcome.UNTRUSTED: "bold red",
    Outcome.UNSEEN: "bold red",
}
Line = tuple[str, str, str, str, str]


def decision(console: Console, row: Row, source: str) -> None:
    """Print one decision."""
    one = row.decision
    end = one.candle + timedelta(minutes=minutes(row.timeframe))
    where = f"{one.candle:%Y-%m-%d %H:%M} to {end:%H:%M} UTC"
    console.print(
        f"{one.pair}  candle {where}  {row.strategy} {row.timeframe}, settings {row.settings}",
        markup=False,
    )
    console.print(headline(one), style=_STYLES[one.outcome], markup=False)
    table = Table("", "value", "needed", "met", "away by", box=box.SIMPLE_HEAD, pad_edge=False)
    for name, value, needed, met, away in _lines(row):
        style = {"no": "yellow", "blocks": "yellow", "decided": "bold"}.get(met)
        table.add_row(*(escape(text) for text in (name, value, needed, met, away)), style=style)
    console.print(table)
    console.print(f"({source})", style="dim", markup=False)


def _lines(row: Row) -> Iterator[Line]:
    one = row.decision
    trusted = "yes" if one.trust == DataQuality.OK else "no"
    if one.outcome is not Outcome.UNSEEN:
        yield ("candle trusted", DataQuality(one.trust).name, DataQuality.OK.name, trusted, "")
    yield from _rules(one)
    yield from _guards(row)
    yield from _gate(one)
    yield from _sizing(one)
    if math.isfinite(one.stop):
        moved = f"moved by {one.stop_code}" if one.stop_code else ""
        away = distance(one.close, one.stop, one.close, one.atr)
        yield ("stop", number(one.stop), moved, "", f"close {away}")


def _rules(one: Decision) -> Iterator[Line]:
    for setup in _shown(one):
        for name in (part for rule in one.setups[setup] for part in one.with_parts(rule)):
            reading = one.rules[name]
            needed = "" if reading.relation == "is" else f"{reading.relation} "
            needed += number(reading.limit)
            away = distance(reading.value, reading.limit, one.close, one.atr)
            met = "yes" if reading.met else "no"
            yield (f"{setup}: {name}", number(reading.value), needed, met, away)
    for setup in one.setups:
        if setup not in _shown(one):
            unmet = [name for name in one.setups[setup] if not one.rules[name].met]
            met = "no" if unmet else "yes"
            yield (f"{setup}, all", f"{len(unmet)} unmet", "0 unmet", met, ", ".join(unmet))


def _shown(one: Decision) -> list[str]:
    return [one.setup] if one.setup in one.setups else []


def _guards(row: Row) -> Iterator[Line]:
    one = row.decision
    for name, verdict in one.guards.items():
        until = f"until {verdict.until:%m-%d %H:%M}" if verdict.until else ""
        met = "blocks" if verdict.blocks else f"x {verdict.multiplier:g}"
        yield (name, number(verdict.value), number(verdict.limit), met, until)
    silent = [name for name in row.guards if name not in one.guards]
    if one.outcome is not Outcome.UNSEEN:
        yield ("other guards" if one.guards else "guards", f"{len(silent)} allow", "", "yes", "")


def _gate(one: Decision) -> Iterator[Line]:
    for code, check in one.gate.items():
        facts = {k: v for k, v in check.items() if k not in ("value", "limit", "rate")}
        text = ", ".join(f"{k} {number(v)}" for k, v in facts.items() if isinstance(v, float))
        yield (f"gate: {code}", text, "", "yes", "")


def _sizing(one: Decision) -> Iterator[Line]:
    if "stake" not in one.sizing:
        return
    binding, scale = one.sizing["binding"], one.sizing["multiplier"]
    caps = {code: cap for code, cap in one.sizing["caps"].items() if cap is not None}
    others = sorted((cap, code) for code, cap in caps.items() if code != binding)
    then = ", ".join(f"{code} {number(cap)}" for cap, code in others[:2])
    yield (f"size: {binding}", number(caps.get(binding, math.nan)), "", "decided", f"then {then}")
    scaled = f"x {scale:g} by the guards" if scale != 1 else ""
    yield ("stake", number(one.sizing["stake"]), "", "", scaled)
