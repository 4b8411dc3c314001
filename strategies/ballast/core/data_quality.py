"""Is this candle fit to act on? Trust in market data is earned candle by candle.

Freqtrade fills missing candles with flat, zero-volume ones, so an outage looks like calm, and a
frozen feed repeats its last candle under new dates. A frame that is out of order, holds an
impossible or absurd bar, or has just come out of a hole is not traded on; the verdict is a code,
never a zero in place of a price.
"""

import dataclasses
import functools
import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ballast.core.measured import MeasuredCandles, moved
from ballast.core.trust import DataQuality

# What a missing time is as a number.
_NO_TIME = np.iinfo("int64").min
_NONE = np.empty(0, dtype=np.int8)


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


def assess(
    candles: MeasuredCandles, limits: DataQualityLimits, known: np.ndarray = _NONE
) -> np.ndarray:
    """
    Trust code of every candle, from that candle and earlier ones only.

    Parameters
    ----------
    known : ndarray of int8
        Codes of the first candles, where they are known: those of the others are returned.

    Returns
    -------
    ndarray of int8, shape (len(candles) - len(known),)
        `DataQuality` codes; where several findings meet, the gravest.
    """
    if _goes_on(candles, limits, known):
        return np.zeros(1, dtype=np.int8)
    # After a sound candle nothing before it counts, but for the scale of moves.
    sound = np.flatnonzero(known == DataQuality.OK)
    first = int(sound[-1]) if len(sound) else 0
    bars, opened = _bars(candles, first), candles.opened[first:]
    codes = np.zeros(len(opened), dtype=np.int8)
    if not len(codes):
        return codes
    filled = _filled(bars)
    absurd = _absurd(candles, first, bars, limits)

    codes[: limits.history_candles] = DataQuality.SHORT_HISTORY
    if filled.any() or absurd.any():
        in_hole = _run_length(filled) >= limits.hole_candles
        real = np.cumsum(~filled)
        after = _within_after(in_hole, real, limits.recovery_candles)
        _raise_to(codes, after, DataQuality.AFTER_HOLE)
        _raise_to(codes, filled, DataQuality.FILLED_HOLE)
        after = _within_after(absurd, real, limits.recovery_candles)
        _raise_to(codes, after, DataQuality.AFTER_ABSURD_BAR)
        _raise_to(codes, absurd, DataQuality.ABSURD_BAR)
    _raise_to(codes, _impossible(bars), DataQuality.BAD_BAR)
    _raise_to(codes, _disordered(opened), DataQuality.DISORDER)
    return codes[len(known) - first :]


def assessed(candles: MeasuredCandles, limits: DataQualityLimits) -> np.ndarray:
    """The same, worked out once for all that ask, however long a history they want."""
    findings = any_history(limits)
    codes = candles.carried(("quality", findings), lambda known: assess(candles, findings, known))
    if limits.history_candles:
        codes = codes.copy()
        _raise_to(codes[: limits.history_candles], np.True_, DataQuality.SHORT_HISTORY)
    return codes


@functools.lru_cache(maxsize=64)
def any_history(limits: DataQualityLimits) -> DataQualityLimits:
    """The limits of candles that need none before them."""
    return dataclasses.replace(limits, history_candles=0)


def _goes_on(candles: MeasuredCandles, limits: DataQualityLimits, known: np.ndarray) -> bool:
    """
    Whether one candle is new and follows a sound one, and is so ordinary that nothing can be found
    in it: what most new candles of a bot are, told by a few numbers.
    """
    if not len(known) or len(candles) != len(known) + 1 or known[-1] != DataQuality.OK:
        return False
    opened, high, low, close, volume = (
        candles.values(name).item(-1) for name in ("open", "high", "low", "close", "volume")
    )
    before, traded = candles.values("close").item(-2), candles.values("volume").item(-2)
    # From the lowest to the highest price, the last close among them; short of the limit by more
    # than what is lost by rounding. A price that is endless or not above nought is never quiet.
    reach = 1 + 0.99 * limits.absurd_move_min_pct / 100
    is_quiet = max(high, before) < min(low, before) * reach
    # A comparison with NaN is False, the least of numbers and NaN may be a number.
    is_possible = low <= opened <= high and low <= close <= high
    has_traded = volume != traded and 0 < volume < math.inf
    is_next = candles.opened.item(-1) > candles.opened.item(-2)
    return bool(is_quiet and is_possible and has_traded and is_next)


