"""Checked before a strategy may run: its warm-up, and that it leaves the risk layer alone."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pandas as pd
from freqtrade.exceptions import OperationalException
from freqtrade.strategy import IStrategy

from ballast.core.candles import Candles
from ballast.core.data_quality import DataQualityLimits
from ballast.core.frames import PRICES
from ballast.core.market import Market
from ballast.core.signals import Setup, add_state
from ballast.core.windows import minutes

# Freqtrade makes at most five requests of a thousand candles, the last of which is still forming.
MOST_CANDLES = 4999
_PROBE_CANDLES = 2
# Settings of Freqtrade's that must be as they are here.
_NEEDED = {
    "use_custom_stoploss": True,
    "use_exit_signal": True,
    "trailing_stop": False,
    "position_adjustment_enable": False,
}
# Order types of all that leaves a position.
_LEAVES = ("exit", "emergency_exit", "force_exit", "stoploss")
# A stop at -99 % is none, and one at -1 % is hit before the managed stop.
DISASTER_STOP = (-0.3, -0.02)
# What a strategy is meant to state.
_FREE = {"entry_rules", "exit_rules", "setups", "lines", "plot_config", "plot_annotations"}


class OverrideRefused(OperationalException, TypeError):
    """A strategy redefines what the risk layer lives in; Freqtrade shows the sentence alone."""


class StatesRules(Protocol):
    """What is asked for the longest window of a strategy."""

    timeframe: str
    atr_window: Any

    def setups(self, pair: Candles, market: Market) -> Sequence[Setup]:
        """Ways into a position."""

    def lines(self, pair: Candles, market: Market) -> Mapping[str, pd.Series]:
        """Prices to draw in charts."""


def refuse_overrides(strategy: type, bases: tuple[type, ...]) -> None:
    """
    Refuse a strategy class that redefines a callback of `bases`, in which the risk layer lives.

    Raises
    ------
    OverrideRefused
        Naming the class and the callbacks.
    """
    if "protections" in vars(strategy):
        raise OverrideRefused(
            f"{strategy.__name__} redefines protections, which would leave the guards out: "
            "name its own in extra_protections instead, they are added"
        )
    members = [member for base in bases for member in vars(base).items()]
    taken = {name for name, member in members if callable(member) or isinstance(member, property)}
    taken = {name for name in taken if not name.startswith("__")} - _FREE
    overridden = sorted(taken & set(vars(strategy)))
    if overridden:
        raise OverrideRefused(
            f"{strategy.__name__} redefines {', '.join(overridden)}: the risk controls live there; "
            "state entry_rules, exit_rules and stops instead"
        )


def refuse_unsafe(strategy: IStrategy, config: Mapping[str, Any]) -> None:
    """
    Refuse settings of Freqtrade's under which the risk layer would not hold.

    Raises
    ------
    OperationalException
        Naming the setting, its value and what is accepted.
    """
    for name, wanted in _NEEDED.items():
        value = config.get(name, getattr(strategy, name))
        if value is not wanted:
            raise OperationalException(
                f"{name} is {value!r}: expected {wanted!r}, the stops are moved by Ballast"
            )
    types = config.get("order_types", strategy.order_types)
    for name in _LEAVES:
        if types.get(name, "market") != "market":
            raise OperationalException(
                f"order_types.{name} is {types[name]!r}: expected 'market', what leaves a position "
                "does not wait for a price"
            )
    stoploss = config.get("stoploss", strategy.stoploss)
    deepest, tightest = DISASTER_STOP
    if not deepest <= stoploss <= tightest:
        raise OperationalException(
            f"stoploss is {stoploss!r}: expected a disaster stop from {deepest} to {tightest}"
        )


def checked_startup(strategy: "StatesRules") -> int:
    """
    Candles a strategy needs before its first signal, found by asking its rules on a few candles.

    Raises
    ------
    OperationalException
        When a window is shorter than two candles, or needs more candles than can be had.
    """
    timeframe = strategy.timeframe
    frame, pair, market = probe(timeframe)
    try:
        add_state(frame, pair, market, DataQualityLimits(), strategy.atr_window)
        strategy.setups(pair, market)
        strategy.lines(pair, market)
    except ValueError as error:
        name = type(strategy).__name__
        raise OperationalException(f"{name} cannot run on timeframe {timeframe}: {error}") from None
    needed = max(pair.warmup, market.warmup)
    if needed > MOST_CANDLES:
        raise OperationalException(
            f"{type(strategy).__name__} cannot run on timeframe {timeframe}: its longest window "
            f"needs {needed} candles, at most {MOST_CANDLES} can be had"
        )
    return needed


def probe(timeframe: str) -> tuple[pd.DataFrame, Candles, Market]:
    """The shortest market on which every rule can be asked: a few equal candles."""
    step = pd.Timedelta(minutes=minutes(timeframe))
    dates = pd.date_range("2024-01-01", periods=_PROBE_CANDLES, freq=step, tz="UTC")
    frame = pd.DataFrame({name: dates if name == "date" else 1.0 for name in PRICES})
    return frame, Candles(frame, timeframe), Market(frame, timeframe, {"probe": frame})
