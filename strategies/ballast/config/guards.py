"""Settings of the guards: one entry each, with the source of its default.

Every guard is on unless it is named in `off`, and what is off is said at start and in the version.
"""

from itertools import pairwise
from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, Strict, model_validator

from ballast.core.guards.base import Guard
from ballast.core.guards.candle_guards import DataOutageHalt, VolatilityCooldown
from ballast.core.guards.drawdown_ladder import DrawdownLadder
from ballast.core.guards.edge_decay import EdgeDecay
from ballast.core.guards.losing_trades import LossStreakBackoff, StopCascadeHalt
from ballast.core.guards.loss_limits import DailyLossLimit, WeeklyLossLimit
from ballast.core.guards.market_shock import MarketShockHalt


class Section(BaseModel):
    """A part of the `ballast` section."""

    # Strict: "0.5" for 0.5 or true for 1 is a slip of the pen, not a setting.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class GuardSection(Section):
    """Settings of one guard, by the names of its parameters."""

    guard: ClassVar[type[Guard]]

    def build(self, candle_minutes: float) -> Guard:
        """The guard."""
        return self.guard(**self.model_dump())


class VolatilityCooldownSettings(GuardSection):
    """The detectors' thresholds are in `ballast.core.shocks`, calibrated together."""

    def build(self, candle_minutes: float) -> Guard:
        """The guard."""
        return VolatilityCooldown(candle_minutes)


class MarketShockHaltSettings(GuardSection):
    """See `MarketShockHalt`."""

    guard: ClassVar[type[Guard]] = MarketShockHalt

    leader_fall_pct: float = Field(6.0, gt=0, le=50)
    breadth_fall_pct: float = Field(6.0, gt=0, le=50)
    breadth_share_pct: float = Field(80.0, gt=0, le=100)
    pause_hours: float = Field(12.0, gt=0, le=720)
    policy: Literal["halt", "flatten"] = "halt"


class StopCascadeHaltSettings(GuardSection):
    """See `StopCascadeHalt`."""

    guard: ClassVar[type[Guard]] = StopCascadeHalt

    losses: int = Field(4, ge=2, le=50)
    loss_r: float = Field(0.5, gt=0, le=5)
    window_hours: float = Field(6.0, gt=0, le=720)
    pause_hours: float = Field(12.0, gt=0, le=720)


class LossStreakBackoffSettings(GuardSection):
    """See `LossStreakBackoff`."""

    guard: ClassVar[type[Guard]] = LossStreakBackoff

    pair_losses: int = Field(3, ge=1, le=50)
    all_losses: int = Field(10, ge=2, le=100)
    loss_r: float = Field(0.25, gt=0, le=5)
    pause_hours: float = Field(12.0, gt=0, le=720)
    longest_hours: float = Field(96.0, gt=0, le=2160)


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


class DataOutageHaltSettings(GuardSection):
    """See `DataOutageHalt`."""

    guard: ClassVar[type[Guard]] = DataOutageHalt

    api_errors: int = Field(10, ge=1, le=1000)
    untrusted_share_pct: float = Field(50.0, gt=0, le=100)


class EdgeDecaySettings(GuardSection):
    """
    See `EdgeDecay`. The baseline is a backtest's: `python -m ballast baseline RESULT.zip`.

    Once in 200, 600 and 2000 trades is about once in one, three and ten years of `RisingMarket`.
    """

    guard: ClassVar[type[Guard]] = EdgeDecay

    mean_r: float | None = Field(None, gt=0, le=20, description="R; null switches the guard off")
    sd_r: float = Field(1.5, gt=0, le=50)
    trades: int = Field(100, ge=30, le=100_000)
    # Ranges that do not overlap: each step comes after the one before it.
    warn_trades: float = Field(200.0, ge=20, le=399)
    halve_trades: float = Field(600.0, ge=400, le=1499)
    block_trades: float = Field(2000.0, ge=1500, le=100_000)

    @property
    def is_ready(self) -> bool:
        """Whether there is a baseline to compare with."""
        return self.mean_r is not None

    @model_validator(mode="after")
    def _can_be_told(self) -> Self:
        if self.mean_r is not None and self.mean_r <= self.sd_r / self.trades**0.5:
            raise ValueError(
                "a mean_r above its standard error, sd_r over the square root of trades: what is "
                "no better than luck cannot decay"
            )
        return self


GuardName = Literal[
    "VolatilityCooldown",
    "MarketShockHalt",
    "StopCascadeHalt",
    "LossStreakBackoff",
    "DailyLossLimit",
    "WeeklyLossLimit",
    "DrawdownLadder",
    "PortfolioHeat",
    "DataOutageHalt",
    "EdgeDecay",
]


class PortfolioHeatSettings(Section):
    """
    Caps on what all stops together put at risk, percent of equity.

    Parameters
    ----------
    limit_pct : float
        No entry may raise the heat beyond this, and where open positions exceed it their stops are
        drawn closer in proportion.
    cluster_pct : float
        Heat of the positions that move with the pair to be entered, itself included.
    cluster_correlation : float
        Correlation of hourly returns over 20 days from which two pairs move together.
    """

    limit_pct: float = Field(2.0, gt=0, le=20)
    cluster_pct: float = Field(1.5, gt=0, le=20)
    cluster_correlation: float = Field(0.85, gt=0, le=1)


class GuardSettings(Section):
    """The `guards` section: names that are off, and one entry for each guard."""

    off: list[GuardName] = Field([], description="names of guards that are not asked")
    VolatilityCooldown: VolatilityCooldownSettings = VolatilityCooldownSettings()
    MarketShockHalt: MarketShockHaltSettings = MarketShockHaltSettings()
    StopCascadeHalt: StopCascadeHaltSettings = StopCascadeHaltSettings()
    LossStreakBackoff: LossStreakBackoffSettings = LossStreakBackoffSettings()
    DailyLossLimit: DailyLossLimitSettings = DailyLossLimitSettings()
    WeeklyLossLimit: WeeklyLossLimitSettings = WeeklyLossLimitSettings()
    DrawdownLadder: DrawdownLadderSettings = DrawdownLadderSettings()
    PortfolioHeat: PortfolioHeatSettings = PortfolioHeatSettings()
    DataOutageHalt: DataOutageHaltSettings = DataOutageHaltSettings()
    EdgeDecay: EdgeDecaySettings = EdgeDecaySettings()

    def build(self, candle_minutes: float) -> dict[str, Guard]:
        """
        The guards that are on, by name. PortfolioHeat is part of the sizer and not among them.

        Parameters
        ----------
        candle_minutes : float
            Length of the strategy's candles.
        """
        return {n: getattr(self, n).build(candle_minutes) for n in self.judged_at_candles()}

    @classmethod
    def names(cls) -> list[str]:
        """All guards, on or off."""
        return [name for name in cls.model_fields if name != "off"]

    def judged_at_candles(self) -> list[str]:
        """Guards that are on and are asked at every candle: all but PortfolioHeat."""
        return [n for n in self.names() if self.is_on(n) and hasattr(getattr(self, n), "build")]

    def is_on(self, name: str) -> bool:
        """Whether the guard of that name is on, and has what it needs."""
        return name not in self.off and getattr(getattr(self, name), "is_ready", True)