class _Bars(NamedTuple):
    """Columns of a frame, one value per candle."""

    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray


def _bars(candles: MeasuredCandles, first: int) -> _Bars:
    """The candles from the first wanted one on."""
    return _Bars(*(candles.values(name)[first:] for name in _Bars._fields))


def _filled(bars: _Bars) -> np.ndarray:
    """Candles in which nothing happened: made up by Freqtrade, or repeated by a frozen feed."""
    flat = bars.high == bars.low
    # The same range, ends and volume twice in a row: no market does that.
    repeated = ~flat
    for values in bars:
        repeated[1:] &= values[1:] == values[:-1]
    repeated[:1] = False
    return np.asarray((bars.volume == 0) & flat | repeated, dtype=bool)


def _impossible(bars: _Bars) -> np.ndarray:
    opened, high, low, close, volume = bars
    # A comparison with NaN is False: what is missing is not sound.
    inside = (low <= np.minimum(opened, close)) & (np.maximum(opened, close) <= high)
    finite = np.isfinite(high) & np.isfinite(volume)
    sound = finite & (low > 0) & inside & (volume >= 0)
    return np.asarray(~sound, dtype=bool)


def _disordered(opened: np.ndarray) -> np.ndarray:
    """A candle without a time, or not newer than some before it: a duplicate, a step back."""
    newest_before = np.maximum.accumulate(opened)[:-1]
    missing = opened == _NO_TIME
    back = np.concatenate(([False], opened[1:] <= newest_before))
    return np.asarray(missing | back, dtype=bool)


def _scale(candles: MeasuredCandles, limits: DataQualityLimits) -> np.ndarray:
    """
    Median move of the candles before each. It ignores filler candles and the candle it judges; a
    median ignores outliers.
    """

    def real(known: np.ndarray) -> np.ndarray:
        first = max(0, len(known) - 2)
        bars = _bars(candles, first)
        return np.where(_filled(bars), np.nan, _moves(bars))[len(known) - first :]

    moves = candles.carried("moves", real)
    return moved(candles.quantiles("moves", moves, limits.scale_candles, least=10))


def _absurd(
    candles: MeasuredCandles, first: int, bars: _Bars, limits: DataQualityLimits
) -> np.ndarray:
    widest = np.fmax(_moves(bars), _wick(bars))
    absurd = widest > np.log1p(limits.absurd_move_min_pct / 100)
    # What is usual is worked out where there is something to judge by it.
    if absurd.any():
        usual = _scale(candles, limits)[first:]
        absurd &= widest > limits.absurd_move_sigmas * (1.4826 * usual)
    return np.asarray(absurd, dtype=bool)


def _moves(bars: _Bars) -> np.ndarray:
    """Log moves from close to close, either way; unknown at the first candle."""
    return np.abs(np.diff(_log(bars.close), prepend=np.nan))


def _log(prices: np.ndarray) -> np.ndarray:
    return np.log(np.where(prices > 0, prices, np.nan))


def _wick(bars: _Bars) -> np.ndarray:
    """The longer wick of each candle as a log ratio: a bad tick may leave the closes alone."""
    opened, high, low, close = (np.where(prices > 0, prices, np.nan) for prices in bars[:4])
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


def _raise_to(codes: np.ndarray, where: np.ndarray | np.bool_, code: DataQuality) -> None:
    np.maximum(codes, where * np.int8(code), out=codes)
