"""DrawdownLimit: the last limit on what an account may lose from its peak."""

import math
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import Field

from ballast.core.drawdown import (
    drawdown_pct,
    equity_above,
    floor_of,
    is_equity,
)
from ballast.core.guards.base import NOT_CALM, Calm, Guard, GuardSection, Memory
from ballast.core.reasons import Reason
from ballast.core.snapshot import Snapshot
from ballast.core.times import from_epoch, to_epoch
from ballast.core.verdict import ALLOW, Verdict

# What stays until a person says otherwise is announced for so long.
_UNTIL_REARMED = timedelta(days=3650)


class LimitMemory(Memory):
    """Peak of equity (quote currency), the drawdown from it, and when the limit was latched."""

    peak: float = 0.0
    drawdown_pct: float = 0.0
    latched_at: float = 0.0


class DrawdownLimit(Guard):
    """
    Ends all entries before the account has lost more than a limit from its peak.

    Protects from bleeding: a strategy that loses a little for a year passes every limit of a day
    and a week. What is open may lose no more at its stops than is left of the limit: entries that
    would are cut, and stops are drawn closer (see `Guard.floor`). Where less than `near_pct` is
    left, sizes shrink in proportion to it; where next to nothing is, the limit is latched until a
    person re-arms it. It does not protect from a gap that opens below every stop.

    Parameters
    ----------
    limit_pct : float
        Drawdown, percent of the peak, open positions counted.
    near_pct : float
        Sizes shrink where less than this is left of it, percentage points.
    least_pct : float
        The limit is latched where less than this is left, percentage points.
    """

    code: ClassVar[Reason] = Reason.DRAWDOWN_LIMIT
    follows_candles: ClassVar[bool] = False
    follows_trades: ClassVar[bool] = False

    def __init__(self, limit_pct: float, near_pct: float, least_pct: float) -> None:
        self._limit_pct = limit_pct
        self._near_pct = near_pct
        # Rounded as drawdowns are.
        self._latch_pct = round(limit_pct - least_pct, 9)
        self._unknown = False
        self.memory = LimitMemory()

    def observe(self, snapshot: Snapshot) -> None:
        """Follow the peak, and latch the limit where it is reached."""
        memory = self.memory
        self._unknown = not is_equity(snapshot.equity)
        if self._unknown:
            return
        memory.peak = max(memory.peak, snapshot.equity)
        memory.drawdown_pct = drawdown_pct(memory.peak, snapshot.equity)
        if memory.drawdown_pct > self._latch_pct and not memory.latched_at:
            memory.latched_at = to_epoch(snapshot.now)

    def calm(self, snapshot: Snapshot) -> Calm:
        """Below the peak, where it is latched or far away: near the limit sizes follow equity."""
        memory = self.memory
        if memory.latched_at and not self._unknown:
            return Calm(up_to=memory.peak)
        if self._unknown or self._left_pct < self._near_pct:
            return NOT_CALM
        near = min(self._limit_pct - self._near_pct, self._latch_pct)
        return Calm(equity_above(memory.peak, near), memory.peak)

    def market_verdict(self, snapshot: Snapshot) -> Verdict:
        """
        Block while latched, and on a candle whose equity is not known; shrink near the limit. Value
        and limit are drawdowns in percent.
        """
        memory = self.memory
        if self._unknown:
            return Verdict(self.code, math.nan, self._limit_pct, 0.0)
        if self.latched_at:
            until = self.latched_at + _UNTIL_REARMED
            return Verdict(self.code, memory.drawdown_pct, self._latch_pct, 0.0, until)
        if self._left_pct >= self._near_pct:
            return ALLOW
        multiplier = self._left_pct / self._near_pct
        return Verdict(self.code, memory.drawdown_pct, self._limit_pct, multiplier)

    @property
    def floor(self) -> float | None:
        """The limit; 0 where the peak is not known."""
        return floor_of(self._limit_pct, self.memory.peak)

    def gauge(self) -> tuple[float, float]:
        """The drawdown, and the limit."""
        return self.memory.drawdown_pct, self._limit_pct

    def flowed(self, factor: float) -> None:
        """A deposit or withdrawal moves the peak with the equity: the drawdown stays."""
        self.memory.peak *= factor

    def rearm(self) -> None:
        """Begin anew from the account as it is, because a person said so."""
        self.memory = LimitMemory(peak=self.memory.peak * (1 - self.memory.drawdown_pct / 100))

    @property
    def latched_at(self) -> datetime | None:
        """When the limit was reached."""
        return from_epoch(self.memory.latched_at) if self.memory.latched_at else None

    @property
    def _left_pct(self) -> float:
        return self._limit_pct - float(self.memory.drawdown_pct)


class DrawdownLimitSettings(GuardSection):
    """See `DrawdownLimit`."""

    guard: ClassVar[type[Guard]] = DrawdownLimit

    limit_pct: float = Field(15.0, ge=0.5, le=90)
    # The heat limit: what may be lost at once where every stop is hit.
    near_pct: float = Field(2.0, ge=0.1, le=20)
    # Below the least limit: an account at its peak is not latched.
    least_pct: float = Field(0.25, ge=0.01, le=0.4)
