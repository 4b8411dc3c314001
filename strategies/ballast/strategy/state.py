"""All that the layer keeps of a strategy: one object, so that no name of theirs is taken."""

import dataclasses
import functools
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd
from freqtrade.configuration.config_validation import validate_migrated_strategy_settings
from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException

from ballast.alerts import logs
from ballast.alerts.incidents import IncidentLog
from ballast.charts import drawing
from ballast.config import settings
from ballast.core.events import Events
from ballast.core.redaction import Redactor
from ballast.core.setups import Setup
from ballast.core.stops import StopRules
from ballast.core.windows import timeframe_fault
from ballast.journal.reader import stop_moves
from ballast.risk import protection_list
from ballast.runtime import database_file
from ballast.strategy import quiet
from ballast.strategy.decisions import Decisions
from ballast.strategy.held_callbacks import HeldCallbacks
from ballast.strategy.held_values import HeldValues
from ballast.strategy.views import Views
from ballast.version import __version__

logger = logging.getLogger(__name__)

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

# What `lookahead-analysis` gives every strategy.
_LOOKAHEAD_WALLET = 1_000_000_000


def todays_order_types(theirs: Mapping[str, Any]) -> dict[str, Any]:
    """
    A strategy's order types by today's names: Freqtrade still takes 'buy' for 'entry'.

    Raises
    ------
    ConfigurationError
        Where one is stated by both.
    """
    settings = {"order_types": dict(theirs)}
    validate_migrated_strategy_settings(settings)
    return settings["order_types"]


def is_lookahead_analysis(config: Mapping[str, Any]) -> bool:
    """
    Whether Freqtrade's `lookahead-analysis` runs, which trades pairs alone and compares.

    By its mode of running first: of commands that simulate entries it alone has that of utilities;
    no bot, backtest or hyperopt has. Freqtrade's own settings for it (`targeted_trade_amount`) say
    nothing: their defaults are in every configuration.
    """
    mode, wallet = config.get("runmode"), config.get("dry_run_wallet")
    is_large = isinstance(wallet, int | float) and wallet >= _LOOKAHEAD_WALLET
    return mode == RunMode.UTIL_NO_EXCHANGE and is_large


