"""What a trading session asks of the strategy that hosts it."""

from collections.abc import Mapping
from typing import Any, Protocol

from freqtrade.data.dataprovider import DataProvider

from ballast.alerts.incidents import IncidentLog
from ballast.config.settings import Settings
from ballast.core.events import Events
from ballast.core.redaction import Redactor
from ballast.core.stops import StopRules


class Host(Protocol):
    """The little that parts of a session may know of a strategy."""

    settings: Settings
    events: Events
    redactor: Redactor
    incidents: IncidentLog
    # For a trade of no known setup.
    stops: StopRules
    # Share of the usual risk that such a trade takes.
    size: float
    # By trade, why it is left: no veto of the strategy's holds there.
    leaving: dict[int, str]

    @property
    def extra_protections(self) -> list[dict[str, Any]]:
        """Freqtrade protections beside the guards."""

    @property
    def dp(self) -> DataProvider:
        """The strategy's data provider."""

    @property
    def wallets(self) -> Any:
        """Attached by Freqtrade after the strategy is made: asked for when needed, never kept."""

    @property
    def config(self) -> dict[str, Any]:
        """Freqtrade's configuration."""

    @property
    def timeframe(self) -> str:
        """Of the strategy."""

    @property
    def stoploss(self) -> float:
        """The disaster stop, a negative ratio."""

    def disaster_ratio(self) -> float:
        """Its depth as a positive ratio; hyperopt may set it anew at every epoch."""

    @property
    def order_types(self) -> Mapping[str, Any]:
        """Freqtrade's."""

    def incident(self, where: str, error: Exception) -> None:
        """Report a failure; what failed has refused."""

    def ft_stoploss_adjust(self, *args: Any, **kwargs: Any) -> None:
        """Freqtrade's: move the stop of a trade as the plan says."""

    def get_strategy_name(self) -> str:
        """Name of the strategy's class."""

    def version(self) -> str:
        """Version of the pack, of the settings that decide, and which guards are off."""
