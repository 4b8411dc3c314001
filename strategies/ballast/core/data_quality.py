"""Is this candle fit to act on? Trust in market data is earned candle by candle.

Freqtrade fills missing candles with flat, zero-volume ones, so an outage looks like calm, and a
frozen feed repeats its last candle under new dates. A frame that is out of order, holds an
impossible or absurd bar, or has just come out of a hole is not traded on; the verdict is a code,
never a zero in place of a price.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import pandas as pd

# What a missing time is as a number.
_NO_TIME = np.iinfo("int64").min


class DataQuality(IntEnum):
    """
    Why a candle is or is not trusted; the larger code is the graver finding.

    From FILLED_HOLE on the candle itself is at fault, below it only what came before it.
    """

    OK = 0
    SHORT_HISTORY = 1
    AFTER_HOLE = 2
    AFTER_ABSURD_BAR = 3
    FILLED_HOLE = 4
    ABSURD_BAR = 5
    BAD_BAR = 6
    DISORDER = 7


@dataclass(frozen=True)
class DataQualityLimits:
    """
    What a candle must keep to.

    Parameters
    ----------
    absurd_move_sigmas : float
        A close-to-close move, or a wick, beyond this many robust standard deviations of the
        window's moves is absurd.
    absurd_move_min_pct : float
        ... if it is also at least this large, in percent: quiet pairs may wake up.
    scale_candles : int
        Window of the robust scale, in candles.
    hole_candles : int
        This many filled or repeated candles in a row are a hole; a single quiet one is not.
    recovery_candles : int
        Real candles to wait after a hole or an absurd bar.
    history_candles : int
        Candles that must precede the first trusted one.
    """

    absurd_move_sigmas: float = 20.0
    absurd_move_min_pct: float = 8.0
    scale_candles: int = 100
    hole_candles: int = 3
    recovery_candles: int = 3
    history_candles: int = 0


def assess(frame: pd.DataFrame, limits: DataQualityLimits) -> np.ndarray:
    """
    Trust code of every candle of a frame, from that candle and earlier ones only.

    Parameters
    ----------
    frame : DataFrame
        Columns date (UTC), open, high, low, close (quote currency) and volume (base currency).

    Returns
    -------
    ndarray of int8, shape (len(frame),)
        `DataQuality` codes; where several findings meet, the gravest.
    """
    codes = np.zeros(len(frame), dtype=np.int8)
    if not len(frame):
        return codes
    filled = _filled(frame)
    in_hole = _run_length(filled) >= limits.hole_candles
    absurd = _absurd(frame, filled, limits)

    codes[: limits.history_candles] = DataQuality.SHORT_HISTORY
    real = np.cumsum(~filled)
    _raise_to(codes, _within_after(in_hole, real, limits.recovery_candles), DataQuality.AFTER_HOLE)
    _raise_to(codes, filled, DataQuality.FILLED_HOLE)
    after = _within_after(absurd, real, limits.recovery_candles)
    _raise_to(codes, after, DataQuality.AFTER_ABSURD_BAR)
    _raise_to(codes, absurd, DataQuality.ABSURD_BAR)
    _raise_to(codes, _impossible(frame), DataQuality.BAD_BAR)
    _raise_to(codes, _disordered(frame), DataQuality.DISORDER)
    return codes


def _filled(frame: pd.DataFrame) -> np.ndarray:
    """Candles in which nothing happened: made up by Freqtrade, or repeated by a frozen feed."""
    volume, high, low = (np.asarray(frame[name]) for name in ("volume", "high", "low"))
    flat = high == low
    # The same range, ends and volume twice in a row: no market does that.
    repeated = ~flat
    for values in (volume, high, low, np.asarray(frame["open"]), np.asarray(frame["close"])):
        repeated &= np.concatenate(([False], values[1:] == values[:-1]))
    return np.asarray((volume == 0) & flat | repeated, dtype=bool)


def _impossible(frame: pd.DataFrame) -> np.ndarray:
    columns = ("open", "high", "low", "close", "volume")
    opened, high, low, close, volume = (frame[name].to_numpy(dtype=float) for name in columns)
    # A comparison with NaN is False: what is missing is not sound.
    inside = (low <= np.minimum(opened, close)) & (np.maximum(opened, close) <= high)
    finite = np.isfinite(high) & np.isfinite(volume)
    sound = finite & (low > 0) & inside & (volume >= 0)
    return np.asarray(~sound, dtype=bool)


def _disordered(frame: pd.DataFrame) -> np.ndarray:
    """A candle without a time, or not newer than some before it: a duplicate, a step back."""
    opened = frame["date"].to_numpy(dtype="datetime64[ns]").view("int64")
    newest_before = np.maximum.accumulate(opened)[:-1]
    missing = opened == _NO_TIME
    back = np.concatenate(([False], opened[1:] <= newest_before))
    return np.asarray(missing | back, dtype=bool)


def _absurd(frame: pd.DataFrame, filled: np.ndarray, limits: DataQualityLimits) -> np.ndarray:
    close = frame["close"].to_numpy(dtype=float)
    with np.errstate(invalid="ignore"):
        move = np.abs(np.diff(np.log(np.where(close > 0, close, np.nan)), prepend=np.nan))
    # The scale ignores filler candles and the candle it judges; a median ignores outliers.
    real = pd.Series(np.where(filled, np.nan, move))
    median = real.rolling(limits.scale_candles, min_periods=10).median().shift(1).to_numpy()
    widest = np.fmax(move, _wick(frame))
    far = widest > limits.absurd_move_sigmas * (1.4826 * median)
    return np.asarray(far & (widest > np.log1p(limits.absurd_move_min_pct / 100)), dtype=bool)


def _wick(frame: pd.DataFrame) -> np.ndarray:
    """The longer wick of each candle as a log ratio: a bad tick may leave the closes alone."""
    prices = np.asarray(frame[["open", "high", "low", "close"]], dtype=float)
    opened, high, low, close = np.where(prices > 0, prices, np.nan).T
    up, down = np.log(high / np.fmax(opened, close)), np.log(np.fmin(opened, close) / low)
    return np.asarray(np.fmax(up, down))


def _run_length(flags: np.ndarray) -> np.ndarray:
    """Length of the run of True values that ends at each position."""
    position = np.arange(1, len(flags) + 1)
    return position - np.maximum.accumulate(np.where(flags, 0, position))


def _within_after(flags: np.ndarray, real: np.ndarray, candles: int) -> np.ndarray:
    """True at each flagged position and until `candles` real ones have followed it."""
    last = np.maximum.accumulate(np.where(flags, real, -candles - 1))
    return np.asarray(real - last <= candles, dtype=bool)


def _raise_to(codes: np.ndarray, where: np.ndarray, code: DataQuality) -> None:
    codes[where] = np.maximum(codes[where], code)
