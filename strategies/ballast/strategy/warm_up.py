"""The warm-up of a strategy: found by asking its rules on a few candles."""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd
from freqtrade.exceptions import OperationalException

from ballast.core import frames
from ballast.core.candles import Candles
from ballast.core.data_quality import DataQualityLimits
from ballast.core.market import Market
from ballast.core.measured import MeasuredCandles
from ballast.core.signals import SetupRefused, StatesRules, setups_on, state_columns
from ballast.core.windows import minutes
from ballast.data.feeds import BASKET, LEADER, TRADED, AskedFrame

# Freqtrade makes at most five requests of a thousand candles, the last of which is still forming.
MOST_CANDLES = 4999
_PROBE_CANDLES = 2


class Needs(NamedTuple):
    """Candles before the first signal, and whose frames are wanted beside those always there."""

    candles: int
    frames: frozenset[AskedFrame]


def checked_startup(strategy: StatesRules) -> int:
    """Candles a strategy needs before its first signal (see `needs`)."""
    return needs(strategy).candles


def needs(strategy: StatesRules) -> Needs:
    """
    What a strategy needs before its first signal, found by asking its rules on a few candles.

    Raises
    ------
    OperationalException
        When a window is shorter than two candles, or needs more candles than can be had.
    """
    timeframe = strategy.timeframe
    asked = _Asked(timeframe)
    pair, market = asked.pair, asked.market
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
    return Needs(needed, frozenset(asked.frames))


def probe(timeframe: str) -> tuple[Candles, Market]:
    """The shortest market on which every rule can be asked: a few equal candles."""
    asked = _Asked(timeframe)
    return asked.pair, asked.market


class _Asked:
    """A market of a few equal candles that notes which frames are asked for."""

    def __init__(self, timeframe: str) -> None:
        self._timeframe = timeframe
        self.frames: set[AskedFrame] = set()
        step = pd.Timedelta(minutes=minutes(timeframe))
        dates = pd.date_range("2024-01-01", periods=_PROBE_CANDLES, freq=step, tz="UTC")
        self._frame = pd.DataFrame(
            {name: dates if name == "date" else 1.0 for name in frames.PRICES}
        )
        self.pair = Candles(self._frame, timeframe, source=self, name=TRADED)
        basket = {BASKET: self.pair.slow}
        self.market = Market(self._frame, timeframe, basket, source=self, name=LEADER)

    @property
    def basket(self) -> Sequence[str]:
        """One pair stands for all."""
        return (BASKET,)

    def of(self, pair: str) -> Candles:
        """Another pair, which looks like the first."""
        self._note(pair, self._timeframe)
        if minutes(self._timeframe) < minutes(frames.SLOW_TIMEFRAME):
            self._note(pair, frames.SLOW_TIMEFRAME)
        return Candles(self._frame, self._timeframe, source=self, name=pair)

    def grouped(self, pair: str, candles: MeasuredCandles, to: str) -> MeasuredCandles:
        """Candles of a coarser timeframe: too few to make one."""
        self._note(pair, frames.read_in(self._timeframe, to))
        return MeasuredCandles(frames.grouped(candles.frame, self._timeframe, to, None), to)

    def _note(self, pair: str, timeframe: str) -> None:
        if pair in (TRADED, LEADER) and timeframe == self._timeframe:
            return
        self.frames.add((pair, timeframe))
