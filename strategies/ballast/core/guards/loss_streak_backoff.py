"""LossStreakBackoff: losses that follow each other."""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

from pydantic import Field

from ballast.core.guards.base import Guard, GuardSection, Memory
from ballast.core.reasons import Reason
from ballast.core.snapshot import ClosedTrade, Snapshot
from ballast.core.times import from_epoch, to_epoch
from ballast.core.verdict import ALLOW, Verdict

# Of a streak; of longer ones the number is kept.
_MOST_REMEMBERED = 64


class Streak(Memory):
    """
    Losses in a row, and until when entries are blocked; when the newest of the losses closed, in
    order, and when the last win did: a trade that is noticed late takes the place of its closing.
    """

    losses: int = 0
    blocked_until: float = 0.0
    closed: list[float] = Field(default_factory=list)
    won: float = 0.0


class StreakMemory(Memory):
    """The streak of all trades together and that of each pair."""

    all: Streak = Field(default_factory=Streak)
    pairs: dict[str, Streak] = Field(default_factory=dict)


class LossStreakBackoff(Guard):
    """
    Blocks entries for longer and longer while losses follow each other; a win resets it.

    From the nth loss in a row on: pause_hours * 2^(losses - n), at most `longest_hours`, where n is
    the limit of the pair or that of all trades. Streaks are normal (methods: with 55 % losers 300
    trades hold one of 8, at the median), so the limit for all trades is a sign that something is
    wrong, and that of a pair a cooldown.

    Parameters
    ----------
    pair_losses : int
        Losses in a row of one pair that block it.
    all_losses : int
        Losses in a row of all trades that block every pair.
    loss_r : float
        A trade is a loss if it lost at least this many R, and a win if it gained anything.
    pause_hours : float
        The first pause; each further loss doubles it.
    longest_hours : float
        The longest pause.
    """

    code: ClassVar[Reason] = Reason.LOSS_STREAK
    follows_candles: ClassVar[bool] = False
    follows_equity: ClassVar[bool] = False

    def __init__(
        self,
        pair_losses: int,
        all_losses: int,
        loss_r: float,
        pause_hours: float,
        longest_hours: float,
    ) -> None:
        self._pair_losses = pair_losses
        self._all_losses = all_losses
        self._loss_r = loss_r
        self._pause_hours = pause_hours
        self._longest_hours = longest_hours
        self.memory = StreakMemory()

    def observe(self, snapshot: Snapshot) -> None:
        """Continue or reset the streaks with the trades that closed."""
        for trade in snapshot.closed:
            pairs = self.memory.pairs
            if trade.pair not in pairs:
                pairs[trade.pair] = Streak()
            self._count(pairs[trade.pair], trade, self._pair_losses)
            self._count(self.memory.all, trade, self._all_losses)

    def market_verdict(self, snapshot: Snapshot) -> Verdict:
        """Block while the pause of all trades lasts. Value and limit are losses in a row."""
        return self._block(self.memory.all, self._all_losses, snapshot)

    def pair_verdicts(self, snapshot: Snapshot) -> Mapping[str, Verdict]:
        """Block pairs whose own pause lasts."""
        return {
            pair: self._block(streak, self._pair_losses, snapshot)
            for pair, streak in self.memory.pairs.items()
            if snapshot.epoch < streak.blocked_until
        }

    def _count(self, streak: Streak, trade: ClosedTrade, limit: int) -> None:
        at = to_epoch(trade.closed)
        if trade.r > 0 and at >= streak.won:
            streak.won = at
            # Of those that close at one moment the win is taken for the first.
            streak.closed = [moment for moment in streak.closed if moment >= at]
            streak.losses, streak.blocked_until = len(streak.closed), 0.0
        elif trade.r <= -self._loss_r and at >= streak.won:
            streak.losses += 1
            streak.closed = sorted([*streak.closed, at])[-_MOST_REMEMBERED:]
        else:
            return
        earlier = streak.losses - len(streak.closed)
        for number, moment in enumerate(streak.closed, earlier + 1):
            if number >= limit:
                streak.blocked_until = max(streak.blocked_until, self._end(number - limit, moment))

    def _end(self, doublings: int, moment: float) -> float:
        # The exponent is bounded: a long streak must not overflow before it is capped.
        hours = min(self._pause_hours * 2 ** min(doublings, 32), self._longest_hours)
        return to_epoch(from_epoch(moment) + timedelta(hours=hours))

    def _block(self, streak: Streak, limit: int, snapshot: Snapshot) -> Verdict:
        if snapshot.epoch >= streak.blocked_until:
            return ALLOW
        return Verdict(self.code, streak.losses, limit, 0.0, from_epoch(streak.blocked_until))


class LossStreakBackoffSettings(GuardSection):
    """See `LossStreakBackoff`."""

    guard: ClassVar[type[Guard]] = LossStreakBackoff

    pair_losses: int = Field(3, ge=1, le=50)
    all_losses: int = Field(10, ge=2, le=100)
    loss_r: float = Field(0.25, gt=0, le=5)
    pause_hours: float = Field(12.0, gt=0, le=720)
    longest_hours: float = Field(96.0, gt=0, le=2160)
