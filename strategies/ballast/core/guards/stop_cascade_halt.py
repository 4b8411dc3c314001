"""StopCascadeHalt: one stop after another is taken out."""

from datetime import timedelta
from typing import ClassVar

from pydantic import Field

from ballast.core.guards.base import Guard, GuardSection, Memory
from ballast.core.reasons import Reason
from ballast.core.snapshot import Snapshot
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
    follows_candles: ClassVar[bool] = False
    follows_equity: ClassVar[bool] = False

    def __init__(self, losses: int, loss_r: float, window_hours: float, pause_hours: float) -> None:
        self._losses = losses
        self._loss_r = loss_r
        self._window_s = window_hours * 3600
        self._pause = timedelta(hours=pause_hours)
        self.memory = CascadeMemory()

    def observe(self, snapshot: Snapshot) -> None:
        """Count the losses of the window, and block when they are enough."""
        new = [to_epoch(t.closed) for t in snapshot.closed if t.r <= -self._loss_r]
        if not new:
            return
        memory = self.memory
        # One that is noticed late takes the place of its closing.
        losses = sorted([*memory.losses, *new])
        memory.losses = [moment for moment in losses if moment > losses[-1] - 2 * self._window_s]
        for last in memory.losses:
            count = sum(last - self._window_s < moment <= last for moment in memory.losses)
            until = to_epoch(from_epoch(last) + self._pause)
            if count >= self._losses and until >= memory.blocked_until:
                memory.count, memory.blocked_until = count, until

    def market_verdict(self, snapshot: Snapshot) -> Verdict:
        """Block during the pause. Value and limit are numbers of losing trades."""
        if snapshot.epoch >= self.memory.blocked_until:
            return ALLOW
        until = from_epoch(self.memory.blocked_until)
        return Verdict(self.code, self.memory.count, self._losses, 0.0, until)


class StopCascadeHaltSettings(GuardSection):
    """See `StopCascadeHalt`."""

    guard: ClassVar[type[Guard]] = StopCascadeHalt

    losses: int = Field(4, ge=2, le=50)
    loss_r: float = Field(0.5, gt=0, le=5)
    window_hours: float = Field(6.0, gt=0, le=720)
    pause_hours: float = Field(12.0, gt=0, le=720)
