"""Answers to the operator's question why a pair was or was not entered at its newest candle.

The journal's own decision in the journal's own words, kept short for a telephone.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from ballast.core.decision import EXIT, THEIR_SIGNAL, Decision
from ballast.core.measures import share
from ballast.core.status import lines
from ballast.core.wording import distance, headline, said
from ballast.journal.recorder import Recorder


def why(recorder: Recorder | None, traded: Sequence[str], asked: str) -> str:
    """
    The newest decision about a pair, in a few lines.

    Parameters
    ----------
    traded : sequence of str
        Pairs that are traded now.
    asked : str
        A pair as Freqtrade writes it, or its first currency alone ('BTC').
    """
    pair = next((name for name in traded if asked in (name, name.partition("/")[0])), None)
    if pair is None:
        return f"{asked} is not traded. Traded now: {', '.join(traded)}"
    if recorder is None:
        return f"{pair}: decisions are not recorded"
    candle = recorder.signal_candle(datetime.now(UTC))
    decision = recorder.newest(pair, candle)
    if decision is None:
        return f"{pair}: nothing has been decided yet about the candle of {candle:%H:%M} UTC"
    return "\n".join(lines_of(decision))


def status_text(recorder: Recorder | None) -> str:
    """Where the run stands, for a telephone."""
    if recorder is None:
        return "decisions are not recorded"
    return "\n".join(lines(recorder.status(datetime.now(UTC)), narrow=True))


def lines_of(decision: Decision) -> Iterator[str]:
    """A decision: when, what, the rules of the setup that came nearest, guards that objected."""
    yield f"{decision.pair}, candle of {decision.candle:%Y-%m-%d %H:%M} UTC"
    yield headline(decision)
    rules = decision.setups.get(decision.setup, ())
    if rules:
        yield f"\n{decision.setup}"
        yield from (_line(decision, name) for rule in rules for name in decision.with_parts(rule))
    stated = {name for names in decision.setups.values() for name in names}
    of_setups = {part for name in stated for part in decision.with_parts(name)}
    exits = decision.exits()
    if exits:
        yield "\nleft by any of"
        yield from (_line(decision, f"{EXIT}{name}") for name in exits)
    beside = [name for name in decision.read_for_entry() if name not in of_setups]
    if beside:
        yield "\ntheir conditions, as far as columns tell"
        yield from (_line(decision, name) for name in beside)
    if decision.guards:
        yield "\nguards"
    for name, verdict in decision.guards.items():
        state = "blocks" if verdict.blocks else f"cuts sizes to {share(verdict.multiplier)}"
        yield f"{name} {state}: {verdict}"


def _line(decision: Decision, name: str) -> str:
    reading = decision.rules[name]
    away = distance(reading.value, reading.limit, decision.close, decision.atr)
    rule = f"{'+' if reading.met else '-'} {said(name.removeprefix(EXIT), reading)}"
    return f"{rule} ({away})" if away and name != THEIR_SIGNAL else rule
