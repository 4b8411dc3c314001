"""Where a bot stands, on one screen: the same in a terminal, in Telegram and in the panel."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ballast.core.account import Account, Gauge, OpenPosition
from ballast.core.decision import Decision, Outcome
from ballast.core.events import Event
from ballast.core.measures import duration, measure, number, share
from ballast.core.reasons import Reason
from ballast.core.sentences import with_numbers
from ballast.core.verdict import Verdict
from ballast.core.wording import distance, said

# What a gauge is called, by the code that has its limit, in the order in which they are shown.
GAUGES: Mapping[str, str] = {
    Reason.DAILY_LOSS: "day's loss",
    Reason.WEEKLY_LOSS: "week's loss",
    Reason.DRAWDOWN: "drawdown step",
    Reason.ROLLING_DRAWDOWN: "rolling limit",
    Reason.DRAWDOWN_LIMIT: "last limit",
    Reason.PORTFOLIO_HEAT: "heat",
    Reason.EXPOSURE_CAP: "exposure",
}
# Signs of a bar and of a name, in a terminal and on a telephone.
_BARS = {False: 20, True: 8}
_NAMES = {False: 16, True: 12}
_MOST = 5
NEW = "new: filled after that candle; R counts from its own first close"
# A candle and this later the next one ought to be there.
_LATE = timedelta(minutes=3)


@dataclass(frozen=True)
class Status:
    """
    What is known of a bot.

    Parameters
    ----------
    now : datetime
        UTC.
    candle : timedelta
        Length of one.
    account : Account or None
        At the newest candle; None before the first.
    decisions : sequence of Decision
        By the newest candle, one for each pair.
    refusals : sequence of Event
        Entries refused lately, in order.
    """

    strategy: str
    timeframe: str
    now: datetime
    candle: timedelta
    account: Account | None
    decisions: Sequence[Decision]
    refusals: Sequence[Event]

    @property
    def ended(self) -> datetime | None:
        """When the newest candle ended (UTC)."""
        return self.account.candle + self.candle if self.account is not None else None

    @property
    def late(self) -> timedelta | None:
        """How long the next candle is overdue; None where it is not."""
        if self.ended is None:
            return None
        overdue = self.now - (self.ended + self.candle)
        return overdue if overdue > _LATE else None

    @property
    def until(self) -> datetime:
        """What 'lately' counts back from: now, or the newest candle's end if it is late."""
        return self.ended if self.late is not None and self.ended is not None else self.now

    @property
    def quote(self) -> str:
        """The stake currency, as far as pairs tell."""
        pair = next(iter(self.decisions), None)
        return pair.pair.partition("/")[2].partition(":")[0] if pair is not None else ""


def lines(status: Status, *, narrow: bool = False) -> Iterator[str]:
    """The screen, line by line, for a terminal or a telephone; an empty one is between parts."""
    yield f"{status.strategy} {status.timeframe}  {_state(status)}"
    account = status.account
    yield _when(status)
    if account is None:
        return
    yield f"equity {measure(Reason.NO_SIZE, account.equity, f'/{status.quote}')}"
    yield ""
    for code, name in GAUGES.items():
        if code in account.gauges:
            yield gauge_line(name, account.gauges[code], narrow=narrow)
    yield f"{'entry size':<{_NAMES[narrow]}}{share(account.multiplier):>8}"
    yield from (f"  {line}" for line in guard_lines(account.guards))
    yield ""
    yield from (_told if narrow else _positions)(status, account.positions)
    blocked = pair_blocks(status.decisions)
    if blocked:
        yield ""
        yield "guards of single pairs"
        yield from (f"  {line}" for line in blocked[:_MOST])
        if len(blocked) > _MOST:
            yield f"  and {len(blocked) - _MOST} more"
    yield ""
    yield from _refusals(status.refusals)
    yield from _nearest(status.decisions)


def gauge_line(name: str, gauge: Gauge, *, narrow: bool = False) -> str:
    """'heat 1.2 % of 2 %' with a bar of how much of it is used."""
    value = gauge_value(gauge)
    if not math.isfinite(gauge.limit):
        return f"{name:<{_NAMES[narrow]}}{value:>8}"
    told = f"{name:<{_NAMES[narrow]}}{value:>8} of {gauge_limit(gauge):<6}"
    return f"{told} {bar(gauge, _BARS[narrow])}{gained(gauge)}"


def gauge_value(gauge: Gauge) -> str:
    """How much of a limit is used, in percent; nothing of a loss that is a gain."""
    return f"{number(max(round(gauge.value, 3), 0.0), 3)} %"


def gauge_limit(gauge: Gauge) -> str:
    """The limit in percent, as far as a column has room for it."""
    return f"{number(round(gauge.limit, 2), 3)} %"


def gained(gauge: Gauge) -> str:
    """', up 1.53 %' where a loss is a gain; else empty."""
    gain = round(-gauge.value, 3)
    return f", up {number(gain, 3)} %" if gain > 0 else ""


