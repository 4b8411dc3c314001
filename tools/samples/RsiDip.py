"""A sample in the style of published strategies: it buys what has fallen, and waits."""

from typing import Any, ClassVar

import talib.abstract as ta
from freqtrade.strategy import IntParameter, IStrategy
from pandas import DataFrame
from technical import qtpylib


class RsiDip(IStrategy):
    """Falls below the lower band, almost no stop: what most of the losses of 2020 looked like."""

    INTERFACE_VERSION = 3
    timeframe = "1h"
    stoploss = -0.35
    minimal_roi: ClassVar[dict[str, float]] = {"0": 0.06, "720": 0.03, "2880": 0.01}
    startup_candle_count = 30
    buy_rsi = IntParameter(15, 40, default=32, space="buy")

    def populate_indicators(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        dataframe["rsi"] = ta.RSI(dataframe, timeperiod=14)
        bands = qtpylib.bollinger_bands(qtpylib.typical_price(dataframe), window=20, stds=2)
        dataframe["bb_lower"] = bands["lower"]
        dataframe["bb_middle"] = bands["mid"]
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        dip = (dataframe["rsi"] < self.buy_rsi.value) & (dataframe["close"] < dataframe["bb_lower"])
        dataframe.loc[dip, ["enter_long", "enter_tag"]] = (1, "dip")
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        back = (dataframe["rsi"] > 60) & (dataframe["close"] > dataframe["bb_middle"])
        dataframe.loc[back, "exit_long"] = 1
        return dataframe
