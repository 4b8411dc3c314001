"""`guarded(X)`: the layer under a strategy that exists, unchanged.

    from ballast import guarded
    from MACDStrategy import MACDStrategy

    class GuardedMACD(guarded(MACDStrategy)): ...

What of theirs is heard, and how, is said in `docs/foreign-strategies.md`; each line is a test.
"""

import logging
import sys
from copy import copy, deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
from freqtrade.exceptions import OperationalException
from freqtrade.optimize.hyperopt_tools import HyperoptTools
from freqtrade.strategy import IStrategy
from freqtrade.strategy.parameters import BaseParameter

from ballast.core.candles import Candles
from ballast.core.frames import PRICES
from ballast.core.market import Market
from ballast.core.reasons import Reason
from ballast.core.refusals import refused
from ballast.core.signals import Setup, add_state, columns_of
from ballast.core.sizing import NO_TRADE
from ballast.core.windows import minutes
from ballast.risk.protection_list import EVERY_CANDLE
from ballast.strategy.conditional import implements, needed_for
from ballast.strategy.fail_closed import fail_closed
from ballast.strategy.foreign_signals import FrameRefused, checked, rulebook, single_tags
from ballast.strategy.layer import Layer
from ballast.strategy.startup import refuse_configuration, refuse_unsafe_layer
from ballast.strategy.state import DISASTER_STOP, ORDER_TYPES
from ballast.strategy.warm_up import checked_startup

logger = logging.getLogger(__name__)

ATR_WINDOW = "1d"
# Exits wait for no price, and the stop rests on the exchange, whatever theirs say.
_MUST = {
    name: ORDER_TYPES[name]
    for name in ORDER_TYPES
    if name not in ("force_entry", "stoploss_on_exchange_interval")
}
# Callbacks of theirs that the layer asks itself.
_ASKED = ("bot_loop_start", "custom_stake_amount", "confirm_trade_entry", "order_filled")


class _Needs:
    """What the layer itself needs of candles, for the warm-up."""

    atr_window = ATR_WINDOW

    def __init__(self, timeframe: str) -> None:
        self.timeframe = timeframe

    def setups(self, pair: Candles, market: Market) -> list[Setup]:
        return []

    def lines(self, pair: Candles, market: Market) -> dict[str, pd.Series]:
        return {}


