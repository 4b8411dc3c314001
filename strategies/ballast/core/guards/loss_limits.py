"""DailyLossLimit and WeeklyLossLimit: enough lost for today, or for this week."""

import math
from datetime import datetime, timedelta
from typing import ClassVar, Self

from pydantic import Field, model_validator

from ballast.core.drawdown import drawdown_pct, equity_above, floor_of, is_equity
from ballast.core.guards.base import NOT_CALM, Calm, Guard, GuardSection, Memory
from ballast.core.reasons import Reason
from ballast.core.snapshot import Snapshot
from ballast.core.times import day_start, from_epoch, to_epoch, week_start
from ballast.core.verdict import ALLOW, Verdict

NOTHING, REDUCING, HALTED = 0, 1, 2


class LossMemory(Memory):
    """
    Where the period began, the loss since then, the level latched in it, and how long entries are
    blocked.
    """

    period_start: float = 0.0
    start_equity: float = 0.0
    latched: int = 0
    blocked_until: float = 0.0
    blocked_value: float = 0.0
    blocked_limit: float = 0.0
    loss_pct: float = 0.0


class LossLimit(Guard):
    """
    Blocks entries once equity, open positions included, has fallen too far within the period.

    Protects from a bad day (week) becoming a disastrous one. Latched: a recovery within the period
    does not lift it. What is open may lose no more at its stops than is left of `halted_pct`:
    entries that would are cut (see `Guard.floor`), so that it is passed by gaps alone.

    Parameters
    ----------
    reducing_pct : float
        Loss since the period began, percent, that blocks entries for the rest of it.
    halted_pct : float
        Loss that blocks them for `halt_hours`, beyond the end of the period if need be.
    halt_hours : float
        Counted from the candle that reached it.
    """

    follows_candles: ClassVar[bool] = False
    follows_trades: ClassVar[bool] = False

    def __init__(self, reducing_pct: float, halted_pct: float, halt_hours: float) -> None:
        self._reducing_pct = reducing_pct
        self._halted_pct = halted_pct
        self._halt_s = halt_hours * 3600
        self._period_end = 0.0
        self._unknown = False
        self.memory = LossMemory()

    def observe(self, snapshot: Snapshot) -> None:
        """Begin a new period where one begins; latch a loss that reaches a limit."""
        memory = self.memory
        self._unknown = not is_equity(snapshot.equity)
        if self._unknown:
            return
        if snapshot.epoch >= self._period_end or not memory.period_start:
            self._begin_period(snapshot)
        loss_pct = drawdown_pct(memory.start_equity, snapshot.equity)
        if loss_pct >= self._halted_pct:
            until = max(self._period_end, snapshot.epoch + self._halt_s)
            self._latch(HALTED, loss_pct, self._halted_pct, until)
        elif loss_pct >= self._reducing_pct:
            self._latch(REDUCING, loss_pct, self._reducing_pct, self._period_end)
        memory.loss_pct = loss_pct

    def calm(self, snapshot: Snapshot) -> Calm:
        """For the rest of the period, or of a block, above the next limit of it."""
        memory = self.memory
        if self._unknown or not memory.period_start:
            return NOT_CALM
        blocked = memory.blocked_until if memory.blocked_until > snapshot.epoch else math.inf
        until = min(self._period_end, blocked)
        if memory.latched >= HALTED:
            return Calm(until=until)
        limit = self._halted_pct
        if memory.latched < REDUCING:
            limit = min(limit, self._reducing_pct)
        return Calm(equity_above(memory.start_equity, limit), until=until)

    def flowed(self, factor: float) -> None:
        """A deposit or withdrawal moves the start of the period: the loss since then stays."""
        self.memory.start_equity *= factor

    def market_verdict(self, snapshot: Snapshot) -> Verdict:
        """
        Block while latched, and on a candle whose equity is not known. Value and limit are losses
        in percent.
        """
        if self._unknown:
            return Verdict(self.code, math.nan, self._reducing_pct, 0.0)
        memory = self.memory
        if snapshot.epoch >= memory.blocked_until:
            return ALLOW
        return Verdict(
            self.code,
            memory.loss_pct,
            memory.blocked_limit,
            0.0,
            from_epoch(memory.blocked_until),
            began=memory.blocked_value,
        )

    @property
    def floor(self) -> float | None:
        """The limit that halts; 0 where no period has begun."""
        return floor_of(self._halted_pct, self.memory.start_equity)

    def gauge(self) -> tuple[float, float]:
        """The loss of the period, and what reduces, or, once that is latched, halts."""
        reduced = self.memory.latched >= REDUCING
        return self.memory.loss_pct, self._halted_pct if reduced else self._reducing_pct

    def _begin_period(self, snapshot: Snapshot) -> None:
        start, _ = self._period(snapshot.now)
        memory = self.memory
        # A clock set back must not begin an old period again and forget the loss of this one.
        if to_epoch(start) > memory.period_start:
            memory.period_start = to_epoch(start)
            memory.start_equity = snapshot.equity
            memory.latched = NOTHING
        # That of the period which was begun, so that a restart under such a clock changes nothing.
        _, end = self._period(from_epoch(memory.period_start))
        self._period_end = to_epoch(end)

    def _latch(self, level: int, loss_pct: float, limit: float, until: float) -> None:
        """Once a period for each level: a block is not pushed on at every candle below a limit."""
        memory = self.memory
        if memory.latched >= level:
            return
        memory.latched = level
        memory.blocked_value, memory.blocked_limit = loss_pct, limit
        memory.blocked_until = max(memory.blocked_until, until)

    def _period(self, now: datetime) -> tuple[datetime, datetime]:
        raise NotImplementedError


class DailyLossLimit(LossLimit):
    """Loss limit of a UTC day."""

    code: ClassVar[Reason] = Reason.DAILY_LOSS

    def _period(self, now: datetime) -> tuple[datetime, datetime]:
        start = day_start(now)
        return start, start + timedelta(days=1)


class WeeklyLossLimit(LossLimit):
    """Loss limit of a week from Monday 00:00 UTC."""

    code: ClassVar[Reason] = Reason.WEEKLY_LOSS

    def _period(self, now: datetime) -> tuple[datetime, datetime]:
        start = week_start(now)
        return start, start + timedelta(days=7)


class LossLimitSettings(GuardSection):
    """See `LossLimit`."""

    reducing_pct: float = Field(1.5, gt=0, le=40)
    halted_pct: float = Field(3.0, gt=0, le=50)
    halt_hours: float = Field(24.0, gt=0, le=2160)

    @model_validator(mode="after")
    def _halts_later(self) -> Self:
        if self.halted_pct < self.reducing_pct:
            raise ValueError("halted_pct of at least reducing_pct")
        return self


class DailyLossLimitSettings(LossLimitSettings):
    """See `DailyLossLimit`."""

    guard: ClassVar[type[Guard]] = DailyLossLimit


class WeeklyLossLimitSettings(LossLimitSettings):
    """See `WeeklyLossLimit`."""

    guard: ClassVar[type[Guard]] = WeeklyLossLimit

    reducing_pct: float = Field(3.5, gt=0, le=40)
    halted_pct: float = Field(5.0, gt=0, le=50)
    halt_hours: float = Field(72.0, gt=0, le=2160)
