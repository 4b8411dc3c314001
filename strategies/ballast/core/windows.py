"""Windows stated in time ('10d', '36h'), converted to candles of a timeframe.

A strategy that says '10d' means the same on every timeframe, and its start-up length follows from
the windows it uses instead of from a number somebody has to remember.
"""

import functools
import re

from ballast.core.quoting import quoted

_MINUTES = {"m": 1, "h": 60, "d": 1_440, "w": 10_080}
_LONGEST_CALIBRATED = "4h"
# The market's trend is measured over five days, which two candles of three days are not.
_LONGEST_TIMEFRAME = "1d"
# Ten years: beyond what anybody looks back on, and what times can be reckoned with.
_LONGEST = 3_650 * _MINUTES["d"]
_WINDOW = re.compile(r"^(\d+(?:\.\d+)?)([mhdw])$")


@functools.lru_cache(maxsize=256)
def minutes(window: object) -> float:
    """
    Length of a window in minutes.

    Parameters
    ----------
    window : str
        A positive number and a unit: m(inutes), h(ours), d(ays) or w(eeks), such as '10d'.

    Raises
    ------
    ValueError
        When the text is not such a window, its length is zero or beyond ten years.
    """
    match = _WINDOW.match(str(window).strip())
    if match is None or float(match[1]) == 0:
        raise ValueError(
            f"a length of time such as '36h' or '10d' (m, h, d or w), not {quoted(window)}"
        )
    length = float(match[1]) * _MINUTES[match[2]]
    if length > _LONGEST:
        raise ValueError(f"a length of time of at most '3650d', not {quoted(window)}")
    return length


def timeframe_fault(timeframe: object) -> str:
    """What is wrong with a timeframe for windows of time, in one sentence; empty if nothing is."""
    try:
        if isinstance(timeframe, str) and minutes(timeframe) <= minutes(_LONGEST_TIMEFRAME):
            return ""
    except ValueError:
        pass
    accepted = f"one from '1m' to '{_LONGEST_TIMEFRAME}', such as '1h'"
    return f"timeframe is {timeframe!r}: expected {accepted}"


def candles(window: str, timeframe: str) -> int:
    """
    Number of candles of `timeframe` that make up `window`, rounded to the nearest.

    Raises
    ------
    ValueError
        When either text is no length of time, or the window is shorter than two candles: an
        indicator of a single candle measures nothing.
    """
    span, candle = minutes(window), minutes(timeframe)
    if span < 2 * candle:
        raise ValueError(f"window {window!r} is shorter than two candles of {timeframe}")
    return round(span / candle)


def calibrated(window: str, timeframe: str) -> str:
    """
    A window of the layer's own, as it is measured on a timeframe.

    Its windows are calibrated on candles of up to four hours; on longer ones they hold as many.
    """
    times = minutes(timeframe) / minutes(_LONGEST_CALIBRATED)
    return window if times <= 1 else f"{minutes(window) * times:g}m"


def coarser(timeframe: str, other: str) -> str:
    """Return the longer of two timeframes."""
    return timeframe if minutes(timeframe) >= minutes(other) else other
