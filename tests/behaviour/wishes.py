"""A strategy of somebody else's that wants little, for tests to derive what it wants from."""

from __future__ import annotations

from typing import Any, ClassVar

import pandas as pd
from freqtrade.strategy import IStrategy

from ballast import StopRules, guarded

TAG = "theirs"


class Wishes(IStrategy):
    """Buys a close above 100.5, which no quiet candle has, and leaves a close below 97."""

    INTERFACE_VERSION = 3
    timeframe = "1h"
    stoploss = -0.99
    minimal_roi: ClassVar[dict[Any, float]] = {"0": 10}
    startup_candle_count = 10

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        return dataframe

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe.loc[dataframe["close"] > 100.5, ["enter_long", "enter_tag"]] = (1, TAG)
        return dataframe

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe.loc[dataframe["close"] < 97, ["exit_long", "exit_tag"]] = (1, "low")
        return dataframe


def held(theirs: type[IStrategy], **options: Any) -> type[Any]:
    """A strategy under the layer, with a first stop of four ATR."""
    options = {"stops": StopRules(initial_atr=4), **options}
    return type(f"Guarded{theirs.__name__}", (guarded(theirs),), options)