def bar(gauge: Gauge, width: int) -> str:
    """How much of a limit is used, in so many signs."""
    full = round(used_share(gauge) * width)
    return "#" * full + "-" * (width - full)


def used_share(gauge: Gauge) -> float:
    """How much of a limit is used, 0 to 1; 0 where either is not known."""
    if not (math.isfinite(gauge.value) and gauge.limit > 0):
        return 0.0
    return max(0.0, min(gauge.value / gauge.limit, 1.0))


def guard_lines(guards: Mapping[str, Verdict]) -> list[str]:
    """What each guard that objects does, and why."""
    return [
        f"{name} {'blocks' if v.blocks else f'cuts sizes to {share(v.multiplier)}'}: {v}"
        for name, v in guards.items()
    ]


def pair_blocks(decisions: Sequence[Decision]) -> list[str]:
    """Guards that block single pairs; what blocks most of them is told of the whole market."""
    found = []
    for decision in decisions:
        for name, verdict in decision.guards.items():
            everywhere = sum(name in other.guards for other in decisions)
            if verdict.blocks and everywhere < len(decisions):
                found.append(f"{decision.pair} {name}: {verdict}")
    return found


def _state(status: Status) -> str:
    if status.account is None:
        return "STARTING"
    return str(status.account.state)


def seen(status: Status) -> str:
    """By which candle all of it is told, and whether the next one is overdue."""
    if status.ended is None:
        return "no candle has been judged yet"
    ended = f"by the candle that ended {status.ended:%Y-%m-%d %H:%M} UTC"
    if status.late is None:
        return ended
    late = duration(status.late.total_seconds())
    return f"{ended}; NOTHING NEWER, the next is {late} overdue: does the bot run?"


def _when(status: Status) -> str:
    if status.ended is None or status.late is not None:
        return seen(status)
    wait = max(status.ended + status.candle - status.now, timedelta())
    return f"{seen(status)}; the next ends in {duration(wait.total_seconds())}"


def is_new(status: Status, held: OpenPosition) -> bool:
    """Whether a position has been filled after the candle by which all else is told."""
    return status.ended is not None and held.opened >= status.ended


def _positions(status: Status, positions: Sequence[OpenPosition]) -> Iterator[str]:
    if not positions:
        yield "no open position"
        return
    yield f"{'position':<14}{'entry':>10}{'stop':>10}{'close':>10}{'now':>9}{'at risk':>14}"
    for held in positions:
        prices = f"{number(held.entry):>10}{number(held.stop):>10}{number(held.close):>10}"
        risk = f"{number(held.risk, 4)} {status.quote}"
        now = "new" if is_new(status, held) else f"{held.r:+.2f} R"
        yield f"{held.pair:<14}{prices}{now:>9}{risk:>14}"
    if any(is_new(status, held) for held in positions):
        yield NEW


def _told(status: Status, positions: Sequence[OpenPosition]) -> Iterator[str]:
    """The same on a telephone."""
    if not positions:
        yield "no open position"
    for held in positions:
        now = "new" if is_new(status, held) else f"{held.r:+.2f} R"
        yield f"{held.pair} {now}, {number(held.risk, 4)} {status.quote} at risk"
        yield f"  {number(held.entry)}, stop {number(held.stop)}, now {number(held.close)}"


def _refusals(refusals: Sequence[Event]) -> Iterator[str]:
    told = last_refused(refusals)
    if not told:
        return
    yield "last refused"
    yield from (f"  {line}" for line in told[-_MOST:])
    yield ""


def last_refused(refusals: Sequence[Event]) -> list[str]:
    """Of each pair and code the last refusal, in order."""
    last = {(event.pair, event.code): event for event in refusals}
    return [f"{e.at:%m-%d %H:%M} {e.pair}: {with_numbers(e)}" for e in last.values()]


def _nearest(decisions: Sequence[Decision]) -> Iterator[str]:
    waiting = nearest(decisions)
    if not waiting:
        return
    yield "nearest to an entry"
    for decision in waiting[:_MOST]:
        yield f"  {decision.pair}: {unmet_line(decision)}"


def nearest(decisions: Sequence[Decision]) -> list[Decision]:
    """Pairs without a signal, those with the fewest rules unmet first."""
    found = [each for each in decisions if each.outcome is Outcome.NO_SIGNAL and each.unmet()]
    return sorted(found, key=lambda decision: len(decision.unmet()))


def unmet_line(decision: Decision) -> str:
    """The first rule that is not met and how far it is away; how many of how many."""
    unmet = decision.unmet()
    name, reading = next(iter(unmet.items()))
    away = distance(reading.value, reading.limit, decision.close, decision.atr)
    count = f"{len(unmet)} of {len(decision.setups[decision.setup])} rules unmet"
    return f"{said(name, reading)}{f' ({away})' if away else ''}, {count}"
