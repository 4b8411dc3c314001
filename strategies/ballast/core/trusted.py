"""Trust in all candles that a decision is made of: a pair's own, and those of the views asked."""

import dataclasses
from collections.abc import Iterable

import numpy as np

from ballast.core.candles import Candles
from ballast.core.data_quality import DataQualityLimits, any_history, assessed
from ballast.core.trust import DataQuality


def trust(candles: Candles, limits: DataQualityLimits) -> np.ndarray:
    """
    Trust codes on the axis of a view; where the candle is missing there, an older one does not
    stand in for it. The warm-up is counted on the frame that windows are measured on.
    """
    return candles.once(("trust", limits), lambda: _codes(candles, limits))


def trust_of_views(candles: Iterable[Candles], limits: DataQualityLimits) -> np.ndarray:
    """The gravest code of the views that were asked of these candles, each by its own history."""
    codes = [np.asarray(DataQuality.OK, dtype=np.int8)]
    for one in candles:
        for view in one.views():
            own = dataclasses.replace(limits, history_candles=view.history)
            codes += [trust(view, own), trust_of_views([view], limits)]
    if len(codes) == 1:
        return codes[0]
    return np.asarray(np.maximum.reduce(np.broadcast_arrays(*codes)))


def _codes(candles: Candles, limits: DataQualityLimits) -> np.ndarray:
    if candles.slow is candles.base:
        codes = candles.from_own(assessed(candles.base, limits), DataQuality.SHORT_HISTORY)
    else:
        any_age = any_history(limits)
        codes = np.maximum(
            candles.from_own(assessed(candles.base, any_age), DataQuality.SHORT_HISTORY),
            candles.from_slow(assessed(candles.slow, limits), DataQuality.SHORT_HISTORY),
        )
    return np.where(candles.is_there(), codes, int(DataQuality.DISORDER))
