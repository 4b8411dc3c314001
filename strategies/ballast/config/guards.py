"""The guards there are, each with its settings; adding one is its file and a line here.

Every guard is on unless it is named in `off` or waits for something; both are said at start and in
the version.
"""

from typing import Annotated, Self

from pydantic import AfterValidator, Field

from ballast.core.guards.base import Guard, GuardSection
from ballast.core.guards.data_outage_halt import DataOutageHaltSettings
from ballast.core.guards.drawdown_ladder import DrawdownLadderSettings
from ballast.core.guards.drawdown_limit import DrawdownLimitSettings
from ballast.core.guards.edge_decay import EdgeDecaySettings
from ballast.core.guards.loss_limits import DailyLossLimitSettings, WeeklyLossLimitSettings
from ballast.core.guards.loss_streak_backoff import LossStreakBackoffSettings
from ballast.core.guards.market_shock_halt import MarketShockHaltSettings
from ballast.core.guards.rolling_drawdown_limit import RollingDrawdownLimitSettings
from ballast.core.guards.stop_cascade_halt import StopCascadeHaltSettings
from ballast.core.guards.volatility_cooldown import VolatilityCooldownSettings
from ballast.core.heat import PortfolioHeatSettings
from ballast.core.section import SettingsSection


def _known(name: str) -> str:
    names = [f"'{known}'" for known in GuardSettings.names()]
    if f"'{name}'" not in names:
        raise ValueError(f"{', '.join(names[:-1])} or {names[-1]}")
    return name


GuardName = Annotated[str, AfterValidator(_known)]


class GuardSettings(SettingsSection):
    """The `guards` section: names that are off, and one entry for each guard."""

    off: list[GuardName] = Field([], description="names of guards that are not asked")
    VolatilityCooldown: VolatilityCooldownSettings = VolatilityCooldownSettings()
    MarketShockHalt: MarketShockHaltSettings = MarketShockHaltSettings()
    StopCascadeHalt: StopCascadeHaltSettings = StopCascadeHaltSettings()
    LossStreakBackoff: LossStreakBackoffSettings = LossStreakBackoffSettings()
    DailyLossLimit: DailyLossLimitSettings = DailyLossLimitSettings()
    WeeklyLossLimit: WeeklyLossLimitSettings = WeeklyLossLimitSettings()
    DrawdownLadder: DrawdownLadderSettings = DrawdownLadderSettings()
    DrawdownLimit: DrawdownLimitSettings = DrawdownLimitSettings()
    RollingDrawdownLimit: RollingDrawdownLimitSettings = RollingDrawdownLimitSettings()
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

    def under(self, strategy: str, foreign: bool) -> Self:
        """
        The same, as they are under a strategy: another's results say nothing of its own.

        Parameters
        ----------
        foreign : bool
            Whether it is none of the pack; a baseline that names nobody is of one of these.
        """
        baseline = self.EdgeDecay
        of_its_own = baseline.strategy == strategy or (baseline.strategy is None and not foreign)
        if of_its_own or baseline.lacks:
            return self
        unknown = baseline.model_copy(update={"mean_r": None})
        return self.model_copy(update={"EdgeDecay": unknown})

    @classmethod
    def names(cls) -> list[str]:
        """All guards, on or off."""
        return [name for name in cls.model_fields if name != "off"]

    @classmethod
    def at_candles(cls) -> list[str]:
        """Guards that are asked at every candle, on or off: all but PortfolioHeat."""
        return [n for n in cls.names() if isinstance(cls.model_fields[n].default, GuardSection)]

    def judged_at_candles(self) -> list[str]:
        """Those of `at_candles` that are on."""
        return [name for name in self.at_candles() if self.is_on(name)]

    def is_on(self, name: str) -> bool:
        """Whether the guard of that name is on, and has what it needs."""
        return name not in self.off and not self._lacks(name)

    def state(self, name: str) -> str:
        """Whether the guard of that name is 'on' or 'OFF', or what it waits for."""
        if name in self.off:
            return "OFF"
        return f"waits for {self._lacks(name)}" if self._lacks(name) else "on"

    def waiting(self) -> list[str]:
        """Of guards that are not switched off and yet not on: which, and what they wait for."""
        asked = [name for name in self.names() if name not in self.off]
        return [f"{name} {self.state(name)}" for name in asked if self._lacks(name)]

    def _lacks(self, name: str) -> str:
        lacks: str = getattr(getattr(self, name), "lacks", "")
        return lacks
