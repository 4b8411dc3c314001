"""The `ballast` section of config.json: every setting, its default and its accepted range.

Unknown names, wrong types and values out of range are refused at start with one sentence each, so
that a misspelled risk limit cannot silently be no limit.
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator

from ballast.config.costs import CostSettings
from ballast.config.execution import PreTradeSettings, PricingSettings, WatchSettings
from ballast.config.guards import GuardSettings
from ballast.config.market import MarketSettings
from ballast.config.messages import MessageSettings
from ballast.config.protections import ProtectionEntry
from ballast.config.refusals import sentence
from ballast.core import windows
from ballast.core.data_quality import DataQualityLimits
from ballast.core.heat import PortfolioHeatSettings, StopCosts
from ballast.core.quoting import quoted
from ballast.core.section import SettingsSection
from ballast.core.sizing import RiskBudget
from ballast.core.stops import RANGES

SECTION = "ballast"


class SettingsError(ValueError):
    """A setting is unknown, of the wrong type or out of range; the text says which and what is."""


# Entries per candle where they are not counted.
_NO_LIMIT = 1_000_000


class RiskSettings(SettingsSection):
    """
    How much one trade and the account may lose. Percentages are of equity unless noted.

    Slippage, gap and the exchange's fee are the budget that a trade is sized with; what fills of a
    backtest are charged is `ballast.execution.costs`.
    """

    per_trade_pct: float = Field(
        0.5, gt=0, le=2, description="what one trade may lose at its stop, costs and gap included"
    )
    position_cap_pct: float = Field(20.0, gt=0, le=100, description="one position at most")
    exposure_cap_pct: float = Field(
        25.0, gt=0, le=100, description="all positions together: what a gap below every stop hits"
    )
    entries_per_candle: int = Field(2, ge=1, le=20, description="of all pairs together")
    daily_volatility_pct: float = Field(
        1.0, gt=0, le=20, description="share of equity a position may move in a usual day"
    )
    turnover_share_pct: float = Field(
        1.0, gt=0, le=20, description="percent of the turnover of a median hour"
    )
    fee_pct: float = Field(
        0.1, ge=0, le=2, description="percent of a fill, each side, where no exchange tells it"
    )
    slippage_bps: float = Field(5.0, ge=0, le=500, description="basis points of a fill, each side")
    # What stops slip by on average, of hourly candles, where the cost model charges its base level.
    gap_pct: float = Field(0.5, ge=0, le=10, description="percent of price a stop may be jumped by")

    def round_trip_cost(self, fee: float | None = None) -> float:
        """
        Fees and slippage of entry and exit together, as a ratio of the stake.

        Parameters
        ----------
        fee : float or None
            The exchange's, ratio of a fill; None for `fee_pct`.
        """
        charged = self.fee_pct / 100 if fee is None else fee
        return 2 * (charged + self.slippage_bps / 10_000)

    def stop_costs(self, fee: float | None = None) -> StopCosts:
        """What leaving at a stop is reckoned to cost beside the distance, with such a fee."""
        return StopCosts(self.round_trip_cost(fee), self.gap_pct / 100)

    def budget(self, heat: PortfolioHeatSettings | None) -> RiskBudget:
        """The same figures as ratios, for the sizer; None where the guard PortfolioHeat is off."""
        return RiskBudget(
            per_trade=self.per_trade_pct / 100,
            heat=heat.limit_pct / 100 if heat else 1.0,
            cluster_heat=heat.cluster_pct / 100 if heat else None,
            position=self.position_cap_pct / 100,
            exposure=self.exposure_cap_pct / 100,
            daily_volatility=self.daily_volatility_pct / 100,
            turnover_share=self.turnover_share_pct / 100,
            costs=self.stop_costs(),
        )


class DataQualitySettings(SettingsSection):
    """When a candle is fit to act on (see `ballast.core.data_quality`)."""

    absurd_move_sigmas: float = Field(
        20.0,
        ge=5,
        le=100,
        description="robust standard deviations: a move or wick beyond is absurd",
    )
    absurd_move_min_pct: float = Field(
        8.0, ge=1, le=50, description="percent: what moved less is never absurd"
    )
    hole_candles: int = Field(
        3, ge=1, le=100, description="filled or repeated candles in a row that are a hole"
    )
    recovery_candles: int = Field(
        3, ge=0, le=100, description="real candles to wait after a hole or an absurd one"
    )
    late_candle_s: float = Field(
        30.0, ge=0, le=3600, description="seconds that a late candle of one pair is waited for"
    )

    def limits(self, history_candles: int) -> DataQualityLimits:
        """The limits for frames whose first `history_candles` candles are warm-up."""
        return DataQualityLimits(
            absurd_move_sigmas=self.absurd_move_sigmas,
            absurd_move_min_pct=self.absurd_move_min_pct,
            hole_candles=self.hole_candles,
            recovery_candles=self.recovery_candles,
            history_candles=history_candles,
        )


def _within(name: str, description: str) -> Any:
    """An override of a stop, within what the stops themselves accept; null leaves it as it is."""
    low, high = RANGES[name]
    return Field(None, ge=low, le=high, description=description)


class StopSettings(SettingsSection):
    """Overrides of a strategy's own stops; what is null stays as the strategy has it."""

    initial_atr: float | None = _within(
        "initial_atr", "hourly ATR from the signal's close to the first stop"
    )
    chandelier_atr: float | None = _within(
        "chandelier_atr", "hourly ATR that stops trail below the highest close"
    )
    chandelier_slack_atr: float | None = _within(
        "chandelier_slack_atr", "hourly ATR that the resting stop trails further below"
    )
    trail_atr: float | None = _within("trail_atr", "hourly ATR that stops trail below each close")
    trail_pct: float | None = _within(
        "trail_pct", "percent that stops trail below the highest close"
    )
    sar_step: float | None = _within("sar_step", "step of a parabolic SAR that stops follow")
    swing_low: str | None = Field(
        None, description="a length of time such as '6h' on each side of swing lows stops follow"
    )
    break_even_r: float | None = _within(
        "break_even_r", "R of profit from which the stop covers entry and costs"
    )
    time_stop: str | None = Field(
        None, description="a length of time such as '10d' in which a trade must have gained one R"
    )

    @field_validator("time_stop", "swing_low")
    @classmethod
    def _is_window(cls, window: str | None) -> str | None:
        if window is not None:
            windows.minutes(window)
        return window


