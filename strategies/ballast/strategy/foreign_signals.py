"""A foreign strategy's frame: whether it is fit to act on, and what the journal reads in it."""

import numpy as np
import pandas as pd

from ballast.core.decision import THEIR_SIGNAL
from ballast.core.frames import PRICES, nanoseconds
from ballast.core.rulebook import Rulebook
from ballast.core.rules import Rule

_SIGNALS = ("enter_long", "exit_long", "enter_short", "exit_short")
_NUMBERS = PRICES[1:]
# Of their conditions so many are named: a strategy may have hundreds of columns.
_MOST_CONDITIONS = 12


class FrameRefused(ValueError):
    """A strategy has made of the candles what cannot be traded on."""


def single_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """
    The frame with one column of each name, the last.

    Version 2's `buy_tag` makes a second `enter_tag`, and frames put side by side second prices.
    """
    doubled = frame.columns.duplicated(keep="last")
    return frame.loc[:, ~doubled] if doubled.any() else frame


def checked(frame: pd.DataFrame, own: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """
    The frame with the prices of the candles, and which of them theirs had changed.

    Freqtrade itself looks at the length, the last close and the last date alone, and a backtest
    trades at whatever prices are in the frame (Heikin Ashi candles, for instance).

    Parameters
    ----------
    own : DataFrame
        The pair's candles as they are; may begin earlier.

    Raises
    ------
    FrameRefused
        Where it is not one row a candle, in the candles' order, with signals as numbers.
    """
    if "date" not in frame.columns:
        raise FrameRefused("the column 'date' is gone")
    if not isinstance(frame["date"].dtype, pd.DatetimeTZDtype):
        raise FrameRefused(f"the column 'date' is of type {frame['date'].dtype}")
    opened, known = nanoseconds(frame["date"]), nanoseconds(own["date"])
    known = known[len(known) - len(opened) :] if len(opened) <= len(known) else opened[:0]
    if not np.array_equal(opened, known):
        raise FrameRefused("its candles are not those of the pair: other length, order or dates")
    for name in _SIGNALS:
        if name in frame.columns:
            # Freqtrade compares with 1: to it a '1' that is text is no signal.
            numbers = pd.to_numeric(frame[name], errors="coerce").notna()
            if (frame[name].notna() & ~numbers).any() or _has_text(frame[name]):
                raise FrameRefused(f"the column {name!r} holds other things than numbers")
    prices = {name: own[name].to_numpy()[len(own) - len(frame) :] for name in _NUMBERS}
    changed = [name for name, values in prices.items() if not _same(frame, name, values)]
    if changed:
        frame = frame.assign(**{name: prices[name] for name in changed})
    return frame, changed


def without_both_ways(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame without entries on candles that signal a short as well, as Freqtrade has it."""
    if "enter_short" in frame.columns:
        frame.loc[frame["enter_short"] == 1, "enter_long"] = 0
    return frame


def rulebook(name: str, frame: pd.DataFrame, own: pd.DataFrame, timeframe_h: float) -> Rulebook:
    """
    What can be read of a strategy that states no rules, candle by candle of `own`.

    How long ago its last signal was; then, of its columns of true and false, those that were true
    at every signal of the frame: its conditions, as far as columns tell.

    Parameters
    ----------
    timeframe_h : float
        Length of a candle, hours.
    """
    before = len(own) - len(frame)
    met = _padded(_signals(frame), before)
    position = np.arange(len(met), dtype=float)
    last = np.maximum.accumulate(np.where(met, position, -1.0)) if len(met) else position
    ago = np.where(last >= 0, (position - last) * timeframe_h, np.nan)
    signal = {THEIR_SIGNAL: Rule(ago, "<=", np.zeros(len(met)), met)}
    conditions: dict[str, Rule] = {}
    for column in frame.columns[frame.dtypes == "bool"] if met.any() else ():
        true = _padded(frame[column].to_numpy(), before)
        if len(conditions) < _MOST_CONDITIONS and true[met].all() and not true[before:].all():
            conditions[str(column)] = Rule(true, "is", np.ones(len(met), dtype=bool), true)
    return Rulebook({name: signal}, conditions)


def _signals(frame: pd.DataFrame) -> np.ndarray:
    """Whether each candle is an entry for Freqtrade: an exit beside it makes it none."""
    met = np.ones(len(frame), dtype=bool)
    for name, wanted in (("enter_long", True), ("exit_long", False)):
        values = pd.to_numeric(frame[name], errors="coerce") if name in frame.columns else 0.0
        met &= np.asarray(values == 1) == wanted
    return met


def _padded(flags: np.ndarray, before: int) -> np.ndarray:
    return np.concatenate([np.zeros(before, dtype=bool), flags])


def _has_text(values: pd.Series) -> bool:
    is_number = pd.api.types.is_numeric_dtype(values.dtype)
    return not is_number and any(isinstance(value, str) for value in values)


def _same(frame: pd.DataFrame, name: str, values: np.ndarray) -> bool:
    if name not in frame.columns or frame[name].dtype != values.dtype:
        return False
    return np.array_equal(frame[name].to_numpy(), values, equal_nan=True)
