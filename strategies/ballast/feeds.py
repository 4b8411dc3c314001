"""Candles from Freqtrade's data provider: the strategy's pair, its older history, the market.

Backtests read whole stored frames here; only indicator functions that look at the past may be
applied to them. Live, the same calls give the frames Freqtrade has just refreshed.
"""

import logging
from typing import Any

import numpy as np
import pandas as pd
from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import RunMode

from ballast.core import frames
from ballast.core.candles import Candles
from ballast.core.windows import minutes

logger = logging.getLogger(__name__)

LIVE_MODES = (RunMode.LIVE, RunMode.DRY_RUN)


class Feeds:
    """
    Frames of a run.

    Parameters
    ----------
    dp : DataProvider
        Of the strategy.
    timeframe : str
        The strategy's.
    leader : str
        Pair that stands for the market.
    """

    def __init__(self, dp: DataProvider, timeframe: str, leader: str) -> None:
        self._dp = dp
        self._timeframe = timeframe
        self._leader = leader
        self._market: Candles | None = None
        self._stored: dict[tuple[str, str], pd.DataFrame] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Hyperopt sends the strategy to its workers for every epoch: frames are read anew there."""
        return {**self.__dict__, "_market": None, "_stored": {}}

    @property
    def live(self) -> bool:
        """Whether candles come from an exchange now, paper trading included."""
        return self._dp.runmode in LIVE_MODES

    def wanted(self, whitelist: list[str]) -> list[tuple[str, str]]:
        """Frames that Freqtrade should keep fresh beside the strategy's own, as (pair, timeframe)."""
        wanted = [(self._leader, self._timeframe)]
        if minutes(self._timeframe) < minutes(frames.SLOW_TIMEFRAME):
            pairs = dict.fromkeys([self._leader, *whitelist])
            wanted += [(pair, frames.SLOW_TIMEFRAME) for pair in pairs]
        return wanted

    def candles(self, pair: str, frame: pd.DataFrame) -> Candles:
        """What a strategy sees of `frame`, the pair's own candles."""
        older = None
        if minutes(self._timeframe) < minutes(frames.SLOW_TIMEFRAME):
            older = self._frame(pair, frames.SLOW_TIMEFRAME)
        return Candles(frame, self._timeframe, older)

    def market(self) -> Candles:
        """
        Candles of the market leader; where it has none, an equal-weighted index of the whitelist.
        """
        frame = self._frame(self._leader, self._timeframe)
        if not len(frame):
            frame = self._index()
        known = self._market
        if known is None or not _same(known.frame, frame):
            known = self._market = self.candles(self._leader, frame)
        return known

    def _index(self) -> pd.DataFrame:
        """Close of an equally weighted whitelist, rebalanced each candle; starts at 100."""
        closes = {}
        for pair in self._dp.current_whitelist():
            frame = self._frame(pair, self._timeframe)
            if len(frame):
                closes[pair] = frame.set_index("date")["close"]
        if not closes:
            return pd.DataFrame(columns=frames.PRICES)
        moves = np.log(pd.DataFrame(closes)).diff().mean(axis=1).fillna(0.0)
        close = 100 * np.exp(moves.cumsum()).to_numpy()
        opened = np.concatenate((close[:1], close[:-1]))
        columns: dict[str, Any] = {
            "date": moves.index,
            "open": opened,
            "high": np.maximum(opened, close),
            "low": np.minimum(opened, close),
            "close": close,
            "volume": 1.0,
        }
        return pd.DataFrame(columns)

    def _frame(self, pair: str, timeframe: str) -> pd.DataFrame:
        if self.live:
            return self._dp.get_pair_dataframe(pair, timeframe)
        if (pair, timeframe) not in self._stored:
            self._stored[(pair, timeframe)] = self._dp.historic_ohlcv(pair, timeframe)
        return self._stored[(pair, timeframe)]


def _same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    if len(one) != len(other):
        return False
    return not len(one) or bool(one["date"].iloc[-1] == other["date"].iloc[-1])
