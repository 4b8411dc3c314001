"""Trades of a bot beside those of its replay, and where the money between them went."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ballast.core.times import candle_border
from ballast.research.drift.layers import Difference, DriftLayer
from ballast.research.drift.record import Fill, Part, Traded

_BPS = 10_000
# Entries of the same signal, and exits by the same rule, may be so many candles apart.
_LATEST_CANDLES = 3
# A stop that is reached at the end of a candle is seen by a bot's next loop.
_NEXT_LOOP = timedelta(minutes=1)
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

    def in_time(self, late: timedelta) -> bool:
        """Whether the bot's order was placed at the replay's time; a stop fills when it may."""
        return self.kind == "stop" or abs(self.late) <= late

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
    exits : float
        Of those that both left, at another time or for another reason: from the replay's price
        decided on to the bot's fill.
    missed : float
        Net profit of trades that only the replay made, less that of those only the bot made.
    """

    delay: float
    execution: float
    fees: float
    exits: float
    missed: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.delay + self.execution + self.fees + self.exits + self.missed


@dataclass(frozen=True)
class Matched:
    """
    Trades that both made, as pairs of bot and replay, and those that only one of them did.

    Parameters
    ----------
    candle : timedelta
        Length of one: what lies further apart is not the same order.
    """

    both: tuple[tuple[Traded, Traded], ...]
    missed: tuple[Traded, ...]
    extra: tuple[Traded, ...]
    candle: timedelta

    def fills(self) -> list[FillPair]:
        """Entries, and parts and exits that both sold for the same reason at the same time."""
        return [fill for bot, replay in self.both for fill in self.fills_of(bot, replay)]

    def _exits_apart(self) -> Iterator[float]:
        """Quote currency that exits which are not the same have cost."""
        for bot, replay in self.both:
            if bot.leave and replay.leave and not self.same_exit(bot, replay):
                yield bot.last_amount * (replay.leave.asked - bot.leave.price)

    def fills_of(self, bot: Traded, replay: Traded) -> Iterator[FillPair]:
        """Those of one trade."""
        yield FillPair(bot.pair, "entry", bot.amount, bot.enter, replay.enter)
        for own, other in zip(bot.parts, replay.parts, strict=False):
            if self._is_same(own, other):
                yield FillPair(bot.pair, "exit", own.amount, own.fill, other.fill)
        if bot.leave is not None and replay.leave is not None and self.same_exit(bot, replay):
            kind = "stop" if _is_stop(replay.reason) else "exit"
            yield FillPair(bot.pair, kind, bot.last_amount, bot.leave, replay.leave)

    def same_exit(self, bot: Traded, replay: Traded) -> bool:
        """Both open, or left for the same reason at the same time; a trailed stop is a stop."""
        if bot.leave is None or replay.leave is None:
            return bot.leave is replay.leave
        if _is_stop(bot.reason) and _is_stop(replay.reason):
            # A replay's stop fills at the border of its candle, whenever it was reached within it.
            after = bot.leave.at - candle_border(replay.leave.at, self.candle)
            return timedelta(0) <= after < self.candle + _NEXT_LOOP
        return bot.reason == replay.reason and self._is_near(bot.leave, replay.leave)

    def same_parts(self, bot: Traded, replay: Traded) -> bool:
        """Whether both sold the same parts."""
        both = zip(bot.parts, replay.parts, strict=False)
        return len(bot.parts) == len(replay.parts) and all(self._is_same(*each) for each in both)

    def _is_same(self, bot: Part, replay: Part) -> bool:
        return bot.reason == replay.reason and self._is_near(bot.fill, replay.fill)

    def _is_near(self, bot: Fill, replay: Fill) -> bool:
        return abs(bot.at - replay.at) <= _LATEST_CANDLES * self.candle

    def shortfall(self) -> Shortfall:
        """Sums over all fills and trades."""
        fills = self.fills()
        bought = sum(fill.value for fill in fills if fill.kind == "entry")
        if not bought:
            return Shortfall(0.0, 0.0, 0.0, 0.0, 0.0)
        fees = sum(
            bot.fee * fill.value for bot, replay in self.both for fill in self.fills_of(bot, replay)
        )
        lost = sum(t.profit for t in self.missed) - sum(t.profit for t in self.extra)
        return Shortfall(
            sum(fill.delay * fill.value for fill in fills) / bought,
            sum(fill.execution * fill.value for fill in fills) / bought,
            _BPS * fees / bought,
            _BPS * sum(self._exits_apart()) / bought,
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
    return Matched(tuple(both), tuple(missed), tuple(left), candle)


def fill_differences(matched: Matched, late: timedelta) -> Iterator[Difference]:
    """
    Orders that were late or early, fills much worse than the model's, and parts and exits that are
    not the same.
    """
    candle = matched.candle
    for bot, replay in matched.both:
        for fill in matched.fills_of(bot, replay):
            yield from _of_fill(fill, candle, late)
        if not matched.same_parts(bot, replay):
            at = candle_border(bot.enter.at, candle)
            yield Difference(DriftLayer.FILLS, bot.pair, at, "parts", _sold(bot), _sold(replay))
        if not matched.same_exit(bot, replay):
            at = candle_border(_ended(bot, replay), candle)
            yield Difference(DriftLayer.FILLS, bot.pair, at, "exit", _exit(bot), _exit(replay))


def _of_fill(fill: FillPair, candle: timedelta, late: timedelta) -> Iterator[Difference]:
    at = candle_border(fill.replay.at, candle)
    if not fill.in_time(late):
        what, side = ("late", "after") if fill.late > late else ("early", "before")
        have = f"{abs(fill.late).total_seconds():.0f} s {side}, {fill.delay:+.1f} bps"
        yield Difference(
            DriftLayer.FILLS, fill.pair, at, f"{what} {fill.kind}", have, "at the candle's end"
        )
    usual = max(_NOTABLE_BPS, _TWICE * fill.modelled)
    if fill.execution > usual:
        have, wanted = f"{fill.execution:.1f} bps", f"{fill.modelled:.1f} bps"
        yield Difference(DriftLayer.FILLS, fill.pair, at, f"worse {fill.kind} fill", have, wanted)


def _sold(trade: Traded) -> str:
    """Its parts, in order."""
    parts = (f"{part.reason} {part.fill.at:%m-%d %H:%M}" for part in trade.parts)
    return ", ".join(parts) or "none"


def _is_stop(reason: str) -> bool:
    return "stop_loss" in reason or "stoploss" in reason


def _apart(one: Traded, other: Traded) -> timedelta:
    return abs(one.enter.at - other.enter.at)


def _ended(bot: Traded, replay: Traded) -> datetime:
    ends = [each.leave.at for each in (bot, replay) if each.leave is not None]
    return min(ends)


def _exit(trade: Traded) -> str:
    return f"{trade.reason} {trade.leave.at:%m-%d %H:%M}" if trade.leave else "open"
