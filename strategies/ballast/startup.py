"""What is checked before a strategy may run: its warm-up and that it leaves the risk layer alone."""

from typing import TYPE_CHECKING

import pandas as pd
from freqtrade.exceptions import ConfigurationError

from ballast.analysis import add_state
from ballast.core.candles import Candles
from ballast.core.frames import PRICES
from ballast.core.market import Market
from ballast.core.trust import TrustLimits
from ballast.core.windows import minutes

if TYPE_CHECKING:
    from ballast.strategy import GuardedStrategy

# Freqtrade makes at most five requests of a thousand candles, the last of which is still forming.
MOST_CANDLES = 4999
_PROBE_CANDLES = 2
# What a strategy is meant to state.
_FREE = {"entry_rules", "exit_rules", "setups", "lines"}


def refuse_overrides(strategy: type, base: type) -> None:
    """
    Refuse a strategy class that redefines a callback the risk layer lives in.

    Raises
    ------
    TypeError
        Naming the class and the callbacks.
    """
    members = vars(base).items()
    taken = {name for name, member in members if callable(member) or isinstance(member, property)}
    taken = {name for name in taken if not name.startswith("__")} - _FREE
    overridden = sorted(taken & set(vars(strategy)))
    if overridden:
        raise TypeError(
            f"{strategy.__name__} redefines {', '.join(overridden)}: the risk controls live there; "
            "state entry_rules, exit_rules and stops instead"
        )


def checked_startup(strategy: "GuardedStrategy") -> int:
    """
    Candles a strategy needs before its first signal, found by asking its rules on a few candles.

    Raises
    ------
    ConfigurationError
        When a window is shorter than a candle, or needs more candles than can be had.
    """
    timeframe = strategy.timeframe
    frame = _probe(timeframe)
    pair, market = Candles(frame, timeframe), Market(frame, timeframe, {"probe": frame})
    try:
        add_state(frame, pair, market, TrustLimits(), strategy.atr_window)
        strategy.setups(pair, market)
    except ValueError as error:
        name = type(strategy).__name__
        raise ConfigurationError(f"{name} cannot run on timeframe {timeframe}: {error}") from None
    needed = max(pair.warmup, market.warmup)
    if needed > MOST_CANDLES:
        raise ConfigurationError(
            f"{type(strategy).__name__} cannot run on timeframe {timeframe}: its longest window "
            f"needs {needed} candles, at most {MOST_CANDLES} can be had"
        )
    return needed


def _probe(timeframe: str) -> pd.DataFrame:
    """The shortest frame on which every indicator can be asked: a few equal candles."""
    step = pd.Timedelta(minutes=minutes(timeframe))
    dates = pd.date_range("2024-01-01", periods=_PROBE_CANDLES, freq=step, tz="UTC")
    return pd.DataFrame({name: dates if name == "date" else 1.0 for name in PRICES})
