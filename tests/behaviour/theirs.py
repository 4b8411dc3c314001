"""A strategy that knows nothing of the layer: every callback, state on `self`, calls noted."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

import pandas as pd
import talib
from freqtrade.strategy import IntParameter, IStrategy, informative


def noted(name: str, asked: dict[str, Any]) -> tuple[str, ...]:
    """A call as text: what Freqtrade gave, trades and orders by what matters of them."""
    found = [name]
    for key in sorted(asked):
        value = asked[key]
        if key == "trade" and value is not None:
            value = (value.id, value.pair, value.open_rate, value.stop_loss, value.stake_amount)
        elif key == "order" and value is not None:
            value = (value.ft_order_side, value.ft_price, value.amount)
        found.append(f"{key}={value}")
    return tuple(found)


class Theirs(IStrategy):
    """Buys dips, leaves on heat, adds, reduces, vetoes, counts."""

    INTERFACE_VERSION = 3
    timeframe = "1h"
    stoploss = -0.2
    minimal_roi: ClassVar[dict[Any, float]] = {"0": 0.12, "1440": 0.03}
    use_custom_stoploss = True
    position_adjustment_enable = True
    max_entry_position_adjustment = 2
    startup_candle_count = 60
    order_types: ClassVar[dict[str, Any]] = {
        "entry": "limit",
        "exit": "limit",
        "stoploss": "market",
        "stoploss_on_exchange": False,
    }
    buy_rsi = IntParameter(20, 60, default=45, space="buy")
    protections: ClassVar[list[dict[str, Any]]] = [
        {"method": "CooldownPeriod", "stop_duration_candles": 3}
    ]
    calls: ClassVar[list[tuple[str, ...]]] = []

    def bot_start(self, **kwargs: Any) -> None:
        self.count = 0
        self.seen: dict[str, int] = {}

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        self.count += 1
        self.calls.append(("bot_loop_start", str(current_time), str(self.count)))

    @informative("4h")
    def populate_indicators_4h(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe["ema"] = talib.EMA(dataframe["close"], 10)
        return dataframe

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe["rsi"] = talib.RSI(dataframe["close"], 14)
        return dataframe

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dip = dataframe["rsi"] < self.buy_rsi.value
        met = dip & (dataframe["close"] > 0.97 * dataframe["ema_4h"])
        dataframe.loc[met, ["enter_long", "enter_tag"]] = (1, "dip")
        return dataframe

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe.loc[dataframe["rsi"] > 72, ["exit_long", "exit_tag"]] = (1, "hot")
        return dataframe

    def custom_stake_amount(self, **asked: Any) -> float:
        self.calls.append(noted("custom_stake_amount", asked))
        return float(asked["proposed_stake"]) / 3

    def confirm_trade_entry(self, **asked: Any) -> bool:
        self.calls.append(noted("confirm_trade_entry", asked))
        pair = asked["pair"]
        self.seen[pair] = self.seen.get(pair, 0) + 1
        return self.seen[pair] % 5 != 0

    def confirm_trade_exit(self, **asked: Any) -> bool:
        self.calls.append(noted("confirm_trade_exit", asked))
        return not (asked["exit_reason"] == "hot" and self.count % 3 == 0)

    def custom_entry_price(self, **asked: Any) -> float:
        self.calls.append(noted("custom_entry_price", asked))
        return float(asked["proposed_rate"]) * 0.999

    def custom_exit_price(self, **asked: Any) -> float:
        self.calls.append(noted("custom_exit_price", asked))
        return float(asked["proposed_rate"]) * 1.001

    def adjust_entry_price(self, **asked: Any) -> float:
        self.calls.append(noted("adjust_entry_price", asked))
        return float(asked["proposed_rate"])

    def custom_stoploss(
        self,
        pair: str,
        trade: Any,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        after_fill: bool,
        **kwargs: Any,
    ) -> float | None:
        asked = {"trade": trade, "now": current_time, "rate": current_rate, "fill": after_fill}
        self.calls.append(noted("custom_stoploss", {**asked, "profit": current_profit}))
        if after_fill:
            return -0.15
        return -0.05 if current_profit > 0.05 else None

    def custom_exit(self, **asked: Any) -> str | None:
        self.calls.append(noted("custom_exit", asked))
        # A copy: what is written there must not matter.
        asked["trade"].stop_loss = 0
        held = asked["current_time"] - asked["trade"].open_date_utc
        return "old" if held.days > 6 else None

    def adjust_trade_position(self, **asked: Any) -> Any:
        self.calls.append(noted("adjust_trade_position", asked))
        trade, profit = asked["trade"], asked["current_profit"]
        if profit < -0.06 and trade.nr_of_successful_entries < 2:
            return min(trade.stake_amount, asked["max_stake"]), "add"
        if profit > 0.06 and trade.nr_of_successful_exits == 0:
            return -trade.stake_amount / 2, "half"
        return None

    def order_filled(self, **asked: Any) -> None:
        self.calls.append(noted("order_filled", asked))
        asked["trade"].stop_loss = 0


class Version2(IStrategy):
    """Interface version 2: buy and sell, no tags of its own kind."""

    INTERFACE_VERSION = 2
    timeframe = "1h"
    stoploss = -0.1
    minimal_roi: ClassVar[dict[Any, float]] = {"0": 0.05}
    startup_candle_count = 30

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe["rsi"] = talib.RSI(dataframe["close"], 14)
        return dataframe

    def populate_buy_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe.loc[dataframe["rsi"] < 40, "buy"] = 1
        return dataframe

    def populate_sell_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe.loc[dataframe["rsi"] > 70, "sell"] = 1
        return dataframe
