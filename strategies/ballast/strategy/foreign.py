"""`guarded(X)`: the layer under a strategy that exists, unchanged.

    from ballast import guarded
    from MACDStrategy import MACDStrategy

    class GuardedMACD(guarded(MACDStrategy)): ...

What of theirs is heard, and how, is said in `docs/foreign-strategies.md`; each line is a test.
"""

import inspect
import logging
import sys
from collections.abc import Iterator
from copy import copy, deepcopy
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import Any, ClassVar

from freqtrade.exceptions import FreqtradeException, OperationalException
from freqtrade.optimize.hyperopt_tools import HyperoptTools
from freqtrade.strategy import IStrategy
from freqtrade.strategy.parameters import BaseParameter

from ballast.config.protections import EVERY_CANDLE
from ballast.core.reasons import Reason
from ballast.core.refusals import refused
from ballast.core.sizing import NO_TRADE
from ballast.strategy import quiet
from ballast.strategy.conditional import implements, needed_for
from ballast.strategy.fail_closed import fail_closed
from ballast.strategy.foreign_exits import ForeignExits
from ballast.strategy.foreign_frames import ForeignFrames
from ballast.strategy.layer import Layer
from ballast.strategy.raised import raised
from ballast.strategy.startup import refuse_configuration, refuse_unsafe_layer
from ballast.strategy.state import DISASTER_STOP, ORDER_TYPES, todays_order_types

logger = logging.getLogger(__name__)

# Exits wait for no price, and the stop rests on the exchange, whatever theirs say.
_MUST = {
    name: ORDER_TYPES[name]
    for name in ORDER_TYPES
    if name not in ("force_entry", "stoploss_on_exchange_interval")
}
# Callbacks of theirs that the layer asks itself.
_ASKED = {"bot_loop_start", "custom_stake_amount", "confirm_trade_entry", "order_filled"}
# What Freqtrade's messages and reports read in the configuration, where it copied theirs at load.
_SHOWN = (
    "stoploss",
    "use_custom_stoploss",
    "order_types",
    "position_adjustment_enable",
    "process_only_new_candles",
    "ignore_buying_expired_candle_after",
)
_stated = attrgetter(*_SHOWN)
# Attributes that the layer sets: one that cannot be set is none that can be held.
_SET = (*_SHOWN, "can_short")


