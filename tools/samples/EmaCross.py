"""A sample in the style of published strategies: it buys where averages cross."""

from typing import Any, ClassVar

import talib.abstract as ta
from freqtrade.strategy import IStrategy
from pandas import DataFrame
from technical import qtpylib


class EmaCross(IStrategy):
    """A fast and a slow average, a far stop, profits taken early."""

    INTERFACE_VERSION = 3
    timeframe = "1h"
    stoploss = -0.25
    minimal_roi: ClassVar[dict[str, float]] = {"0": 0.1, "1440": 0.04, "4320": 0.01}
    trailing_stop = True
    trailing_stop_positive = 0.02
    trailing_stop_positive_offset = 0.04
    trailing_only_offset_is_reached = True
    startup_candle_count = 60

    def populate_indicators(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        dataframe["ema_fast"] = ta.EMA(dataframe, timeperiod=12)
        dataframe["ema_slow"] = ta.EMA(dataframe, timeperiod=26)
        dataframe["adx"] = ta.ADX(dataframe)
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        crossed = qtpylib.crossed_above(dataframe["ema_fast"], dataframe["ema_slow"])
        dataframe.loc[crossed & (dataframe["adx"] > 20), ["enter_long", "enter_tag"]] = (1, "cross")
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        crossed = qtpylib.crossed_below(dataframe["ema_fast"], dataframe["ema_slow"])
        dataframe.loc[crossed, "exit_long"] = 1
        return dataframe
