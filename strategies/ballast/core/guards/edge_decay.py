"""EdgeDecay: do the trades still earn what the backtest's earned?"""

import math
from typing import ClassVar, Self

from pydantic import Field, model_validator

from ballast.core.guards.base import Guard, GuardSection, Memory
from ballast.core.reasons import Reason
from ballast.core.snapshot import Snapshot
from ballast.core.times import to_epoch
from ballast.core.verdict import ALLOW, Verdict

# What the discreteness of trades adds to the threshold (Siegmund, Sequential Analysis, 1985).
_OVERSHOOT = 1.166
_SMALLEST_THRESHOLD = 0.5
HALVED = 0.5
# Trades among which one that is noticed late finds its place.
_RECENT = 20


class DecayMemory(Memory):
    """
    The sum so far, and the gravest step that it has reached: 1 warned, 2 halved, 3 blocked.

    Of the newest trades, in order of closing, when each closed and what it added, and sum and step
    before them: a trade that is noticed late takes the place of its closing.
    """

    score: float = 0.0
    step: int = 0
    trades: int = Field(default=0, ge=0)
    recent: list[tuple[float, float]] = Field(default_factory=list)
    score_before: float = 0.0
    step_before: int = 0


def threshold(allowance: float, trades: float) -> float:
    """
    Height of a one-sided CUSUM that sound trades reach once in so many, on the average.

    Siegmund's approximation of the average run length, solved for the height h: with
    x = 2k (h + 1.166), it is (exp(x) - 1 - x) / (2 k^2).

    Parameters
    ----------
    allowance : float
        k, standard deviations taken off at each trade.
    trades : float
        Average run length without any decay.

    Returns
    -------
    float
        Standard deviations; at least half of one.
    """
    wanted = trades * 2 * allowance**2
    low, high = 0.0, 50.0
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if math.expm1(middle) - middle < wanted else (low, middle)
    return max(_SMALLEST_THRESHOLD, high / (2 * allowance) - _OVERSHOOT)


class EdgeDecay(Guard):
    """
    Warns, then halves sizes, then blocks entries as trades fall short of the backtest's.

    A CUSUM of results in R: S = max(0, S + (mean - r) / sd - k), which grows while trades earn less
    than half of the baseline and shrinks while they earn more. The baseline's mean is taken one
    standard error lower than it was found, and k is half of it in standard deviations, which finds
    an edge that is gone soonest (Page 1954). Thresholds follow from how rarely a sound strategy may
    be taken for a decayed one.

    What it has done it does not undo: good luck afterwards raises no size. A person re-arms.
    It does not see decay in how often there is a trade.

    Parameters
    ----------
    mean_r : float
        Mean of the results of the backtest's trades, in R.
    sd_r : float
        Their standard deviation, in R.
    trades : int
        How many they were.
    warn_trades : float
        A sound strategy is warned of once in so many trades.
    halve_trades : float
        A sound strategy is halved once in so many trades.
    block_trades : float
        A sound strategy is blocked once in so many trades.
    """

    code: ClassVar[Reason] = Reason.EDGE_DECAY
    follows_candles: ClassVar[bool] = False
    follows_equity: ClassVar[bool] = False

    def __init__(
        self,
        mean_r: float,
        sd_r: float,
        trades: int,
        warn_trades: float,
        halve_trades: float,
        block_trades: float,
    ) -> None:
        self._mean = mean_r - sd_r / math.sqrt(trades)
        self._sd = sd_r
        self._allowance = self._mean / sd_r / 2
        runs = (warn_trades, halve_trades, block_trades)
        self.thresholds = [threshold(self._allowance, run) for run in runs]
        self.memory = DecayMemory()

    def observe(self, snapshot: Snapshot) -> None:
        """Add the trades that closed."""
        memory = self.memory
        new = [
            (to_epoch(trade.closed), (self._mean - trade.r) / self._sd - self._allowance)
            for trade in snapshot.closed
            if math.isfinite(trade.r)
        ]
        if not new:
            return
        if not memory.recent:
            memory.score_before, memory.step_before = memory.score, memory.step
        memory.trades += len(new)
        memory.recent = sorted([*memory.recent, *new])
        settled, memory.recent = memory.recent[:-_RECENT], memory.recent[-_RECENT:]
        for _, shortfall in settled:
            before = memory.score_before, memory.step_before
            memory.score_before, memory.step_before = self._after(*before, shortfall)
        memory.score, memory.step = memory.score_before, memory.step_before
        for _, shortfall in memory.recent:
            memory.score, memory.step = self._after(memory.score, memory.step, shortfall)

    def _after(self, score: float, step: int, shortfall: float) -> tuple[float, int]:
        """Sum and step after one more trade."""
        score = max(0.0, score + shortfall)
        return score, max(step, sum(score >= height for height in self.thresholds))

    @property
    def alarm_ratio(self) -> float:
        """The sum as a share of what warns; 1 or more once it has."""
        return max(float(self.memory.step > 0), float(self.memory.score) / self.thresholds[0])

    def market_verdict(self, snapshot: Snapshot) -> Verdict:
        """Halve or block what has decayed. Value and limit are standard deviations."""
        step = self.memory.step
        if step == 0:
            return ALLOW
        multiplier = (1.0, HALVED, 0.0)[step - 1]
        return Verdict(self.code, self.memory.score, self.thresholds[step - 1], multiplier)


class EdgeDecaySettings(GuardSection):
    """
    See `EdgeDecay`. The baseline is a backtest's: `python -m ballast baseline RESULT.zip`, or, of a
    strategy that is held under the layer, `python -m ballast adopt`.

    Once in 200, 600 and 2000 trades is about once in one, three and ten years of `RisingMarket`.
    """

    guard: ClassVar[type[Guard]] = EdgeDecay

    mean_r: float | None = Field(None, gt=0, le=20, description="R; null switches the guard off")
    strategy: str | None = Field(
        None,
        min_length=1,
        description="whose results these are; off under another. null for one of the pack",
    )
    sd_r: float = Field(1.5, gt=0, le=50)
    trades: int = Field(100, ge=30, le=100_000)
    # Ranges that do not overlap: each step comes after the one before it.
    warn_trades: float = Field(200.0, ge=20, le=399)
    halve_trades: float = Field(600.0, ge=400, le=1499)
    block_trades: float = Field(2000.0, ge=1500, le=100_000)

    def build(self, candle_minutes: float) -> Guard:
        """The guard, which does not ask whose results these are."""
        return self.guard(**self.model_dump(exclude={"strategy"}))

    @property
    def lacks(self) -> str:
        """A baseline to compare with, where there is none."""
        return "a baseline of this strategy" if self.mean_r is None else ""

    @model_validator(mode="after")
    def _can_be_told(self) -> Self:
        if self.mean_r is not None and self.mean_r <= self.sd_r / self.trades**0.5:
            raise ValueError(
                "a mean_r above its standard error, sd_r over the square root of trades: what is "
                "no better than luck cannot decay"
            )
        return self