class ForeignLayer(Layer):
    """The layer before a strategy that knows nothing of it."""

    __module__ = "ballast.strategy.foreign"  # see `strategy/__init__.py`

    _own: ClassVar[type[IStrategy]]
    _own_file: ClassVar[str]

    startup_candle_count: int

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        # Long spot alone is traded: short signals are named by `adopt`, and not heard.
        self.can_short = False
        self.process_only_new_candles = True
        self.order_types = {**ORDER_TYPES, **self.order_types, **_MUST}
        if not implements(self._own, "adjust_trade_position"):
            self.position_adjustment_enable = False
        refuse_configuration(self)
        needed = checked_startup(_Needs(self.timeframe))
        self.startup_candle_count = max(self.startup_candle_count, needed)
        state = self._ballast
        state.extra_protections += [
            {**entry, EVERY_CANDLE: True} for entry in self._behind().protections
        ]
        state.check_protections()

    def ft_bot_start(self, **kwargs: Any) -> None:
        """Refuse what is unsafe before anything is touched, and after the last word of settings."""
        self._hold_attributes()
        self._refuse_unsafe()
        super().ft_bot_start(**kwargs)
        self._refuse_unsafe()

    def _refuse_unsafe(self) -> None:
        refuse_unsafe_layer(self)

    def _hold_attributes(self) -> None:
        if self.stoploss < DISASTER_STOP:
            self._ballast.own_stoploss = self.stoploss
            self.stoploss = DISASTER_STOP

    def load_params_from_file(self) -> dict[str, Any]:
        """Parameters beside the user's own file, or else those beside theirs, which is said."""
        own: dict[str, Any] = super().load_params_from_file()
        path = Path(self._own_file).with_suffix(".json")
        if own or not path.is_file():
            return own
        theirs: dict[str, Any] = HyperoptTools.load_params_from_file(path)
        if theirs.get("strategy_name") != self._own.__name__:
            raise OperationalException(
                f"{path} is of {theirs.get('strategy_name')!r}: expected {self._own.__name__!r}"
            )
        logger.info("parameters of %s are taken from %s", type(self).__name__, path)
        return theirs

    def version(self) -> str:
        """Theirs, and that of the layer."""
        theirs = self._behind().version()
        return f"{theirs}, {super().version()}" if theirs else super().version()

    def analyze_ticker(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Live: analyse; where that fails Freqtrade keeps the old frame, and nothing is bought."""
        pair = metadata["pair"]
        self._ballast.unanalysed.add(pair)
        try:
            analysed = super().analyze_ticker(dataframe, metadata)
        except Exception as error:
            self._ballast.incident("populate_indicators", error)
            raise
        self._ballast.unanalysed.discard(pair)
        return analysed

    def advise_entry(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Their entry signals, beside what the layer sees of the pair's own candles."""
        self._see(metadata["pair"])
        return single_tags(super().advise_entry(dataframe, metadata))

    def advise_exit(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Their exit signals; then their frame is checked, and read for the journal."""
        frame, pair = super().advise_exit(dataframe, metadata), metadata["pair"]
        session = self._ballast.decisions.connected
        columns = session.columns_by_pair[pair]
        try:
            checked(frame, columns)
        except FrameRefused as error:
            raise OperationalException(f"{self._own.__name__}, {pair}: {error}") from None
        if session.rulebooks is not None:
            hours = minutes(self.timeframe) / 60
            session.rulebooks[pair] = rulebook(self._own.__name__, frame, hours)
        return frame

    @fail_closed(refusal=NO_TRADE)
    def custom_stake_amount(self, pair: str, current_time: datetime, **asked: Any) -> float:
        """Nothing on a frame that could not be analysed; else as `Layer.custom_stake_amount`."""
        if pair in self._ballast.unanalysed:
            refusal = refused(Reason.STRATEGY_FAILED, 1, 0, "its last candle could not be analysed")
            self._ballast.decisions.tell(pair, current_time, refusal)
            return NO_TRADE
        return super().custom_stake_amount(pair=pair, current_time=current_time, **asked)

    def _see(self, pair: str) -> None:
        """Work out what callbacks look up, from the candles as they are, whatever theirs change."""
        state = self._ballast
        session = state.decisions.connected
        limits = state.settings.trust.limits(state.warmup)
        frame = session.feeds.own(pair)
        seen, market = state.views.of(session, pair, frame, limits)
        own = frame[PRICES].copy()
        add_state(own, seen, market, limits, ATR_WINDOW)
        session.columns_by_pair[pair] = columns_of(own, self.timeframe, [])


def guarded(theirs: type[IStrategy], layer: type[ForeignLayer] = ForeignLayer) -> type[Any]:
    """
    A class that holds a strategy under the layer, to derive one's own class from.

    Parameters
    ----------
    theirs : type of IStrategy
        As it is; nothing of it is changed.
    layer : type of ForeignLayer
        What stands before it.

    Raises
    ------
    OperationalException
        Where it is no strategy, or one under the layer already.
    """
    if not (isinstance(theirs, type) and issubclass(theirs, IStrategy)):
        raise OperationalException(f"guarded({theirs!r}): expected a class of Freqtrade strategy")
    if issubclass(theirs, Layer):
        raise OperationalException(f"{theirs.__name__} is under the layer already")
    module = sys.modules.get(theirs.__module__)
    namespace: dict[str, Any] = {
        # Without it Hyperopt's workers take the class for one of `abc`.
        "__module__": layer.__module__,
        "_own": theirs,
        "_own_file": getattr(module, "__file__", None) or theirs.__file__,
        "_theirs": frozenset(name for name in _ASKED if implements(theirs, name)),
        **needed_for(theirs),
        **_state_of(theirs),
    }
    metaclass: Any = type(layer)
    made: type[Any] = metaclass(f"Guarded{theirs.__name__}Base", (layer, theirs), namespace)
    return made


def _state_of(theirs: type[IStrategy]) -> dict[str, Any]:
    """
    Parameters and collections of their classes, copied.

    Values are set on them, and a module that is imported is shared by all that load it, where
    Freqtrade would have loaded a strategy of its own each time.
    """
    found: dict[str, Any] = {}
    for base in reversed(theirs.__mro__[: theirs.__mro__.index(IStrategy)]):
        for name, value in vars(base).items():
            if isinstance(value, BaseParameter):
                found[name] = copy(value)
            elif isinstance(value, dict | list | set) and not name.startswith("__"):
                found[name] = deepcopy(value)
            else:
                found.pop(name, None)
    return found
