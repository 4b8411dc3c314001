"""A strategy that buys two pairs on every candle, and leaves each after five: Freqtrade alone."""

from __future__ import annotations

from typing import Any, ClassVar

import pandas as pd
from freqtrade.strategy import IStrategy

# Nothing more of the layer: what it takes to be loaded is no part of the floor.
from ballast.core.frames import nanoseconds, span_ns

AT_ONCE, STAY = 2, 5


def due(frame: pd.DataFrame, timeframe: str, pair: str, pairs: list[str]) -> tuple[Any, Any]:
    """Candles after which a pair is bought and sold, as booleans: each has its turn."""
    turns = max(len(pairs) // AT_ONCE, STAY + 1)
    number = nanoseconds(frame["date"]) // span_ns(timeframe)
    turn = (number - (pairs.index(pair) if pair in pairs else 0)) % turns
    return turn == 0, turn == STAY


class Bare(IStrategy):
    """Freqtrade alone: the floor."""

    stoploss = -0.25
    minimal_roi: ClassVar[dict[str, float]] = {"0": 10}
    startup_candle_count = 100

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """None."""
        return dataframe

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Two pairs a candle."""
        dataframe["enter_long"] = self._due(dataframe, metadata)[0].astype(int)
        return dataframe

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Five candles later."""
        dataframe["exit_long"] = self._due(dataframe, metadata)[1].astype(int)
        return dataframe

    def _due(self, dataframe: pd.DataFrame, metadata: dict) -> tuple[Any, Any]:
        pairs = self.config["exchange"]["pair_whitelist"]
        return due(dataframe, self.timeframe, metadata["pair"], pairs)