class ForeignLayer(ForeignFrames, ForeignExits, Layer):
    """The layer before a strategy that knows nothing of it."""

    __module__ = "ballast.strategy.foreign"  # see `strategy/__init__.py`

    # Empty where theirs stands in the user's own file: Freqtrade imports it under no name.
    _own_file: ClassVar[str]
    _instead: ClassVar[str] = "state it in its class"

    # Theirs may be a property; what it says is taken over when the strategy is made.
    startup_candle_count: int = 0
    can_short: bool
    position_adjustment_enable: bool

    def __init__(self, config: dict[str, Any]) -> None:
        try:
            super().__init__(config)
        except FreqtradeException:
            raise
        except Exception as error:
            own = self._own.__name__
            raise OperationalException(f"{own} cannot be made: {raised(error)}") from error
        _refuse_clashes(type(self)._own, set(vars(self)))
        state = self._ballast
        # Long spot alone is traded: short signals are not heard, which is said at the start.
        state.shorts = bool(self.can_short)
        self.can_short = False
        self.process_only_new_candles = True
        self.order_types = {**ORDER_TYPES, **todays_order_types(self.order_types), **_MUST}
        refuse_configuration(self)
        self._ballast_take_over_startup(config)

    def _ballast_take_over_startup(self, config: dict[str, Any]) -> None:
        """As many candles as the layer needs at least; the configuration wins over theirs."""
        theirs = vars(self).get("startup_candle_count", self._behind().startup_candle_count)
        stated = config.get("startup_candle_count", theirs) or 0
        try:
            wanted = int(stated)
        except (TypeError, ValueError, OverflowError):
            raise OperationalException(
                f"startup_candle_count of {self._own.__name__} is {stated!r}: expected a whole "
                "number of candles"
            ) from None
        self.startup_candle_count = max(wanted, self._ballast_needed_candles(config))
        if "startup_candle_count" in config:
            config["startup_candle_count"] = self.startup_candle_count

    def ft_bot_start(self, **kwargs: Any) -> None:
        """Refuse what is unsafe before anything is touched, and after the last word of settings."""
        self._hold_attributes()
        self._refuse_unsafe()
        super().ft_bot_start(**kwargs)
        self._refuse_unsafe()
        own = self._own.__name__
        if self._ballast.shorts:
            logger.warning("%s: its short signals are not heard, spot alone", own)
        if implements(self._own, "leverage"):
            logger.warning("%s: its leverage is not heard, spot alone", own)

    def _refuse_unsafe(self) -> None:
        refuse_unsafe_layer(self)

    def _hold_attributes(self) -> None:
        super()._hold_attributes()
        state = self._ballast
        if self.stoploss < DISASTER_STOP:
            # The distance of their trailing stop, whatever holds.
            state.own_stoploss = self.stoploss
            self.stoploss = DISASTER_STOP
        elif self.stoploss > DISASTER_STOP:
            state.own_stoploss = None
        if self.position_adjustment_enable and not implements(self._own, "adjust_trade_position"):
            # A configuration may have switched it on.
            self.position_adjustment_enable = False
        stated = _stated(self)
        if stated != state.shown:
            state.shown = stated
            self.config.update(zip(_SHOWN, stated, strict=True))

    def load_params_from_file(self) -> dict[str, Any]:
        """Parameters beside the user's own file, or else those beside theirs, which is said."""
        own: dict[str, Any] = super().load_params_from_file()
        if own or not self._own_file:
            return own
        path = Path(self._own_file).with_suffix(".json")
        if not path.is_file():
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

    @property
    def protections(self) -> list[dict[str, Any]]:
        """Freqtrade's protections: the guards, theirs and those of the settings."""
        return super().protections

    @protections.setter
    def protections(self, listed: list[dict[str, Any]]) -> None:
        self._ballast.set_by_theirs["protections"] = listed

    def _ballast_their_protections(self) -> list[dict[str, Any]]:
        # Asked anew each time: parameters get their values late, and anew with every epoch.
        own = self._own.__name__
        try:
            theirs = self._ballast.set_by_theirs.get("protections", self._behind().protections)
        except Exception as error:
            raise OperationalException(f"{own}: protections {raised(error)}") from error
        listed = theirs or []
        if not (isinstance(listed, list | tuple) and all(isinstance(e, dict) for e in listed)):
            raise OperationalException(
                f"protections of {own} are {theirs!r}: expected a list of sections, each with a "
                "'method'"
            )
        return deepcopy(list(listed))

    def _ballast_own_protections(self) -> list[dict[str, Any]]:
        return [{**entry, EVERY_CANDLE: True} for entry in self._ballast_their_protections()]

    def informative_pairs(self) -> list[Any]:
        """Ours and theirs; live, a failure of theirs must not end the loop that holds the stops."""
        try:
            return super().informative_pairs()
        except Exception as error:
            session = self._ballast.decisions.session
            if session is None or not session.feeds.live:
                raise
            self._ballast.incident("informative_pairs", error)
            return list(session.feeds.wanted())

    @fail_closed(refusal=NO_TRADE)
    def custom_stake_amount(self, pair: str, current_time: datetime, **asked: Any) -> float:
        """Nothing on a frame that could not be analysed; else as `Layer.custom_stake_amount`."""
        if pair in self._ballast.unanalysed:
            refusal = refused(Reason.STRATEGY_FAILED, 1, 0, "its last candle could not be analysed")
            self._ballast.decisions.tell(pair, current_time, refusal)
            return NO_TRADE
        return super().custom_stake_amount(pair=pair, current_time=current_time, **asked)


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
        Where it is no strategy, one under the layer already, or one that cannot be held.
    """
    if not (isinstance(theirs, type) and issubclass(theirs, IStrategy)):
        raise OperationalException(f"guarded({theirs!r}): expected a class of Freqtrade strategy")
    if issubclass(theirs, Layer):
        raise OperationalException(f"{theirs.__name__} is under the layer already")
    _refuse_clashes(theirs, _names(theirs))
    if missing := sorted(theirs.__abstractmethods__):
        raise OperationalException(f"{theirs.__name__} has no {', '.join(missing)}: add it")
    if awaited := sorted(name for name in dir(IStrategy) if _is_awaited(theirs, name)):
        raise OperationalException(
            f"{theirs.__name__} has {', '.join(awaited)} as async def, which Freqtrade does not "
            "await, and takes for a yes: expected a plain def"
        )
    for name in _SET:
        found = getattr(theirs, name, None)
        if isinstance(found, property) and found.fset is None:
            raise OperationalException(
                f"{theirs.__name__} has {name} as a property, which the layer cannot set: make it "
                "an attribute"
            )
    module = sys.modules.get(theirs.__module__)
    namespace: dict[str, Any] = {
        # Without it Hyperopt's workers take the class for one of `abc`.
        "__module__": layer.__module__,
        "_own": theirs,
        "_own_file": getattr(module, "__file__", None) or theirs.__file__,
        "_own_way_out": any(implements(theirs, n) for n in ("should_exit", "ft_stoploss_reached")),
        "_theirs": frozenset(name for name in _ASKED | quiet.ASKED if implements(theirs, name)),
        **needed_for(theirs),
        **{name: copied for name, copied in _state_of(theirs) if not _is_property(layer, name)},
    }
    metaclass: Any = type(layer)
    made: type[Any] = metaclass(f"Guarded{theirs.__name__}Base", (layer, theirs), namespace)
    return made


def _refuse_clashes(theirs: type[IStrategy], names: set[str]) -> None:
    """Refuse names of theirs, stated or set on itself, that mean something else to the layer."""
    known = {*dir(IStrategy), *inspect.get_annotations(IStrategy), "_ballast"}
    taken = _names(ForeignLayer) - known
    if clashes := sorted(name for name in taken & names if not name.startswith("__")):
        raise OperationalException(
            f"{theirs.__name__} has {', '.join(clashes)} of its own, which the layer needs: rename"
        )


def _names(strategy: type[IStrategy]) -> set[str]:
    """What a strategy's classes have beyond Freqtrade's own."""
    bases = strategy.__mro__[: strategy.__mro__.index(IStrategy)]
    return {name for base in bases for name in (*vars(base), *inspect.get_annotations(base))}


def _is_awaited(owner: type, name: str) -> bool:
    return inspect.iscoroutinefunction(inspect.getattr_static(owner, name, None))


def _is_property(owner: type, name: str) -> bool:
    return isinstance(getattr(owner, name, None), property)


def _state_of(theirs: type[IStrategy]) -> Iterator[tuple[str, Any]]:
    """
    Parameters and collections of their classes, copied.

    Values are set on them, and a module that is imported is shared by all that load it, where
    Freqtrade would have loaded a strategy of its own each time.
    """
    for name in sorted(_names(theirs)):
        value = getattr(theirs, name, None)
        if isinstance(value, BaseParameter):
            yield name, copy(value)
        elif isinstance(value, dict | list | set) and not name.startswith("__"):
            yield name, _copied(value)


def _copied(value: Any) -> Any:
    """A copy in depth; what refuses to be copied (TA-Lib's functions, locks) is shared."""
    try:
        return deepcopy(value)
    except Exception:
        if not isinstance(value, dict | list):
            return value
        made = copy(value)
        for key, each in made.items() if isinstance(made, dict) else enumerate(made):
            made[key] = _copied(each)
        return made
