"""The bid-ask spread, estimated from candles alone."""

import math

import numpy as np


def edge(opens: np.ndarray, highs: np.ndarray, lows: np.ndarray, closes: np.ndarray) -> float:
    """
    EDGE, the efficient estimator of Ardia, Guidotti and Kroencke (Journal of Financial Economics
    161, 2024, doi 10.1016/j.jfineco.2024.103916).

    Two combinations of neighbouring log returns, through the mid-ranges and through the closes,
    have minus the squared spread over four as their mean; they are weighted against each other's
    variance, and corrected for prices that do not move and for opens and closes at the extremes.

    Parameters
    ----------
    opens, highs, lows, closes : ndarray, one value per candle
        Prices of successive candles, all positive.

    Returns
    -------
    float
        Ratio of the price. Negative where the squared estimate is (noise larger than the spread),
        NaN where nothing can be said: fewer than three candles, or prices that never move.
    """
    if len(closes) < 3:
        return math.nan
    o, h, low, c = (np.log(np.asarray(p, dtype=float)) for p in (opens, highs, lows, closes))
    mid = (h + low) / 2
    last_close, last_mid = c[:-1], mid[:-1]
    moved = ((h[1:] != low[1:]) | (low[1:] != last_close)).astype(float)
    if moved.sum() < 2:
        return math.nan
    # How often an open, or the close before it, is inside its candle.
    open_inside = _share(moved, o[1:] != h[1:]) + _share(moved, o[1:] != low[1:])
    close_inside = _share(moved, last_close != h[:-1]) + _share(moved, last_close != low[:-1])
    if open_inside == 0 or close_inside == 0:
        return math.nan
    to_mid, to_open, over_night = mid[1:] - o[1:], o[1:] - last_mid, o[1:] - last_close
    from_close, to_close = mid[1:] - last_close, last_close - last_mid
    by_open, by_close = -4 / open_inside, -4 / close_inside
    through_mid = by_open * _centred(to_mid, moved) * to_open
    through_mid += by_close * _centred(from_close, moved) * to_close
    night = _centred(over_night, moved)
    through_close = by_open * _centred(to_mid, moved) * over_night + by_close * night * to_close
    squared = _weighted(through_mid, through_close)
    return math.copysign(math.sqrt(abs(squared)), squared)


def _share(moved: np.ndarray, inside: np.ndarray) -> float:
    return float((moved * inside).mean())


def _centred(returns: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Returns less their mean, where prices moved."""
    return np.asarray(returns - returns.mean() / moved.mean() * moved)


def _weighted(one: np.ndarray, other: np.ndarray) -> float:
    """Mean of both, each weighted with the variance of the other."""
    variances = float(one.var()), float(other.var())
    means = float(one.mean()), float(other.mean())
    total = sum(variances)
    if total <= 0:
        return sum(means) / 2
    return (variances[1] * means[0] + variances[0] * means[1]) / total
