"""A decision as a table that is read in five seconds: the answer first, then what led to it."""

import math
from collections.abc import Iterator
from datetime import timedelta

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ballast.commands.tables import table
from ballast.core.decision import Decision, Outcome, Reading
from ballast.core.measures import measure, number, share
from ballast.core.reasons import Reason
from ballast.core.trust import DataQuality
from ballast.core.windows import minutes
from ballast.core.wording import distance, headline
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
Fact = tuple[str, str]


def decision(console: Console, row: Row, source: str) -> None:
    """Print one decision."""
    one = row.decision
    end = one.candle + timedelta(minutes=minutes(row.timeframe))
    where = f"{one.candle:%Y-%m-%d %H:%M} to {end:%H:%M} UTC"
    console.print(f"{one.pair}  candle {where}", style="bold", markup=False)
    about = f"{row.strategy} {row.timeframe}, settings {row.settings}, {source}"
    console.print(about, style="dim", markup=False)
    console.print(headline(one), style=_STYLES[one.outcome], markup=False)
    rules = table("", "value", "needed", "met", "away by")
    rules.columns[0].no_wrap = True
    for name, value, needed, met, away in _rules(one):
        style = "yellow" if met == "no" else None
        rules.add_row(*(escape(text) for text in (name, value, needed, met, away)), style=style)
    if rules.row_count:
        console.print(rules)
    facts = Table.grid(padding=(0, 2))
    facts.add_column(no_wrap=True)
    for name, text in _facts(row):
        facts.add_row(escape(name), escape(text))
    console.print(facts)


def _rules(one: Decision) -> Iterator[Line]:
    if one.setup in one.setups:
        yield (one.setup, "", "", "", "")
        for name in (part for rule in one.setups[one.setup] for part in one.with_parts(rule)):
            yield _line(one, name, one.rules[name])
    exits = one.exits()
    if exits:
        yield ("left by any of", "", "", "", "")
        yield from (_line(one, name, reading) for name, reading in exits.items())


def _line(one: Decision, name: str, reading: Reading) -> Line:
    needed = "" if reading.relation == "is" else f"{reading.relation} "
    needed += number(reading.limit)
    away = distance(reading.value, reading.limit, one.close, one.atr)
    return (f"  {name}", number(reading.value), needed, "yes" if reading.met else "no", away)


def _facts(row: Row) -> Iterator[Fact]:
    one = row.decision
    for setup in one.setups:
        if setup != one.setup:
            unmet = [name for name in one.setups[setup] if not one.rules[name].met]
            yield setup, f"{len(unmet)} unmet: {', '.join(unmet)}" if unmet else "all rules met"
    if one.outcome is not Outcome.UNSEEN:
        yield "candle", "trusted" if one.trust == DataQuality.OK else DataQuality(one.trust).name
    yield from _guards(row)
    yield from _gate(one)
    yield from _sizing(one)
    if math.isfinite(one.stop):
        moved = f", moved by {one.stop_code}" if one.stop_code else ""
        away = distance(one.close, one.stop, one.close, one.atr)
        yield "stop", f"{measure(Reason.STOP, one.stop, one.pair)}{moved}, close {away}"


def _guards(row: Row) -> Iterator[Fact]:
    one = row.decision
    for name, verdict in one.guards.items():
        does = "blocks" if verdict.blocks else f"cuts sizes to {share(verdict.multiplier)}"
        yield name, f"{does}: {verdict}"
    silent = [name for name in row.guards if name not in one.guards]
    if one.outcome is not Outcome.UNSEEN:
        yield "other guards" if one.guards else "guards", f"{len(silent)} allow"


def _gate(one: Decision) -> Iterator[Fact]:
    for code, check in one.gate.items():
        facts = {k: v for k, v in check.items() if k not in ("value", "limit", "rate")}
        text = ", ".join(f"{k} {number(v)}" for k, v in facts.items() if isinstance(v, float))
        yield "last checks", f"{code} {text}".rstrip()


def _sizing(one: Decision) -> Iterator[Fact]:
    if "stake" not in one.sizing:
        return
    binding, scale = one.sizing["binding"], one.sizing["multiplier"]
    caps = {code: cap for code, cap in one.sizing["caps"].items() if cap is not None}
    others = sorted((cap, code) for code, cap in caps.items() if code != binding)
    scaled = f", cut to {share(scale)} by the guards" if scale != 1 else ""
    stake = measure(binding, one.sizing["stake"], one.pair)
    yield "size", f"{stake}, bound by {binding} ({number(caps.get(binding, math.nan))}){scaled}"
    if others:
        yield "next caps", ", ".join(f"{code} {number(cap)}" for cap, code in others[:2])
