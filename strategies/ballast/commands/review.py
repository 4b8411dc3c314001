"""`python -m ballast review`: what was unusual since a moment, on one screen, from the journal."""

import argparse
import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from rich.console import Console
from rich.markup import escape

from ballast.commands.fills import fills, worse
from ballast.commands.journals import opened, parse_since, since_in
from ballast.commands.options import add_journal, add_since, config_of
from ballast.commands.tables import table
from ballast.core.events import Event, EventKind
from ballast.core.reasons import ALL_WELL
from ballast.core.sentences import numbers
from ballast.core.wording import one_line
from ballast.journal.reader import Reader

_MOST = 5
# An analysis is slow that takes so many times the usual, and this long at least.
_SLOW_TIMES, _SLOW_S = 3.0, 2.0
# Code, how often, what else.
Line = tuple[str, str, str]

EXAMPLES = """\
ballast review --since 7d
ballast review --backtest --since 2024-01-01
"""


def add_to(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_since(parser, "1d")
    add_journal(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """
    Print the review.

    Raises
    ------
    CommandError
        With one sentence for what cannot be used.
    """
    asked = parse_since(options.since or "1d")
    with opened(options, config_of(options)) as reader:
        since, beside = since_in(reader, asked)
        _print(Console(highlight=False), reader, since, beside)


def _print(console: Console, reader: Reader, since: datetime, beside: str = "") -> None:
    outcomes, events = reader.outcomes(since), reader.events(since)
    counts: dict[str, int] = defaultdict(int)
    for outcome, _, count in outcomes:
        counts[outcome] += count
    told = ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
    console.print(
        f"{reader.strategy} since {since:%Y-%m-%d %H:%M} UTC{beside}: {told or 'no candles'}",
        style="bold",
        markup=False,
    )
    shown = table("", "code", "times", "")
    silent = []
    for name, section in _SECTIONS.items():
        lines = list(section(outcomes, events))
        if not lines:
            silent.append(name)
        for count, line in enumerate(lines[:_MOST]):
            more = f" (and {len(lines) - _MOST} more)" if len(lines) > _MOST == count + 1 else ""
            code, times, words = line
            shown.add_row("" if count else name, escape(code), times, escape(words + more))
    if shown.row_count:
        console.print(shown)
    if silent:
        console.print(f"nothing of: {', '.join(silent)}", markup=False)


Outcomes = Sequence[tuple[str, str, int]]


def _by_outcome(*wanted: str) -> Callable[[Outcomes, Sequence[Event]], Iterator[Line]]:
    def section(outcomes: Outcomes, events: Sequence[Event]) -> Iterator[Line]:
        found = [(count, code) for outcome, code, count in outcomes if outcome in wanted]
        for count, code in sorted(found, reverse=True):
            yield code, str(count), _last(e for e in events if e.code == code)

    return section


def _last(events: Iterable[Event]) -> str:
    """The last of several events with its numbers."""
    found = list(events)
    if not found:
        return ""
    event = found[-1]
    words = (f"last {event.at:%m-%d %H:%M}", event.pair.replace("*", "all pairs"), numbers(event))
    return " ".join(word for word in (*words, str(event.facts.get("detail") or "")) if word)


def _guards(_: Outcomes, events: Sequence[Event]) -> Iterator[Line]:
    begun = [e for e in events if e.kind is EventKind.GUARD and e.facts.get("state") == "begins"]
    yield from _grouped(begun, lambda event: event.code)


def _errors(_: Outcomes, events: Sequence[Event]) -> Iterator[Line]:
    failed = [e for e in events if e.kind is EventKind.INCIDENT]
    for code, times, _last_one in _grouped(failed, lambda e: f"{e.code} in {e.facts.get('where')}"):
        text = next(str(e.facts.get("text")) for e in reversed(failed) if code.startswith(e.code))
        yield code, times, one_line(text)[:70]


def _watched(_: Outcomes, events: Sequence[Event]) -> Iterator[Line]:
    told = (EventKind.WATCH, EventKind.FLOW)
    seen = [e for e in events if e.kind in told and e.code not in ALL_WELL]
    yield from _grouped(seen, lambda event: event.code)


def _grouped(events: Sequence[Event], key: Callable[[Event], str]) -> Iterator[Line]:
    groups: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        groups[key(event)].append(event)
    for code, group in sorted(groups.items(), key=lambda item: -len(item[1])):
        yield code, str(len(group)), _last(group)


def _slow(_: Outcomes, events: Sequence[Event]) -> Iterator[Line]:
    by_code: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.kind is EventKind.LATENCY and math.isfinite(event.value):
            by_code[event.code].append(event)
    for code, told in by_code.items():
        usual = statistics.median(event.value for event in told)
        slow = [e for e in told if e.value > max(_SLOW_TIMES * usual, _SLOW_S)]
        if slow:
            worst = max(slow, key=lambda event: event.value)
            yield (
                code,
                str(len(slow)),
                f"worst {worst.value:.1f} s at {worst.at:%m-%d %H:%M}, usually {usual:.2f} s",
            )


def _losses(_: Outcomes, events: Sequence[Event]) -> Iterator[Line]:
    exits = [e for e in events if e.kind is EventKind.EXIT and e.value < 0]
    for event in sorted(exits, key=lambda event: event.value):
        where = f"{event.pair}, trade {event.trade_id}, {event.at:%m-%d %H:%M}"
        yield event.code, "", f"{event.value:+.2f} % {where}"


def _drift(_: Outcomes, events: Sequence[Event]) -> Iterator[Line]:
    """How much worse than wanted orders filled, basis points."""
    by_side: dict[str, list[tuple[float, Event]]] = defaultdict(list)
    for event, wanted in fills(events):
        if wanted > 0:
            side = "stop" if event.facts["side"] == "stoploss" else str(event.facts["side"])
            by_side[side].append((10_000 * worse(event, wanted) / wanted, event))
    for side, found in by_side.items():
        mean = statistics.fmean(bps for bps, _event in found)
        worst, event = max(found, key=lambda item: item[0])
        # Rounding to the exchange's steps is no drift.
        if worst > 1:
            text = f"{mean:+.1f} basis points, worst {worst:+.1f} {event.pair}"
            yield side, str(len(found)), f"{text} {event.at:%m-%d %H:%M}"


_SECTIONS: dict[str, Callable[[Outcomes, Sequence[Event]], Iterator[Line]]] = {
    "refused": _by_outcome("REFUSED"),
    "not taken up": _by_outcome("SIGNAL", "ORDERED"),
    "guards fired": _guards,
    "not trusted": _by_outcome("UNTRUSTED", "UNSEEN"),
    "errors": _errors,
    "watched": _watched,
    "slow": _slow,
    "largest losses": _losses,
    "fills worse than wanted": _drift,
}
