"""The warm-up of a strategy: found by asking its rules on a few candles."""

import copy
import functools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Self

import pandas as pd
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException
from freqtrade.strategy.parameters import CategoricalParameter, NumericParameter

from ballast.core import frames
from ballast.core.aligned import slow_candles
from ballast.core.candles import Candles
from ballast.core.data_quality import DataQualityLimits
from ballast.core.market import Market
from ballast.core.measured import MeasuredCandles
from ballast.core.setups import SetupRefused, StatesRules, lines_of, setups_on
from ballast.core.signals import state_columns
from ballast.core.windows import minutes
from ballast.data.feeds import BASKET, LEADER, TRADED, AskedFrame
from ballast.strategy.raised import raised

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
    What a strategy needs before its first signal, found by asking its rules on a few candles: with
    its parameters as they are, and as hyperopt or a parameter file may set them.

    Raises
    ------
    OperationalException
        When a window is shorter than two candles, or needs more candles than can be had, and where
        the rules are none or raise. What parameters might be is no reason outside of hyperopt.
    """
    # Of all variants the same, so that what is measured on them is so once.
    equal = _Equal.of(strategy.timeframe)
    found = [_needs(strategy, equal)]
    tries = getattr(strategy, "config", {}).get("runmode") == RunMode.HYPEROPT
    for text, variant in _at_their_ends(strategy):
        try:
            found.append(_needs(variant, equal))
        except OperationalException as error:
            if tries:
                raise OperationalException(f"with {text}: {error}") from None
    return Needs(
        max(one.candles for one in found), frozenset().union(*(one.frames for one in found))
    )


def _at_their_ends(strategy: StatesRules) -> Iterator[tuple[str, StatesRules]]:
    """
    The strategy with each of its parameters, and with all of them, at either end of its range or as
    any of its categories: copies, so that what trades meanwhile sees its own.
    """
    choices = {
        name: parameter.opt_range
        if isinstance(parameter, CategoricalParameter)
        else (parameter.low, parameter.high)
        for name, parameter in sorted(_attributes(strategy).items())
        if isinstance(parameter, CategoricalParameter | NumericParameter)
    }
    variants = [{name: value} for name, values in choices.items() for value in values]
    if len(choices) > 1:
        variants += [{name: values[end] for name, values in choices.items()} for end in (0, -1)]
    for values in variants:
        variant = copy.copy(strategy)
        for name, value in values.items():
            parameter = copy.copy(getattr(strategy, name))
            parameter.value = value
            setattr(variant, name, parameter)
        yield ", ".join(f"{name} = {value!r}" for name, value in values.items()), variant


def _attributes(strategy: StatesRules) -> dict[str, Any]:
    """A strategy's own and those of its classes, as they are there: no property is asked."""
    layers = (*reversed(type(strategy).__mro__), strategy)
    return {name: value for layer in layers for name, value in vars(layer).items()}


def _needs(strategy: StatesRules, equal: "_Equal") -> Needs:
    name, timeframe = type(strategy).__name__, strategy.timeframe
    asked = _Asked(equal)
    pair, market = asked.pair, asked.market
    try:
        of_state = _state_needs(timeframe, strategy.atr_window)
        setups = setups_on(strategy, pair, market)
        lines_of(strategy, pair, market)
    except SetupRefused as refusal:
        raise OperationalException(str(refusal)) from None
    except ValueError as error:
        raise OperationalException(f"{name} cannot run on timeframe {timeframe}: {error}") from None
    except Exception as error:
        raise OperationalException(f"{name} was asked for its rules: {raised(error)}") from error
    history = max((setup.history for setup in setups), default=0)
    needed = max(of_state.candles, pair.warmup, market.warmup) + history
    if needed > MOST_CANDLES:
        raise OperationalException(
            f"{name} cannot run on timeframe {timeframe}: its longest window "
            f"needs {needed} candles, at most {MOST_CANDLES} can be had"
        )
    return Needs(needed, frozenset(asked.frames) | of_state.frames)


@functools.cache
def _state_needs(timeframe: str, atr_window: str) -> Needs:
    """Of what is true of a pair whatever the strategy: whatever its parameters, too."""
    asked = _Asked(_Equal.of(timeframe))
    state_columns(asked.pair, asked.market, DataQualityLimits(), atr_window)
    return Needs(max(asked.pair.warmup, asked.market.warmup), frozenset(asked.frames))


def probe(timeframe: str) -> tuple[Candles, Market]:
    """The shortest market on which every rule can be asked: a few equal candles."""
    asked = _Asked(_Equal.of(timeframe))
    return asked.pair, asked.market


class _Equal(NamedTuple):
    """A few equal candles, those that windows are measured on, and a market of them."""

    own: MeasuredCandles
    slow: MeasuredCandles
    market: Market

    @classmethod
    def of(cls, timeframe: str) -> Self:
        step = pd.Timedelta(minutes=minutes(timeframe))
        dates = pd.date_range("2024-01-01", periods=_PROBE_CANDLES, freq=step, tz="UTC")
        frame = pd.DataFrame({name: dates if name == "date" else 1.0 for name in frames.PRICES})
        own, slow = MeasuredCandles(frame, timeframe), slow_candles(frame, timeframe)
        return cls(own, slow, Market(frame, timeframe, {BASKET: slow}, slow, own=own))


class _Asked:
    """A market of a few equal candles that notes which frames are asked for."""

    def __init__(self, equal: _Equal) -> None:
        own, slow, known = equal
        self._equal, self._timeframe = equal, own.timeframe
        self.frames: set[AskedFrame] = set()
        self.pair = self._named(TRADED)
        self.market = Market(
            own.frame, own.timeframe, {BASKET: slow}, slow, known, self, LEADER, own
        )

    @property
    def basket(self) -> Sequence[str]:
        """One pair stands for all."""
        return (BASKET,)

    def of(self, pair: str) -> Candles:
        """Another pair, which looks like the first."""
        self._note(pair, self._timeframe)
        if minutes(self._timeframe) < minutes(frames.SLOW_TIMEFRAME):
            self._note(pair, frames.SLOW_TIMEFRAME)
        return self._named(pair)

    def grouped(self, pair: str, candles: MeasuredCandles, to: str) -> MeasuredCandles:
        """Candles of a coarser timeframe: too few to make one."""
        self._note(pair, frames.read_in(self._timeframe, to))
        return MeasuredCandles(frames.grouped(candles.frame, self._timeframe, to, None), to)

    def _named(self, pair: str) -> Candles:
        own, slow, _ = self._equal
        return Candles(own.frame, own.timeframe, slow, self, pair, own)

    def _note(self, pair: str, timeframe: str) -> None:
        if pair in (TRADED, LEADER) and timeframe == self._timeframe:
            return
        self.frames.add((pair, timeframe))
