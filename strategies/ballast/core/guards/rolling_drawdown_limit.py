"""RollingDrawdownLimit: what an account may lose from its highest value of the last weeks."""

import math
from typing import ClassVar

from pydantic import Field

from ballast.core.drawdown import (
    drawdown_pct,
    equity_above,
    equity_below,
    floor_of,
    is_equity,
)
from ballast.core.guards.base import NOT_CALM, Calm, Guard, GuardSection, Memory
from ballast.core.reasons import Reason
from ballast.core.snapshot import Snapshot
from ballast.core.times import from_epoch
from ballast.core.verdict import ALLOW, Verdict

_DAY_S = 86_400


class RollingMemory(Memory):
    """Highest equity (quote currency) of each UTC day of the window, by the day's number."""

    highs: dict[int, float] = Field(default_factory=dict)
    drawdown_pct: float = 0.0


class RollingDrawdownLimit(Guard):
    """
    Holds the account within a limit below its highest value of the last days.

    Protects from a crash that comes in waves: each passes the limits of a day and of a week, and a
    strategy that buys every dip is there for all of them. What is open may lose no more at its
    stops than is left of the limit: entries that would are cut, and stops are drawn closer (see
    `Guard.floor`). Where next to nothing is left, nothing is entered until the high has left
    the window. It does not protect from a gap that opens below every stop.

    Parameters
    ----------
    limit_pct : float
        Drawdown, percent of the highest equity of the window, open positions counted.
    window_days : int
        UTC days, today included.
    least_pct : float
        Nothing is entered where less than this is left of the limit, percentage points.
    """

    code: ClassVar[Reason] = Reason.ROLLING_DRAWDOWN
    follows_candles: ClassVar[bool] = False
    follows_trades: ClassVar[bool] = False

    def __init__(self, limit_pct: float, window_days: int, least_pct: float) -> None:
        self._limit_pct = limit_pct
        self._window_days = window_days
        # Rounded as drawdowns are.
        self._block_pct = round(limit_pct - least_pct, 9)
        self._unknown = False
        self.memory = RollingMemory()

    def observe(self, snapshot: Snapshot) -> None:
        """Follow the highest equity of each day, and forget days that have left the window."""
        memory = self.memory
        self._unknown = not is_equity(snapshot.equity)
        if self._unknown:
            return
        # A clock that was set back makes no day that would be forgotten too early.
        newest = max(memory.highs, default=-1)
        day = max(int(snapshot.epoch // _DAY_S), newest)
        memory.highs[day] = max(memory.highs.get(day, 0.0), snapshot.highest)
        if day > newest:
            for past in [known for known in memory.highs if known <= day - self._window_days]:
                del memory.highs[past]
        memory.drawdown_pct = drawdown_pct(self._high, snapshot.equity)

    def calm(self, snapshot: Snapshot) -> Calm:
        """For the rest of the day, below the window's highest, on its side of the limit."""
        highs = self.memory.highs
        if self._unknown or not highs:
            return NOT_CALM
        high, until = self._high, (max(highs) + 1.0) * _DAY_S
        if self.memory.drawdown_pct > self._block_pct:
            return Calm(0.0, equity_below(high, self._block_pct), until)
        return Calm(equity_above(high, self._block_pct), high, until)

    def market_verdict(self, snapshot: Snapshot) -> Verdict:
        """
        Block at the limit until the high has left the window, and on a candle whose equity is not
        known. Value and limit are drawdowns in percent.
        """
        if self._unknown:
            return Verdict(self.code, math.nan, self._limit_pct, 0.0)
        if self.memory.drawdown_pct <= self._block_pct:
            return ALLOW
        highest_on = max(day for day, high in self.memory.highs.items() if high == self._high)
        until = from_epoch((highest_on + self._window_days) * _DAY_S)
        return Verdict(self.code, self.memory.drawdown_pct, self._block_pct, 0.0, until)

    @property
    def floor(self) -> float | None:
        """The limit; 0 where no high is known."""
        return floor_of(self._limit_pct, self._high)

    def gauge(self) -> tuple[float, float]:
        """The drawdown from the window's highest, and the limit."""
        return self.memory.drawdown_pct, self._limit_pct

    def flowed(self, factor: float) -> None:
        """A deposit or withdrawal moves the highs with the equity: the drawdown stays."""
        self.memory.highs = {day: high * factor for day, high in self.memory.highs.items()}

    @property
    def _high(self) -> float:
        return max(self.memory.highs.values(), default=0.0)


class RollingDrawdownLimitSettings(GuardSection):
    """See `RollingDrawdownLimit`."""

    guard: ClassVar[type[Guard]] = RollingDrawdownLimit

    limit_pct: float = Field(3.5, ge=0.5, le=90)
    window_days: int = Field(28, ge=1, le=365)
    least_pct: float = Field(0.25, ge=0.01, le=0.4)
