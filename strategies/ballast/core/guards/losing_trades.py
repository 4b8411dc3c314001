"""StopCascadeHalt and LossStreakBackoff: what the trades just closed say about the market."""

from collections.abc import Mapping
from datetime import timedelta
from typing import ClassVar

from pydantic import Field

from ballast.core.guards.base import Guard, Memory
from ballast.core.reasons import Reason
from ballast.core.snapshot import ClosedTrade, Snapshot
from ballast.core.times import from_epoch, to_epoch
from ballast.core.verdict import ALLOW, Verdict


class CascadeMemory(Memory):
    """When recent losing trades closed, and until when entries are blocked."""

    losses: list[float] = Field(default_factory=list)
    blocked_until: float = 0.0
    count: int = 0


class StopCascadeHalt(Guard):
    """
    Blocks all entries when several losing trades close within a short time.

    Protects from buying into a market that is taking out one stop after another. Losses are counted
    by result, not by the name of the exit, and not below `loss_r`: being nudged out at break-even
    is no loss.

    Parameters
    ----------
    losses : int
        Losing trades within the window that block entries.
    loss_r : float
        A trade counts that lost at least this many R.
    window_hours : float
        How close together they must close.
    pause_hours : float
        How long entries stay blocked after the last of them.
    """

    code: ClassVar[Reason] = Reason.STOP_CASCADE

    def __init__(self, losses: int, loss_r: float, window_hours: float, pause_hours: float) -> None:
        self._losses = losses
        self._loss_r = loss_r
        self._window_s = window_hours * 3600
        self._pause = timedelta(hours=pause_hours)
        self.memory = CascadeMemory()

    def observe(self, snapshot: Snapshot) -> None:
        """Count the losses of the window, and block when they are enough."""
        if not snapshot.closed:
            return
        memory = self.memory
        new = [to_epoch(t.closed) for t in snapshot.closed if t.r <= -self._loss_r]
        if not new:
            return
        recent = [*memory.losses, *new]
        memory.losses = [moment for moment in recent if moment > new[-1] - self._window_s]
        if len(memory.losses) >= self._losses:
            memory.count = len(memory.losses)
            memory.blocked_until = to_epoch(from_epoch(new[-1]) + self._pause)

    def market_verdict(self, snapshot: Snapshot) -> Verdict:
        """Block during the pause. Value and limit are numbers of losing trades."""
        if snapshot.epoch >= self.memory.blocked_until:
            return ALLOW
        until = from_epoch(self.memory.blocked_until)
        return Verdict(self.code, self.memory.count, self._losses, 0.0, until)


class Streak(Memory):
    """Losses in a row, and until when entries are blocked."""

    losses: int = 0
    blocked_until: float = 0.0


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
            pair = self.memory.pairs.setdefault(trade.pair, Streak())
            self._count(pair, trade, self._pair_losses)
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
        if trade.r > 0:
            streak.losses, streak.blocked_until = 0, 0.0
        elif trade.r <= -self._loss_r:
            streak.losses += 1
            if streak.losses >= limit:
                # The exponent is bounded: a long streak must not overflow before it is capped.
                doublings = min(streak.losses - limit, 32)
                hours = min(self._pause_hours * 2**doublings, self._longest_hours)
                end = to_epoch(trade.closed + timedelta(hours=hours))
                streak.blocked_until = max(streak.blocked_until, end)

    def _block(self, streak: Streak, limit: int, snapshot: Snapshot) -> Verdict:
        if snapshot.epoch >= streak.blocked_until:
            return ALLOW
        return Verdict(self.code, streak.losses, limit, 0.0, from_epoch(streak.blocked_until))
