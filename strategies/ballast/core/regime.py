"""Regime of a pair: up, down or range; from completed candles only."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import talib

from ballast.core.candles import Candles

DOWN, RANGE, UP = -1, 0, 1
NAMES = {DOWN: "down", RANGE: "range", UP: "up"}


@dataclass(frozen=True)
class RegimeRules:
    """
    Definition of the regimes.

    Parameters
    ----------
    window : str
        Window of the average and of the momentum that together give the direction.
    confirm_candles : int
        Closes in a row (hourly, or longer candles) that a new regime needs to replace the old one.
    """

    window: str = "20d"
    confirm_candles: int = 3


DEFAULT = RegimeRules()


def classify(candles: Candles, rules: RegimeRules = DEFAULT) -> pd.Series:
    """
    Regime of every candle.

    Up: the close is above its simple average over the window and above the close one window ago,
    the time-series momentum of Moskowitz, Ooi and Pedersen (2012) with a filter. Down: below both.
    Range: neither, or not known yet.

    Returns
    -------
    Series, one value per candle
        DOWN, RANGE or UP; NaN before the first hour is complete.
    """

    def regimes(frame: pd.DataFrame, n: int) -> np.ndarray:
        close = frame["close"].to_numpy(dtype=float)
        average, momentum = talib.SMA(close, n), talib.ROCP(close, n)
        up = (close > average) & (momentum > 0)
        down = (close < average) & (momentum < 0)
        raw = np.where(up, UP, np.where(down, DOWN, RANGE)).astype(np.int8)
        return confirmed(raw, rules.confirm_candles)

    return candles.measure(f"regime/{rules.confirm_candles}", rules.window, regimes)


def is_up(candles: Candles) -> pd.Series:
    """Whether the regime is up, for every candle."""
    return classify(candles) == UP


def is_down(candles: Candles) -> pd.Series:
    """Whether the regime is down, for every candle."""
    return classify(candles) == DOWN


def is_range(candles: Candles) -> pd.Series:
    """Whether the regime is neither up nor down, for every candle."""
    return classify(candles) == RANGE


def confirmed(raw: np.ndarray, candles: int) -> np.ndarray:
    """
    Hysteresis: a value counts once it has stood for `candles` candles in a row; until then the last
    one that did so counts. RANGE before the first.
    """
    if len(raw) == 0 or candles <= 1:
        return raw
    position = np.arange(len(raw))
    changed = np.concatenate(([True], raw[1:] != raw[:-1]))
    run = position - np.maximum.accumulate(np.where(changed, position, 0)) + 1
    last = np.maximum.accumulate(np.where(run >= candles, position, -1))
    return np.where(last >= 0, raw[np.maximum(last, 0)], RANGE).astype(np.int8)
