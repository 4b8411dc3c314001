"""GuardedStrategy: what a strategy of named rules derives from."""

import logging
from datetime import datetime
from functools import partial
from typing import Any, ClassVar

from freqtrade.exceptions import OperationalException
from freqtrade.persistence import LocalTrade

from ballast.alerts.incidents import IncidentLog
from ballast.config.settings import Settings
from ballast.core.events import Events
from ballast.runtime.session import TradingSession
from ballast.strategy import basket
from ballast.strategy.fail_closed import asked_with_the_trade
from ballast.strategy.layer import Layer
from ballast.strategy.overrides import refuse_overrides
from ballast.strategy.signals import SignalStrategy
from ballast.strategy.startup import named_basket, refuse_configuration, refuse_unsafe, spaces
from ballast.strategy.state import DISASTER_STOP, ORDER_TYPES
from ballast.strategy.warm_up import Needs, needs

logger = logging.getLogger(__name__)


class GuardedStrategy(Layer, SignalStrategy):
    """
    Base class of every strategy of this pack.

    A strategy sets `stops`, and implements `entry_rules` and, if it leaves by rule, `exit_rules`.
    It must not override the callbacks of the layer: the risk controls live there.
    """

    __module__ = "ballast.strategy.guarded"  # see `strategy/__init__.py`

    # Behind the managed stops stands a disaster stop that is real, not -99 %.
    stoploss = DISASTER_STOP
    # No profit target: {"0": 10} is Freqtrade's own "never".
    minimal_roi: ClassVar[dict[str, float]] = {"0": 10}
    use_exit_signal = True
    position_adjustment_enable = False
    order_types: dict[str, Any] = ORDER_TYPES

    # A class that only keeps a former name alive says here what it is called now.
    renamed_to: ClassVar[str] = ""
    # Freqtrade protections of a strategy's own, in addition to the guards.
    extra_protections: ClassVar[list[dict[str, Any]]] = []
    _needed: Needs

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        refuse_overrides(cls)

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        refuse_configuration(self, spaces, named_basket)

    def ft_bot_start(self, **kwargs: Any) -> None:
        """Refuse what is unsafe before anything is touched, and after the last word of settings."""
        # Our stops move at candles, not at ticks: there is nothing to hold them back for.
        self.order_types = {**self.order_types, "stoploss_on_exchange_interval": 1}
        refuse_unsafe(self)
        self._adjust_where_parts_are_sold(self._probed_setups())
        super().ft_bot_start(**kwargs)
        refuse_unsafe(self)
        tell = partial(self.dp.send_msg, always_send=True)
        feeds, found = self._ballast.decisions.connected.feeds, self._needed
        try:
            feeds.ask_for(found.frames)
        except ValueError as error:
            raise OperationalException(f"{type(self).__name__}: {error}") from None
        basket.warn(self, feeds, found.candles, tell)
        if self.renamed_to:
            logger.warning(
                "%s is now called %s: name that, and rename its parameter file",
                type(self).__name__,
                self.renamed_to,
            )

    def _asked_warm_up(self) -> int:
        """Asked once for that and for the frames: a start asks often enough."""
        self._needed = needs(self)
        return self._needed.candles

    @asked_with_the_trade
    def adjust_trade_position(
        self,
        trade: LocalTrade,
        current_time: datetime,
        current_exit_rate: float,
        min_stake: float | None,
        **kwargs: Any,
    ) -> tuple[float, str] | None:
        """Sell the parts that a setup states (see `Decisions.part_to_sell`); nothing is added."""
        decisions = self._ballast.decisions
        return decisions.part_to_sell(trade, current_exit_rate, min_stake, current_time)

    @property
    def session(self) -> TradingSession | None:
        """The session; None before Freqtrade has started the strategy."""
        return self._ballast.decisions.session

    @property
    def settings(self) -> Settings:
        """The `ballast` section."""
        return self._ballast.settings

    @property
    def events(self) -> Events:
        """What is published of this run."""
        return self._ballast.events

    @property
    def incidents(self) -> IncidentLog:
        """What has failed inside callbacks."""
        return self._ballast.incidents
