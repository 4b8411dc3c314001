"""Trades of a bot beside those of its replay, and where the money between them went."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ballast.core.times import candle_border
from ballast.research.drift.layers import Difference, DriftLayer
from ballast.research.drift.record import Fill, Traded

_BPS = 10_000
# Entries of the same signal may be so many candles apart.
_LATEST_CANDLES = 3
# A fill this much worse than the model says is worth a line: the size of a usual spread.
_NOTABLE_BPS = 5.0
_TWICE = 2.0


@dataclass(frozen=True)
class FillPair:
    """
    The same order of bot and replay.

    Parameters
    ----------
    kind : str
        'entry', 'exit' or 'stop'.
    amount : float
        Of the bot, base currency.
    """

    pair: str
    kind: str
    amount: float
    bot: Fill
    replay: Fill

    @property
    def _sign(self) -> int:
        return 1 if self.kind == "entry" else -1

    def _bps(self, now: float, before: float) -> float:
        return _BPS * self._sign * (now - before) / self.replay.asked

    @property
    def delay(self) -> float:
        """From the price decided on to that of the order (bps, worse is above 0)."""
        return self._bps(self.bot.asked, self.replay.asked)

    @property
    def execution(self) -> float:
        """From there to the fill (bps, worse is above 0)."""
        return self._bps(self.bot.price, self.bot.asked)

    @property
    def slippage(self) -> float:
        """Both together (bps)."""
        return self.delay + self.execution

    @property
    def modelled(self) -> float:
        """What the cost model charges the same fill (bps)."""
        return self._bps(self.replay.price, self.replay.asked)

    @property
    def late(self) -> timedelta:
        """How much later than the replay's the bot's order was placed."""
        return self.bot.at - self.replay.at

    @property
    def value(self) -> float:
        """Quote currency at the price decided on."""
        return self.amount * self.replay.asked


@dataclass(frozen=True)
class Shortfall:
    """
    Implementation shortfall (Perold 1988): what lies between trading on paper at the prices decided
    on and what was got, in basis points of what was bought; above 0 is lost.

    Parameters
    ----------
    delay, execution, fees : float
        Of trades that both made.
    missed : float
        Net profit of trades that only the replay made, less that of those only the bot made.
    """

    delay: float
    execution: float
    fees: float
    missed: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.delay + self.execution + self.fees + self.missed


@dataclass(frozen=True)
class Matched:
    """Trades that both made, as pairs of bot and replay, and those that only one of them did."""

    both: tuple[tuple[Traded, Traded], ...]
    missed: tuple[Traded, ...]
    extra: tuple[Traded, ...]

    def fills(self) -> list[FillPair]:
        """Entries, and parts and exits that both sold for the same reason."""
        return [fill for bot, replay in self.both for fill in _fills(bot, replay)]

    def shortfall(self) -> Shortfall:
        """Sums over all fills and trades."""
        fills = self.fills()
        bought = sum(fill.value for fill in fills if fill.kind == "entry")
        if not bought:
            return Shortfall(0.0, 0.0, 0.0, 0.0)
        fees = sum(
            bot.fee * fill.value for bot, replay in self.both for fill in _fills(bot, replay)
        )
        lost = sum(t.profit for t in self.missed) - sum(t.profit for t in self.extra)
        return Shortfall(
            sum(fill.delay * fill.value for fill in fills) / bought,
            sum(fill.execution * fill.value for fill in fills) / bought,
            _BPS * fees / bought,
            _BPS * lost / bought,
        )


def match(bot: Sequence[Traded], replay: Sequence[Traded], candle: timedelta) -> Matched:
    """Trades of the same pair whose entries are at most three candles apart, nearest first."""
    left = list(bot)
    both, missed = [], []
    for wanted in replay:
        near = [each for each in left if each.pair == wanted.pair]
        found = min(near, key=lambda each: _apart(each, wanted), default=None)
        if found is None or _apart(found, wanted) > _LATEST_CANDLES * candle:
            missed.append(wanted)
            continue
        left.remove(found)
        both.append((found, wanted))
    return Matched(tuple(both), tuple(missed), tuple(left))


def fill_differences(matched: Matched, candle: timedelta, late: timedelta) -> Iterator[Difference]:
    """
    Orders that were late, fills much worse than the model's, and parts and exits that are not the
    same.
    """
    for bot, replay in matched.both:
        for fill in _fills(bot, replay):
            yield from _of_fill(fill, candle, late)
        if _reasons(bot) != _reasons(replay):
            at = candle_border(bot.enter.at, candle)
            yield Difference(DriftLayer.FILLS, bot.pair, at, "parts", _sold(bot), _sold(replay))
        if not _same_exit(bot, replay):
            at = candle_border(_ended(bot, replay), candle)
            yield Difference(DriftLayer.FILLS, bot.pair, at, "exit", _exit(bot), _exit(replay))


def _of_fill(fill: FillPair, candle: timedelta, late: timedelta) -> Iterator[Difference]:
    at = candle_border(fill.replay.at, candle)
    # A replay's stop fills at the border of its candle, whenever within it the stop was reached.
    if fill.kind != "stop" and fill.late > late:
        have = f"{fill.late.total_seconds():.0f} s after, {fill.delay:+.1f} bps"
        yield Difference(
            DriftLayer.FILLS, fill.pair, at, f"late {fill.kind}", have, "at the candle's end"
        )
    usual = max(_NOTABLE_BPS, _TWICE * fill.modelled)
    if fill.execution > usual:
        have, wanted = f"{fill.execution:.1f} bps", f"{fill.modelled:.1f} bps"
        yield Difference(DriftLayer.FILLS, fill.pair, at, f"worse {fill.kind} fill", have, wanted)


def _fills(bot: Traded, replay: Traded) -> Iterator[FillPair]:
    yield FillPair(bot.pair, "entry", bot.amount, bot.enter, replay.enter)
    for own, other in zip(bot.parts, replay.parts, strict=False):
        if own.reason == other.reason:
            yield FillPair(bot.pair, "exit", own.amount, own.fill, other.fill)
    if bot.leave is not None and replay.leave is not None and _same_exit(bot, replay):
        kind = "stop" if "stop_loss" in replay.reason else "exit"
        yield FillPair(bot.pair, kind, bot.last_amount, bot.leave, replay.leave)


def _same_exit(bot: Traded, replay: Traded) -> bool:
    """Both open, or left for the same reason; a trailed stop is a stop."""
    if bot.leave is None or replay.leave is None:
        return bot.leave is replay.leave
    return _kind(bot.reason) == _kind(replay.reason)


def _reasons(trade: Traded) -> list[str]:
    return [part.reason for part in trade.parts]


def _sold(trade: Traded) -> str:
    """Its parts, in order."""
    return ", ".join(_reasons(trade)) or "none"


def _kind(reason: str) -> str:
    return "stop" if "stop_loss" in reason or "stoploss" in reason else reason


def _apart(one: Traded, other: Traded) -> timedelta:
    return abs(one.enter.at - other.enter.at)


def _ended(bot: Traded, replay: Traded) -> datetime:
    ends = [each.leave.at for each in (bot, replay) if each.leave is not None]
    return min(ends)


def _exit(trade: Traded) -> str:
    return f"{trade.reason} {trade.leave.at:%m-%d %H:%M}" if trade.leave else "open"