class AdditionSettings(SettingsSection):
    """
    Whether a strategy may add to its positions (see `ballast.core.sizing.size_addition`).

    The whole position then loses no more at its stop than one trade may. A strategy of this pack
    never adds.
    """

    most: int = Field(0, ge=0, le=20, description="additions to one position; 0 refuses all")


class KillSettings(SettingsSection):
    """The file that switches the bot off while it is there (see `ballast.risk.kill_switch`)."""

    file: str = Field("KILL", min_length=1, description="a path, from the folder user_data")
    policy: Literal["flatten", "halt"] = Field(
        "flatten", description="sell what is open as well, or only refuse entries"
    )


class JournalSettings(SettingsSection):
    """The decision journal (see `ballast.journal`)."""

    enabled: bool = Field(True, description="whether paper and live trading keep one")
    backtest: bool = Field(False, description="whether backtests keep one as well")
    path: str | None = Field(
        None,
        min_length=1,
        description="a file of this bot's database alone; null for one in the user data folder",
    )
    keep_days: int = Field(365, ge=1, le=3650, description="days that rows are kept")
    max_mb: int = Field(512, ge=1, le=100_000, description="megabytes; the oldest rows go first")


class LogSettings(SettingsSection):
    """The file of a bot's log as JSON lines, beside the console (see `ballast.alerts.logs`)."""

    file: str = Field(
        "logs/ballast.jsonl", min_length=1, description="a path, from the folder user_data"
    )


class Settings(SettingsSection):
    """The whole `ballast` section."""

    risk: RiskSettings = RiskSettings()
    trust: DataQualitySettings = DataQualitySettings()
    market: MarketSettings = MarketSettings()
    messages: MessageSettings = MessageSettings()
    stops: StopSettings = StopSettings()
    guards: GuardSettings = GuardSettings()
    costs: CostSettings = CostSettings()
    gate: PreTradeSettings = PreTradeSettings()
    additions: AdditionSettings = AdditionSettings()
    kill: KillSettings = KillSettings()
    journal: JournalSettings = JournalSettings()
    log: LogSettings = LogSettings()
    watch: WatchSettings = WatchSettings()
    pricing: PricingSettings = PricingSettings()
    # Whether they can be built is checked by `ballast.risk.protection_list`.
    protections: list[ProtectionEntry] = Field(
        [], description='entries such as {"method": "CooldownPeriod"}, beside the guards'
    )

    def for_single_pairs(self) -> "Settings":
        """The same without rules of the account, which look across pairs."""
        guards = self.guards.model_copy(update={"off": self.guards.names()})
        risk = self.risk.model_copy(update={"entries_per_candle": _NO_LIMIT})
        return self.model_copy(update={"guards": guards, "risk": risk})

    def digest(self) -> str:
        """Eight characters that change when any setting does that decides."""
        deciding = self.model_dump_json(exclude={"journal", "log"})
        return hashlib.sha256(deciding.encode()).hexdigest()[:8]


def load(section: Mapping[str, Any] | None) -> Settings:
    """
    Validate the `ballast` section of a configuration.

    Raises
    ------
    SettingsError
        With one sentence for each wrong setting, naming it, its value and what is accepted.
    """
    if section is not None and not isinstance(section, Mapping):
        raise SettingsError(f"{SECTION} is {quoted(section)}: expected a section of settings")
    try:
        return Settings.model_validate(dict(section or {}))
    except ValidationError as error:
        faults = [sentence(each, Settings, SECTION) for each in error.errors()]
        raise SettingsError("\n".join(faults)) from None
