"""All that the layer keeps of a strategy: one object, so that no name of theirs is taken."""

from collections.abc import Mapping
from typing import Any

from freqtrade.data.dataprovider import DataProvider
from freqtrade.exceptions import OperationalException

from ballast.alerts import logs
from ballast.alerts.incidents import IncidentLog
from ballast.config import settings
from ballast.core.events import Events
from ballast.core.redaction import Redactor
from ballast.core.signals import Setup, SetupRefused
from ballast.core.stops import StopRules
from ballast.risk import protection_list
from ballast.strategy.decisions import Decisions
from ballast.strategy.views import Views
from ballast.version import __version__

DISASTER_STOP = -0.10
# What leaves a position waits for no price, and the stop rests on the exchange.
ORDER_TYPES: dict[str, Any] = {
    "entry": "limit",
    "exit": "market",
    "emergency_exit": "market",
    "force_exit": "market",
    "force_entry": "limit",
    "stoploss": "market",
    "stoploss_on_exchange": True,
    "stoploss_on_exchange_interval": 60,
}
# Of a strategy that states none to the layer: those of the pack's trend strategies.
FOREIGN_STOPS = StopRules(initial_atr=4, chandelier_atr=6, chandelier_slack_atr=2)


class LayerState:
    """
    The layer's half of a strategy, and the host of its session (see `ballast.runtime.host`).

    Parameters
    ----------
    strategy : IStrategy
    config : mapping
        Freqtrade's.

    Raises
    ------
    OperationalException
        Where a setting is wrong; one sentence for each.
    """

    def __init__(self, strategy: Any, config: dict[str, Any]) -> None:
        self._strategy = strategy
        self.stops: StopRules = strategy.layer_option("stops", FOREIGN_STOPS)
        # Share of the usual risk that a trade takes.
        self.size: float = strategy.layer_option("size", 1.0)
        try:
            Setup(type(strategy).__name__, {}, self.stops, size=self.size)
        except SetupRefused as refusal:
            raise OperationalException(str(refusal)) from None
        self.extra_protections: list[dict[str, Any]] = list(
            strategy.layer_option("extra_protections", [])
        )
        self.warmup = 0
        # Now, because Freqtrade forgets the exchange's keys in paper trading soon.
        self.redactor = Redactor(config)
        logs.attach(self.redactor)
        try:
            self.settings = settings.load(config.get(settings.SECTION))
        except settings.SettingsError as error:
            raise OperationalException(str(error)) from None
        logs.open_file(config, self.settings.log, self.redactor)
        self.incidents = IncidentLog()
        self.events = Events()
        self.decisions = Decisions(self)
        # The strategy's own class stop (negative ratio), where the layer has put another.
        self.own_stoploss: float | None = None
        # Whether the strategy's own `custom_stoploss` is asked.
        self.own_custom_stop = False
        self.views = Views()
        # Pairs whose last analysis failed: nothing is bought on an old frame.
        self.unanalysed: set[str] = set()
        # By trade, why the layer last wanted to leave it: no veto of theirs holds there.
        self.leaving: dict[int, str] = {}

    @property
    def dp(self) -> DataProvider:
        """The strategy's data provider."""
        return self._strategy.dp

    @property
    def wallets(self) -> Any:
        """Freqtrade's wallets, once it has attached them."""
        return self._strategy.wallets

    @property
    def config(self) -> dict[str, Any]:
        """Freqtrade's configuration."""
        return self._strategy.config

    @property
    def timeframe(self) -> str:
        """Of the strategy."""
        return self._strategy.timeframe

    @property
    def stoploss(self) -> float:
        """The stop that holds whatever fails, a negative ratio of the entry price."""
        return self._strategy.stoploss

    @property
    def order_types(self) -> Mapping[str, Any]:
        """Freqtrade's."""
        return self._strategy.order_types

    def ft_stoploss_adjust(self, *args: Any, **kwargs: Any) -> None:
        """Freqtrade's: move the stop of a trade as the plan says."""
        self._strategy.ft_stoploss_adjust(*args, **kwargs)

    def get_strategy_name(self) -> str:
        """Name of the strategy's class."""
        return self._strategy.get_strategy_name()

    def version(self) -> str:
        """Version of the pack, of the settings that decide; which journal, which guards are off."""
        off = ", ".join(self.settings.guards.off) or "none"
        session = self.decisions.session
        kept = f" journal {session.journal.path.name}" if session and session.journal else ""
        return f"ballast {__version__} settings {self.settings.digest()}{kept}, guards off: {off}"

    def protections(self) -> list[dict[str, Any]]:
        """Freqtrade's protections: the guards, the strategy's own and those of the settings."""
        more = (self.extra_protections, self.settings.protections)
        return protection_list.entries(self.settings.guards, self.decisions.announced, *more)

    def check_protections(self) -> None:
        """
        Refuse protections that cannot be built.

        Raises
        ------
        OperationalException
            One sentence naming the entry, its value and what is accepted.
        """
        guards, config = self.settings.guards, {"timeframe": self.timeframe, **self.config}
        own = f"{type(self._strategy).__name__}.extra_protections"
        protection_list.check(self.extra_protections, own, config, guards)
        listed = f"{settings.SECTION}.protections"
        protection_list.check(self.settings.protections, listed, config, guards)

    def incident(self, where: str, error: Exception) -> None:
        """Report a failure inside a callback; the callback has refused."""
        self.decisions.incident(where, error)
