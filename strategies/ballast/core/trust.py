"""Is this candle fit to act on? Trust in market data is earned candle by candle.

Freqtrade fills missing candles with flat, zero-volume ones, so an outage looks like calm. A frame
that is out of order, holds an impossible or absurd bar, or has just come out of a hole is not
traded on; the verdict is a code, never a zero in place of a price.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

import numpy as np
import pandas as pd

from ballast.core.windows import minutes


class Trust(IntEnum):
    """Why a candle is or is not trusted; the larger code is the graver finding."""

    OK = 0
    SHORT_HISTORY = 1
    AFTER_HOLE = 2
    FILLED_HOLE = 3
    AFTER_ABSURD_BAR = 4
    ABSURD_BAR = 5
    BAD_BAR = 6
    DISORDER = 7


@dataclass(frozen=True)
class TrustLimits:
    """
    What a candle must keep to.

    Parameters
    ----------
    absurd_move_sigmas : float
        A close-to-close move beyond this many robust standard deviations of the window is absurd.
    absurd_move_min_pct : float
        ... if it is also at least this large, in percent: quiet pairs may wake up.
    scale_candles : int
        Window of the robust scale, in candles.
    hole_candles : int
        This many filled candles in a row are a hole; a single quiet candle is not.
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


def assess(frame: pd.DataFrame, limits: TrustLimits) -> np.ndarray:
    """
    Trust code of every candle of a frame, from that candle and earlier ones only.

    Parameters
    ----------
    frame : DataFrame
        Columns date (UTC), open, high, low, close (quote currency) and volume (base currency).

    Returns
    -------
    ndarray of int8, shape (len(frame),)
        `Trust` codes; where several findings meet, the gravest.
    """
    codes = np.zeros(len(frame), dtype=np.int8)
    if not len(frame):
        return codes
    filled = _filled(frame)
    in_hole = _run_length(filled) >= limits.hole_candles
    absurd = _absurd(frame, filled, limits)

    codes[: limits.history_candles] = Trust.SHORT_HISTORY
    _raise_to(codes, _within_after(in_hole, limits.recovery_candles), Trust.AFTER_HOLE)
    _raise_to(codes, filled, Trust.FILLED_HOLE)
    _raise_to(codes, _within_after(absurd, limits.recovery_candles), Trust.AFTER_ABSURD_BAR)
    _raise_to(codes, absurd, Trust.ABSURD_BAR)
    _raise_to(codes, _impossible(frame), Trust.BAD_BAR)
    _raise_to(codes, _disordered(frame), Trust.DISORDER)
    return codes


def is_stale(last_open: datetime, now: datetime, timeframe: str, grace_s: float) -> bool:
    """
    Tell whether the newest completed candle is older than it should be.

    At `now` the candle that opened one timeframe before the running one must be there; `grace_s`
    seconds are allowed for the exchange to deliver it.
    """
    candle = timedelta(minutes=minutes(timeframe))
    return now - (last_open + candle) >= candle + timedelta(seconds=grace_s)


def _filled(frame: pd.DataFrame) -> np.ndarray:
    volume = frame["volume"].to_numpy()
    flat = (frame["high"] == frame["low"]).to_numpy()
    return (volume == 0) & flat


def _impossible(frame: pd.DataFrame) -> np.ndarray:
    prices = frame[["open", "high", "low", "close"]].to_numpy(dtype=float)
    finite = np.isfinite(prices).all(axis=1) & np.isfinite(frame["volume"].to_numpy(dtype=float))
    positive = (prices > 0).all(axis=1) & (frame["volume"].to_numpy() >= 0)
    highest, lowest = prices[:, 1], prices[:, 2]
    inside = (prices.max(axis=1) <= highest) & (prices.min(axis=1) >= lowest)
    return ~(finite & positive & inside)


def _disordered(frame: pd.DataFrame) -> np.ndarray:
    """A candle not newer than some candle before it: a duplicate or a step back in time."""
    opened = frame["date"].astype("int64").to_numpy()
    newest_before = np.maximum.accumulate(opened)[:-1]
    return np.concatenate(([False], opened[1:] <= newest_before))


def _absurd(frame: pd.DataFrame, filled: np.ndarray, limits: TrustLimits) -> np.ndarray:
    close = pd.Series(np.where(frame["close"] > 0, frame["close"], np.nan), dtype=float)
    move = np.log(close).diff().abs()
    # The scale ignores filler candles and the candle it judges; a median ignores outliers.
    real = move.where(~filled)
    scale = 1.4826 * real.rolling(limits.scale_candles, min_periods=10).median().shift(1)
    far = move > limits.absurd_move_sigmas * scale
    return (far & (move > np.log1p(limits.absurd_move_min_pct / 100))).to_numpy()


def _run_length(flags: np.ndarray) -> np.ndarray:
    """Length of the run of True values that ends at each position."""
    position = np.arange(1, len(flags) + 1)
    return position - np.maximum.accumulate(np.where(flags, 0, position))


def _within_after(flags: np.ndarray, candles: int) -> np.ndarray:
    """True at each flagged position and at the `candles` positions after it."""
    position = np.arange(len(flags))
    last = np.maximum.accumulate(np.where(flags, position, -candles - 1))
    return position - last <= candles


def _raise_to(codes: np.ndarray, where: np.ndarray, code: Trust) -> None:
    codes[where] = np.maximum(codes[where], code)
