"""A foreign strategy's frame: whether it is fit to act on, and what the journal reads in it."""

import numpy as np
import pandas as pd

from ballast.core.columns import CandleColumns
from ballast.core.decision import Rulebook
from ballast.core.frames import nanoseconds
from ballast.core.rules import Rule

_SIGNALS = ("enter_long", "exit_long", "enter_short", "exit_short")


class FrameRefused(ValueError):
    """A strategy has made of the candles what cannot be traded on."""


def single_tags(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with one column of each tag: version 2's `buy_tag` makes a second `enter_tag`."""
    doubled = frame.columns.duplicated(keep="last")
    return frame.loc[:, ~doubled] if doubled.any() else frame


def checked(frame: pd.DataFrame, columns: CandleColumns) -> None:
    """
    Refuse a frame that is not one row a candle, in the candles' order, with signals as numbers.

    Freqtrade itself looks at the length, the last close and the last date alone.

    Parameters
    ----------
    columns : CandleColumns
        Of the pair's candles as they are.

    Raises
    ------
    FrameRefused
        Saying what is wrong.
    """
    if not isinstance(frame, pd.DataFrame):
        raise FrameRefused(f"a {type(frame).__name__} instead of a frame was returned")
    if "date" not in frame.columns:
        raise FrameRefused("the column 'date' is gone")
    if not isinstance(frame["date"].dtype, pd.DatetimeTZDtype):
        raise FrameRefused(f"the column 'date' is of type {frame['date'].dtype}")
    opened = nanoseconds(frame["date"])
    # A backtest's frame may begin later than the stored candles.
    known = columns.opened[-len(opened) :] if len(opened) <= len(columns.opened) else opened[:0]
    if len(opened) and not np.array_equal(opened, known):
        raise FrameRefused("its candles are not those of the pair: other length, order or dates")
    for name in _SIGNALS:
        if name in frame.columns:
            known = pd.to_numeric(frame[name], errors="coerce").notna()
            if (frame[name].notna() & ~known).any():
                raise FrameRefused(f"the column {name!r} holds other things than numbers")


def rulebook(name: str, frame: pd.DataFrame, timeframe_h: float) -> Rulebook:
    """
    The one rule of a strategy that states none: its signal, and how long ago it was.

    Parameters
    ----------
    timeframe_h : float
        Length of a candle, hours.
    """
    if "enter_long" in frame.columns:
        met = pd.to_numeric(frame["enter_long"], errors="coerce").to_numpy(dtype=float) == 1
    else:
        met = np.zeros(len(frame), dtype=bool)
    position = np.arange(len(frame), dtype=float)
    last = np.maximum.accumulate(np.where(met, position, -1.0)) if len(frame) else position
    ago = np.where(last >= 0, (position - last) * timeframe_h, np.nan)
    return Rulebook({name: {"signal_hours_ago": Rule(ago, "<=", np.zeros(len(frame)), met)}})
