"""The warm-up of a strategy: found by asking its rules on a few candles."""

import pandas as pd
from freqtrade.exceptions import OperationalException

from ballast.core.candles import Candles
from ballast.core.data_quality import DataQualityLimits
from ballast.core.frames import PRICES
from ballast.core.market import Market
from ballast.core.signals import SetupRefused, StatesRules, setups_on, state_columns
from ballast.core.windows import minutes

# Freqtrade makes at most five requests of a thousand candles, the last of which is still forming.
MOST_CANDLES = 4999
_PROBE_CANDLES = 2


def checked_startup(strategy: StatesRules) -> int:
    """
    Candles a strategy needs before its first signal, found by asking its rules on a few candles.

    Raises
    ------
    OperationalException
        When a window is shorter than two candles, or needs more candles than can be had.
    """
    timeframe = strategy.timeframe
    pair, market = probe(timeframe)
    try:
        state_columns(pair, market, DataQualityLimits(), strategy.atr_window)
        setups = setups_on(strategy, pair, market)
        strategy.lines(pair, market)
    except SetupRefused as refusal:
        raise OperationalException(str(refusal)) from None
    except ValueError as error:
        name = type(strategy).__name__
        raise OperationalException(f"{name} cannot run on timeframe {timeframe}: {error}") from None
    history = max((setup.history for setup in setups), default=0)
    needed = max(pair.warmup, market.warmup) + history
    if needed > MOST_CANDLES:
        raise OperationalException(
            f"{type(strategy).__name__} cannot run on timeframe {timeframe}: its longest window "
            f"needs {needed} candles, at most {MOST_CANDLES} can be had"
        )
    return needed


def probe(timeframe: str) -> tuple[Candles, Market]:
    """The shortest market on which every rule can be asked: a few equal candles."""
    step = pd.Timedelta(minutes=minutes(timeframe))
    dates = pd.date_range("2024-01-01", periods=_PROBE_CANDLES, freq=step, tz="UTC")
    frame = pd.DataFrame({name: dates if name == "date" else 1.0 for name in PRICES})
    pair = Candles(frame, timeframe)
    return pair, Market(frame, timeframe, {"probe": pair.slow})
