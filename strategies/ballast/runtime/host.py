"""What a trading session asks of the strategy that hosts it."""

from typing import Any, Protocol

from freqtrade.data.dataprovider import DataProvider

from ballast.alerts.incidents import IncidentLog
from ballast.config.settings import Settings
from ballast.core.events import Events
from ballast.core.redaction import Redactor


class Host(Protocol):
    """
    The little that parts of a session may know of a strategy.

    Parameters
    ----------
    dp : DataProvider
    wallets : Wallets
        Attached by Freqtrade after the strategy is made: asked for when needed, never kept.
    config : mapping
        Freqtrade's.
    settings : Settings
        The `ballast` section.
    events : Events
        What the session publishes to.
    timeframe : str
    stoploss : float
        The disaster stop, a negative ratio.
    stops : StopRules
        For a trade of no known setup.
    order_types : mapping
        Freqtrade's.
    extra_protections : sequence of dict
        Freqtrade protections beside the guards.
    redactor : Redactor
    incidents : IncidentLog
    """

    dp: DataProvider
    wallets: Any
    config: dict[str, Any]
    settings: Settings
    events: Events
    timeframe: str
    stoploss: float
    stops: Any
    order_types: dict[str, Any]
    extra_protections: Any
    redactor: Redactor
    incidents: IncidentLog

    def get_strategy_name(self) -> str:
        """Name of the strategy's class."""

    def version(self) -> str:
        """Version of the pack, of the settings that decide, and which guards are off."""
