"""SignalStrategy: from the rules of a strategy to the columns of its frames.

The half of a strategy that decides nothing about money: it says what is true of each candle.
"""

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from freqtrade.exceptions import OperationalException
from freqtrade.strategy import IStrategy

from ballast.charts import drawing
from ballast.core import signals
from ballast.core.candles import Candles
from ballast.core.exits import Sell
from ballast.core.frames import with_columns
from ballast.core.market import Market
from ballast.core.rulebook import Rulebook
from ballast.core.rules import Rule
from ballast.core.setups import Setup, SetupRefused, setups_on
from ballast.core.stops import StopRules
from ballast.core.trusted import trust_of_views
from ballast.strategy.startup import refuse_unsafe
from ballast.strategy.state import LayerState
from ballast.strategy.warm_up import checked_startup, probe

logger = logging.getLogger(__name__)


class SignalStrategy(IStrategy):
    """What a strategy states, and the frames that follow from it."""

    __module__ = "ballast.strategy.signals"  # see `strategy/__init__.py`

    INTERFACE_VERSION = 3
    can_short = False
    process_only_new_candles = True

    stops: ClassVar[StopRules]
    # Share of the usual risk that a trade of this strategy takes.
    size: ClassVar[float] = 1.0
    atr_window: ClassVar[str] = "1d"

    # Of the layer before it.
    _ballast: LayerState

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)

    def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        """
        Rules that must all be met to enter, by name (see `core.rules` and `core.combinations`).

        Parameters
        ----------
        pair, market : Candles
            The pair and the market leader, on the pair's candles.
        """
        raise SetupRefused(
            f"{type(self).__name__} has no entry_rules: expected a method that gives rules by name"
        )

    def exit_rules(self, pair: Candles, market: Market) -> Mapping[str, Rule | Sell]:
        """
        Rules and sales any of which leaves, by name; none unless a strategy says so.

        What follows from the trade (a profit, its time, a part of it) is said with `sell`.
        """
        return {}

    @classmethod
    def setup(cls, parameters: "SignalStrategy", pair: Candles, market: Market) -> Setup:
        """
        The way into a position of this class of strategy, with the parameters of `parameters`:
        itself, or a strategy that combines several and has the parameters of them all.
        """
        entry = cls.entry_rules(parameters, pair, market)
        leave = cls.exit_rules(parameters, pair, market)
        stops: Any = getattr(cls, "stops", None)
        return Setup(cls.__name__, entry, stops, leave, cls.size)

    def setups(self, pair: Candles, market: Market) -> list[Setup]:
        """Ways into a position, in order of precedence; one unless a strategy combines several."""
        return [self.setup(self, pair, market)]

    def lines(self, pair: Candles, market: Market) -> dict[str, pd.Series]:
        """Prices to draw in charts beside the candles, by name."""
        return {}

    @property
    def startup_candle_count(self) -> int:
        """Candles before the first signal: the longest window that the rules ask for."""
        return checked_startup(self)

    @property
    def plot_config(self) -> dict[str, Any]:
        """Lines, account, shocks and rules for the charts (see `drawing.plot_config`)."""
        pair, market = probe(self.timeframe)
        lines, account = self.lines(pair, market), self._ballast.draws_account
        return drawing.plot_config(lines, self._probed_setups(), account=account)

    def plot_annotations(
        self,
        pair: str,
        start_date: datetime,
        end_date: datetime,
        dataframe: pd.DataFrame,
        **kwargs: Any,
    ) -> list[dict[str, Any]]:
        """Regimes, cooldowns, halts and stops of trades (see `charts.annotated`)."""
        return self._ballast.annotated(pair, lambda: dataframe)

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """
        Add what is true of the pair whatever the strategy (see `signals.state_columns`).

        Live it is added with the signals, which follow at once.
        """
        pair, market = self._views(dataframe, metadata["pair"])
        limits = self._ballast.settings.trust.limits(self._ballast.warmup)
        state = signals.state_columns(pair, market, limits, self.atr_window)
        live = self._ballast.decisions.connected.feeds.live
        frame = dataframe if live else with_columns(dataframe, state)
        return self._ballast.views.goes_on(frame, state)

    def advise_entry(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """
        Without Freqtrade's column of empty tags, which costs as much as several indicators: ours
        takes its place.
        """
        return self.populate_entry_trend(dataframe, metadata)

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Add rules, signal, tag (see `signals.signal_columns`), and keep what callbacks need."""
        session = self._ballast.decisions.connected
        if not session.feeds.live:
            # Hyperopt sets values anew at every epoch.
            refuse_unsafe(self)
        pair, market = self._views(dataframe, metadata["pair"])
        setups = [self._overridden(setup) for setup in setups_on(self, pair, market)]
        limits = self._ballast.settings.trust.limits(0)
        others = trust_of_views((pair, market), limits)
        state = self._ballast.views.state(dataframe)
        # Other candles that the rules have asked for, too.
        trust = np.maximum(state["trust"], others)
        columns = {} if "atr" in dataframe else dict(state)
        columns |= signals.signal_columns(trust, setups)
        if not np.array_equal(trust, state["trust"]):
            columns["trust"] = trust
        lines = {name: line.to_numpy() for name, line in self.lines(pair, market).items()}
        if session.feeds.drawn:
            stop = self._ballast.disaster_ratio()
            close = pair.base.values("close")
            columns |= drawing.columns(close, state, columns["setup"], setups, stop)
            columns |= session.account_columns(pair.base.opened)
            lines = {name: drawing.shown(line) for name, line in lines.items()}
        columns |= lines
        frame = with_columns(dataframe, columns)
        session.columns_by_pair[metadata["pair"]] = signals.columns_of(
            pair, {**state, "trust": trust}, setups
        )
        session.stop_rules.update({setup.name: setup.stops for setup in setups})
        session.sizes.update({setup.name: setup.size for setup in setups})
        session.sales.update({setup.name: setup.sales for setup in setups})
        self._adjust_where_parts_are_sold(setups)
        if session.rulebooks is not None:
            exits = {setup.name: setup.read_for_exit for setup in setups}
            book = Rulebook({setup.name: setup.entry for setup in setups}, exits=exits)
            session.rulebooks[metadata["pair"]] = book
        return frame

    def advise_exit(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Exits by rule depend on the trade's setup and are taken in `custom_exit`."""
        return dataframe

    populate_exit_trend = advise_exit

    def _views(self, dataframe: pd.DataFrame, name: str) -> tuple[Candles, Market]:
        state = self._ballast
        limits = state.settings.trust.limits(state.warmup)
        return state.views.of(state.decisions.connected, name, dataframe, limits)

    def _probed_setups(self) -> list[Setup]:
        """
        What the strategy states, asked on a few candles.

        Raises
        ------
        OperationalException
            Where it would never buy.
        """
        setups = setups_on(self, *probe(self.timeframe))
        bare = [f"{setup.name}.entry" for setup in setups if not setup.entry]
        if bare or not setups:
            what = bare[0] if bare else f"{type(self).__name__}.setups"
            raise OperationalException(
                f"{what} is empty, so that nothing is ever bought: state one"
            )
        return setups

    def _adjust_where_parts_are_sold(self, setups: Sequence[Setup]) -> None:
        """Let Freqtrade ask `adjust_trade_position`, once a setup sells positions in parts."""
        if any(sale.is_partial for setup in setups for sale in setup.sales.values()):
            self._ballast.sells_parts = True
            self.position_adjustment_enable = self.config["position_adjustment_enable"] = True

    def _overridden(self, setup: Setup) -> Setup:
        wanted = self._ballast.stops_wanted
        if not wanted:
            return setup
        return dataclasses.replace(setup, stops=dataclasses.replace(setup.stops, **wanted))