@functools.cache
def _say_what_stands_aside() -> None:
    """Once, not for each of the runs that it makes."""
    logger.warning(
        "lookahead-analysis trades pairs alone and compares: guards, heat and entries per candle "
        "look across pairs and stand aside; columns and signals are what it judges"
    )


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
        # Share of the usual risk that a trade takes.
        self.size: float = strategy.layer_option("size", 1.0)
        self.warmup = 0
        # Now, because Freqtrade forgets the exchange's keys in paper trading soon.
        self.redactor = Redactor(config)
        logs.attach(self.redactor)
        try:
            loaded = settings.load(config.get(settings.SECTION))
        except settings.SettingsError as error:
            raise OperationalException(str(error)) from None
        guards = loaded.guards.under(type(strategy).__name__, foreign=hasattr(strategy, "_own"))
        self.settings = loaded.model_copy(update={"guards": guards})
        if is_lookahead_analysis(config):
            self.settings = self.settings.for_single_pairs()
            _say_what_stands_aside()
        logs.open_file(config, self.settings.log, self.redactor)
        database_file.refuse_unwritable(config)
        timeframe = config.get("timeframe") or getattr(strategy, "timeframe", None)
        if fault := timeframe_fault(timeframe):
            raise OperationalException(fault)
        # What the settings put in place of a strategy's own.
        self.stops_wanted = self.settings.stops.model_dump(exclude_none=True)
        name, stated = type(strategy).__name__, strategy.layer_option("stops", FOREIGN_STOPS)
        try:
            Setup(name, {}, stated, size=self.size)
            self.stops: StopRules = dataclasses.replace(stated, **self.stops_wanted)
            Setup(name, {}, self.stops)
            self.stops.swing_candles(str(timeframe))
        except ValueError as refusal:
            raise OperationalException(str(refusal)) from None
        self.incidents = IncidentLog()
        self.events = Events()
        self.decisions = Decisions(self)
        # From the start on.
        self.held: HeldCallbacks | None = None
        # The same of a bot's values; None in backtests, where hyperopt sets them.
        self.values: HeldValues | None = None
        # The strategy's own class stop (negative ratio), where the layer has put another.
        self.own_stoploss: float | None = None
        # Whether the strategy's own `custom_stoploss` is asked.
        self.own_custom_stop = False
        self.views = Views()
        # Pairs whose last analysis failed: nothing is bought on an old frame.
        self.unanalysed: set[str] = set()
        # By trade, why the layer last wanted to leave it: no veto of theirs holds there.
        self.leaving: dict[int, str] = {}
        # By trade, the exit that theirs has agreed to before Freqtrade asks.
        self.agreed: dict[int, str] = {}
        # By trade, the stake of an addition that is on its way.
        self.additions: dict[int, float] = {}
        # Trades and why an addition was refused, as far as told.
        self.told: set[tuple[int, str]] = set()
        # Attributes that theirs sets on itself and the layer answers for.
        self.set_by_theirs: dict[str, Any] = {}
        # Whether a setup sells positions in parts.
        self.sells_parts = False
        # Whether theirs wants to go short as well.
        self.shorts = False
        # The pair that is being analysed, its candles and what the layer sees of them.
        self.seen: tuple[str, pd.DataFrame] = ("", pd.DataFrame())
        self.told_prices = False
        # In backtests, by number of the trade, where a position was found quiet.
        self.bounds: dict[int, quiet.Bounds] = {}
        # What the configuration was given of the strategy's attributes last.
        self.shown: tuple[Any, ...] = ()

    @property
    def dp(self) -> DataProvider:
        """The strategy's data provider."""
        return self._strategy.dp

    @property
    def extra_protections(self) -> list[dict[str, Any]]:
        """Freqtrade protections beside the guards: those of the user's class, and theirs."""
        return [*self._stated_protections(), *self._strategy._ballast_own_protections()]

    def _stated_protections(self) -> list[dict[str, Any]]:
        return list(self._strategy.layer_option("extra_protections", []))

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
        """That of the configuration, which Freqtrade puts on the strategy; or its own."""
        return self.config.get("timeframe") or self._strategy.timeframe

    @property
    def stoploss(self) -> float:
        """The stop that holds whatever fails, a negative ratio of the entry price."""
        return self._strategy.stoploss

    def disaster_ratio(self) -> float:
        """Its depth as a positive ratio; hyperopt may set it anew at every epoch."""
        return abs(self.stoploss)

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
        """
        Version of the pack, of the settings that decide; which journal, which guards are off, and
        which wait for something.
        """
        guards = self.settings.guards
        off = "; ".join([", ".join(guards.off) or "none", *guards.waiting()])
        session = self.decisions.session
        kept = f" journal {session.journal.path.name}" if session and session.journal else ""
        return f"ballast {__version__} settings {self.settings.digest()}{kept}, guards off: {off}"

    def protections(self) -> list[dict[str, Any]]:
        """Freqtrade's protections: the guards, the strategy's own and those of the settings."""
        more = (self.extra_protections, self.settings.protections)
        return protection_list.entries(self.settings.guards, self.decisions.announced, *more)

    def check_protections(self) -> None:
        """
        Refuse protections that cannot be built; those of a strategy behind Freqtrade judges.

        Raises
        ------
        OperationalException
            One sentence naming the entry, its value and what is accepted.
        """
        guards, config = self.settings.guards, {"timeframe": self.timeframe, **self.config}
        own = f"{type(self._strategy).__name__}.extra_protections"
        protection_list.check(self._stated_protections(), own, config, guards)
        listed = f"{settings.SECTION}.protections"
        protection_list.check(self.settings.protections, listed, config, guards)

    @property
    def draws_account(self) -> bool:
        """Whether charts show an account: where a bot runs."""
        session = self.decisions.session
        return session is not None and session.feeds.live

    def _stop_moves(self) -> drawing.StopMoves | None:
        """What gives the moves of trades' stops; None where no bot runs."""
        session = self.decisions.session
        if session is None or not session.feeds.live:
            return None
        # Asked by the web server: on a connection of its own, and from no trade's custom data.
        journal = session.journal
        return partial(stop_moves, journal.path) if journal else lambda numbers: {}

    def _targets(self, setup: str, entry: float, risk: float) -> Mapping[str, float]:
        return self.decisions.connected.planned.targets(setup, entry, risk)

    def annotated(self, pair: str, seen: Callable[[], pd.DataFrame]) -> list[dict[str, Any]]:
        """
        Annotations of a pair's chart (see `drawing.annotated`); a chart without them beats none.

        Parameters
        ----------
        seen : callable
            Gives the frame that is drawn.
        """
        try:
            moves, targets = self._stop_moves(), self._targets
            return drawing.annotated(pair, seen(), self.timeframe, moves, targets)
        except Exception:
            logger.exception("the chart of %s could not be annotated", pair)
            return []

    def incident(self, where: str, error: Exception) -> None:
        """Report a failure inside a callback; the callback has refused."""
        self.decisions.incident(where, error)
