"""Ten foreign strategies that have little in common but that they trade often."""

from __future__ import annotations

import random
from typing import Any, ClassVar

import pandas as pd
from freqtrade.strategy import IStrategy

from tests.behaviour.theirs import Theirs, Version2


class Often(IStrategy):
    """Wants to buy at every candle, and leaves after a quarter of an hour at the latest."""

    INTERFACE_VERSION = 3
    timeframe = "5m"
    stoploss = -0.99
    minimal_roi: ClassVar[dict[Any, float]] = {"0": 0.01, "15": -1}
    startup_candle_count = 20

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        return dataframe

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        return dataframe.assign(enter_long=1, enter_tag="often")

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        return dataframe.assign(exit_long=0)


class Trailing(Often):
    """Follows with a tight trailing stop of Freqtrade's."""

    stoploss = -0.03
    trailing_stop = True
    trailing_stop_positive = 0.002
    trailing_stop_positive_offset = 0.004
    trailing_only_offset_is_reached = True


class Loosening(Often):
    """Has a stop of its own that widens, after fills most of all."""

    use_custom_stoploss = True

    def custom_stoploss(self, after_fill: bool, current_profit: float, **_: Any) -> float:
        return -0.9 if after_fill or current_profit < 0 else -0.004


class AtMarket(Often):
    """Buys and sells by market, wants no stop on the exchange, and hears no exit signal."""

    use_exit_signal = False
    order_types: ClassVar[dict[str, Any]] = {
        "entry": "market",
        "exit": "market",
        "stoploss": "limit",
        "stoploss_on_exchange": False,
    }


class Averaging(Often):
    """Adds to every position at every candle, and sells a third once."""

    minimal_roi: ClassVar[dict[Any, float]] = {"0": 0.01, "40": -1}
    position_adjustment_enable = True

    def custom_stake_amount(self, proposed_stake: float, **_: Any) -> float:
        return proposed_stake / 50

    def adjust_trade_position(self, trade: Any, current_profit: float, **_: Any) -> Any:
        if trade.has_open_orders:
            return None
        if current_profit > 0.001 and not trade.nr_of_successful_exits:
            return -trade.stake_amount / 3, "third"
        return trade.stake_amount, "more"


class Raising(Often):
    """Every second answer of its callbacks is an exception."""

    use_custom_stoploss = True
    chance: ClassVar[list[random.Random]] = [random.Random(3)]

    def perhaps(self, answer: Any) -> Any:
        if self.chance[0].random() < 0.5:
            raise ValueError("no idea")
        return answer

    def bot_loop_start(self, **_: Any) -> None:
        self.perhaps(None)

    def custom_stoploss(self, **_: Any) -> Any:
        return self.perhaps(-0.02)

    def custom_exit(self, **_: Any) -> Any:
        return self.perhaps(None)

    def confirm_trade_entry(self, **_: Any) -> Any:
        return self.perhaps(True)

    def confirm_trade_exit(self, **_: Any) -> Any:
        return self.perhaps(True)

    def order_filled(self, **_: Any) -> None:
        self.perhaps(None)

    def custom_entry_price(self, proposed_rate: float, **_: Any) -> Any:
        return self.perhaps(proposed_rate)


class Spoiling(Often):
    """Cannot analyse every third candle of one pair, and gives back half of a frame then."""

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        if metadata["pair"].startswith("ETH") and dataframe["date"].iloc[-1].minute % 15 == 0:
            return dataframe.iloc[: len(dataframe) // 2]
        return super().populate_exit_trend(dataframe, metadata)


class Delaying(Often):
    """Leaves by signal, and agrees at every third time."""

    minimal_roi: ClassVar[dict[Any, float]] = {"0": 10}

    def bot_start(self, **_: Any) -> None:
        self.asked = 0

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        quarter = dataframe["date"].dt.minute % 15 == 10
        return dataframe.assign(exit_long=quarter.astype(int), exit_tag="quarter")

    def confirm_trade_exit(self, **_: Any) -> bool:
        self.asked += 1
        return self.asked % 3 == 0


class BothWays(Often):
    """Goes long and short in turn, where it may."""

    can_short = True

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        even = dataframe["date"].dt.minute % 10 == 0
        return dataframe.assign(enter_long=even.astype(int), enter_short=(~even).astype(int))

    def leverage(self, max_leverage: float, **_: Any) -> float:
        return max_leverage


class Everything(Theirs):
    """Has every callback that there is (see `Theirs`)."""

    timeframe = "5m"


class Old(Version2):
    """Interface version 2, with the callbacks of that time."""

    timeframe = "5m"

    def populate_buy_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        return dataframe.assign(buy=1, buy_tag="old")

    def custom_sell(
        self, pair: str, trade: Any, current_time: Any, current_rate: float, *_: Any, **__: Any
    ) -> bool:
        return (current_time - trade.open_date_utc).total_seconds() > 1_200


UNLIKE: list[type[IStrategy]] = [
    Trailing,
    Loosening,
    AtMarket,
    Averaging,
    Raising,
    Spoiling,
    Delaying,
    BothWays,
    Everything,
    Old,
]
