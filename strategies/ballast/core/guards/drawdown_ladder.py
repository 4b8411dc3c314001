"""DrawdownLadder: the further below its peak the account is, the smaller the next trade."""

import math
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Annotated, ClassVar, Self

from pydantic import Field, Strict, model_validator

from ballast.core.drawdown import drawdown_pct, equity_above, equity_below, is_equity
from ballast.core.guards.base import NOT_CALM, Calm, Guard, GuardSection, Memory
from ballast.core.reasons import Reason
from ballast.core.snapshot import Snapshot
from ballast.core.times import from_epoch, to_epoch
from ballast.core.verdict import ALLOW, Verdict


class LadderMemory(Memory):
    """
    Peak of equity, the rung the account stands on, until when it is halted, and whether the halt of
    this fall is over.
    """

    peak: float = 0.0
    rung: int = 0
    drawdown_pct: float = 0.0
    halted_until: float = 0.0
    served: bool = False


class DrawdownLadder(Guard):
    """
    Scales size down by steps of account drawdown, and halts at the floor.

    A discrete form of the cushion rule of Grossman and Zhou (1993): risk is proportional to what is
    left above the floor. A step is left again only once the drawdown is `hysteresis_pct` smaller
    than the one that led there. After a halt it resumes at the size of the last step, which holds
    while the account bleeds on; what ends that is `DrawdownLimit`. It halts again once it has risen
    above the floor and fallen through it anew.

    Parameters
    ----------
    steps : sequence of (drawdown_pct, multiplier)
        Ascending drawdowns in percent of the peak, descending multipliers.
    halt_pct : float
        The floor: drawdown at which nothing is entered.
    halt_days : float
        How long, unless a person re-arms it.
    hysteresis_pct : float
        How much smaller than a step's the drawdown must be to leave it again, percentage points.
    """

    code: ClassVar[Reason] = Reason.DRAWDOWN
    follows_candles: ClassVar[bool] = False
    follows_trades: ClassVar[bool] = False

    def __init__(
        self,
        steps: Sequence[tuple[float, float]],
        halt_pct: float,
        halt_days: float,
        hysteresis_pct: float,
    ) -> None:
        self._steps = tuple(steps)
        self._halt_pct = halt_pct
        self._halt = timedelta(days=halt_days)
        self._hysteresis_pct = hysteresis_pct
        self._unknown = False
        self.memory = LadderMemory()

    def observe(self, snapshot: Snapshot) -> None:
        """Follow the peak, climb or descend the ladder, halt at the floor and resume."""
        memory = self.memory
        self._unknown = not is_equity(snapshot.equity)
        if self._unknown:
            return
        if memory.halted_until and snapshot.epoch >= memory.halted_until:
            memory.halted_until, memory.served = 0.0, True
        memory.peak = max(memory.peak, snapshot.equity)
        fall_pct = memory.drawdown_pct = drawdown_pct(memory.peak, snapshot.equity)
        while memory.rung < len(self._steps) and fall_pct >= self._steps[memory.rung][0]:
            memory.rung += 1
        while memory.rung > 0 and fall_pct < self._steps[memory.rung - 1][0] - self._hysteresis_pct:
            memory.rung -= 1
        if fall_pct < self._halt_pct - self._hysteresis_pct:
            memory.served = False
        if fall_pct >= self._halt_pct and not (memory.halted_until or memory.served):
            memory.halted_until = to_epoch(snapshot.now + self._halt)

    def calm(self, snapshot: Snapshot) -> Calm:
        """Between the step that it stands on and the next one, below the peak; during a halt."""
        memory, peak = self.memory, self.memory.peak
        if self._unknown:
            return NOT_CALM
        above, up_to = 0.0, peak
        if memory.rung < len(self._steps):
            above = equity_above(peak, self._steps[memory.rung][0])
        elif not (memory.halted_until or memory.served):
            above = equity_above(peak, self._halt_pct)
        if memory.served:
            up_to = equity_below(peak, self._halt_pct - self._hysteresis_pct)
        elif memory.rung:
            up_to = equity_below(peak, self._steps[memory.rung - 1][0] - self._hysteresis_pct)
        return Calm(above, up_to, memory.halted_until or math.inf)

    def market_verdict(self, snapshot: Snapshot) -> Verdict:
        """
        Scale by the step; block while halted, and on a candle whose equity is not known. Value and
        limit are drawdowns in percent.
        """
        memory = self.memory
        if self._unknown:
            return Verdict(self.code, math.nan, self._halt_pct, 0.0)
        if memory.halted_until:
            until = from_epoch(memory.halted_until)
            return Verdict(self.code, memory.drawdown_pct, self._halt_pct, 0.0, until)
        if memory.rung == 0:
            return ALLOW
        limit, multiplier = self._steps[memory.rung - 1]
        below = limit - self._hysteresis_pct
        return Verdict(self.code, memory.drawdown_pct, limit, multiplier, below=below)

    def gauge(self) -> tuple[float, float]:
        """The drawdown, and the next step, or the floor."""
        steps = (*(step for step, _ in self._steps), self._halt_pct)
        return self.memory.drawdown_pct, steps[min(self.memory.rung, len(steps) - 1)]

    def flowed(self, factor: float) -> None:
        """A deposit or withdrawal moves the peak with the equity: the drawdown stays."""
        self.memory.peak *= factor

    def rearm(self) -> None:
        """
        End a halt by hand: the account resumes at the size of the last step. Where none stands, its
        drawdown is forgotten: it resumes at full size.
        """
        memory = self.memory
        if memory.halted_until:
            memory.halted_until, memory.served = 0.0, True
        else:
            self.memory = LadderMemory(peak=memory.peak * (1 - memory.drawdown_pct / 100))


class DrawdownLadderSettings(GuardSection):
    """See `DrawdownLadder`."""

    guard: ClassVar[type[Guard]] = DrawdownLadder

    steps: list[Annotated[tuple[float, float], Strict(False)]] = Field(
        [(1, 0.89), (2, 0.78), (3, 0.67), (4, 0.56), (5, 0.44), (6, 0.33), (7, 0.22), (8, 0.11)],
        description="pairs of drawdown in percent, ascending, and multiplier, descending below 1",
    )
    halt_pct: float = Field(12.0, gt=0, le=90)
    halt_days: float = Field(7.0, gt=0, le=365)
    hysteresis_pct: float = Field(0.5, ge=0, le=20)

    @model_validator(mode="after")
    def _descends(self) -> Self:
        drawdowns = [0.0, *(step[0] for step in self.steps), self.halt_pct]
        sizes = [1.0, *(step[1] for step in self.steps), 0.0]
        ascends = all(one < next_one for one, next_one in pairwise(drawdowns))
        if not ascends or not all(one > next_one for one, next_one in pairwise(sizes)):
            raise ValueError(
                "steps whose drawdowns ascend to below halt_pct while their multipliers descend "
                "from below 1 to above 0"
            )
        return self
