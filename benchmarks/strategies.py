"""The strategies that are measured beside those of the pack."""

from datetime import datetime
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import talib
from freqtrade.exchange import timeframe_to_minutes
from freqtrade.persistence import LocalTrade, Order
from freqtrade.strategy import IStrategy, stoploss_from_absolute

from ballast.core.candles import Candles
from ballast.core.frames import nanoseconds, span_ns
from ballast.core.market import Market
from ballast.core.rules import Rule, holds
from ballast.core.stops import StopRules
from ballast.strategy.costs_only import CostsOnly, NoDecisions
from ballast.strategy.fail_closed import fail_closed
from ballast.strategy.foreign import guarded
from ballast.strategy.guarded import GuardedStrategy

# So far away that it never decides: what is measured is the cost of asking.
_FAR_ATR = 1_000


class Plain(IStrategy):
    """No risk layer: no callback, no protection, no stop that is reached."""

    stoploss = -0.99
    minimal_roi: ClassVar[dict[str, float]] = {"0": 100.0}
    process_only_new_candles = True
    startup_candle_count = 0
    order_types: ClassVar[dict[str, Any]] = {
        "entry": "limit",
        "exit": "market",
        "stoploss": "market",
        "stoploss_on_exchange": False,
    }

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Nothing."""
        return dataframe

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Nothing: exits are set with the entries."""
        return dataframe


class Replay(Plain):
    """The floor: enters and leaves on given candles. `trades`: pair, open_date, close_date."""

    trades: ClassVar[pd.DataFrame]

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Signals on the candles before those on which the trades opened and closed."""
        own = self.trades[self.trades["pair"] == metadata["pair"]]
        before = pd.Timedelta(minutes=timeframe_to_minutes(self.timeframe))
        kept = own[own["close_date"] > own["open_date"]]
        at_once = own[own["close_date"] == own["open_date"]]
        leave = pd.concat([kept["close_date"] - before, at_once["close_date"]])
        dataframe["enter_long"] = dataframe["date"].isin(own["open_date"] - before).astype(np.int8)
        dataframe["exit_long"] = dataframe["date"].isin(leave).astype(np.int8)
        return dataframe


class ReplayAsked(Replay):
    """The same, asked all that Ballast is asked, and answering nothing: Freqtrade's own share."""

    use_custom_stoploss = True

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        """Nothing."""

    @fail_closed(refusal=None)
    def custom_stoploss(
        self,
        pair: str,
        trade: Any,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        after_fill: bool,
        **kwargs: Any,
    ) -> None:
        """No change."""

    @fail_closed(refusal=None)
    def custom_exit(
        self,
        pair: str,
        trade: Any,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        **kwargs: Any,
    ) -> None:
        """Stay."""

    @fail_closed(refusal=None)
    def order_filled(
        self, pair: str, trade: Any, order: Any, current_time: datetime, **kwargs: Any
    ) -> None:
        """Nothing."""

    def incident(self, where: str, error: Exception) -> None:
        """Nothing that does nothing fails."""
        raise error


class ReplayWithStop(Replay):
    """The same with what most published strategies do: a stop looked up at every candle."""

    use_custom_stoploss = True

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """The average true range that the stop is made of."""
        high, low, close = (dataframe[name].to_numpy() for name in ("high", "low", "close"))
        dataframe["atr"] = talib.ATR(high, low, close, 24)
        return dataframe

    def custom_stoploss(
        self,
        pair: str,
        trade: Any,
        current_time: Any,
        current_rate: float,
        current_profit: float,
        **kwargs: Any,
    ) -> float | None:
        """A trailing stop from the last analysed candle, as the documentation shows it."""
        frame, _ = self.dp.get_analyzed_dataframe(pair, self.timeframe)
        last = frame.iloc[-1].squeeze()
        stop = max(last["close"] - _FAR_ATR * last["atr"], 0.02 * current_rate)
        return stoploss_from_absolute(stop, current_rate, is_short=trade.is_short)


class Foreign(IStrategy):
    """In the style of published ones: averages that cross, profits taken, a stop that trails."""

    timeframe = "1h"
    stoploss = -0.25
    minimal_roi: ClassVar[dict[str, float]] = {"0": 0.1, "1440": 0.04, "4320": 0.01}
    trailing_stop = True
    trailing_stop_positive = 0.02
    trailing_stop_positive_offset = 0.04
    trailing_only_offset_is_reached = True
    startup_candle_count = 60

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Two averages."""
        close = dataframe["close"].to_numpy()
        dataframe["fast"], dataframe["slow"] = talib.EMA(close, 12), talib.EMA(close, 26)
        return dataframe

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Where the fast one crosses the slow one upwards."""
        above = dataframe["fast"] > dataframe["slow"]
        dataframe["enter_long"] = (above & ~above.shift(fill_value=True)).astype(int)
        return dataframe

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """Where it crosses downwards."""
        below = dataframe["fast"] < dataframe["slow"]
        dataframe["exit_long"] = (below & ~below.shift(fill_value=True)).astype(int)
        return dataframe


class _NothingDecided(NoDecisions):
    """Answers of a layer that decides nothing: a stop stays where it is."""

    def filled(self, trade: LocalTrade, order: Order, now: datetime) -> None:
        pass

    def stop(self, trade: LocalTrade, now: datetime) -> float:
        return trade.stop_loss or 0.0

    def staying(self, trade: LocalTrade, rate: float, now: datetime) -> float | None:
        return trade.stop_loss or 0.0


class _Undecided(CostsOnly):
    """The layer's way to each callback, and no decision behind it."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self._ballast.decisions = _NothingDecided(self._ballast)


class ReplayLayered(guarded(Replay, _Undecided)):  # type: ignore[misc]
    """What asking through the layer takes, whatever it decides."""


class ForeignGuarded(guarded(Foreign)):  # type: ignore[misc]
    """The same, held under the layer."""


class Often(Plain):
    """Trades of one candle each, one on every `every` candles of a pair; 0 is never."""

    timeframe = "1h"
    every: ClassVar[int] = 0

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """By the number of the candle."""
        enter, leave = _turns(dataframe["date"], self.every)
        dataframe["enter_long"] = enter.astype(np.int8)
        dataframe["exit_long"] = leave.astype(np.int8)
        return dataframe


class OftenProtected(Often):
    """The same under Freqtrade's own protections, with limits that are never reached."""

    @property
    def protections(self) -> list[dict[str, Any]]:
        """Those three that look at closed trades."""
        common = {"lookback_period_candles": 48, "stop_duration_candles": 1}
        return [
            {"method": "StoplossGuard", "trade_limit": 1_000_000, **common},
            {"method": "MaxDrawdown", "trade_limit": 1, "max_allowed_drawdown": 1.0, **common},
            {"method": "LowProfitPairs", "trade_limit": 1, "required_profit": -10.0, **common},
        ]


class OftenGuarded(GuardedStrategy):
    """The same under all guards."""

    timeframe = "1h"
    stops = StopRules(initial_atr=20)
    every: ClassVar[int] = 0

    def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        """By the number of the candle."""
        return {"turn": holds(_turns(pair.column("date"), self.every)[0])}

    def exit_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        """On the candle after."""
        return {"over": holds(_turns(pair.column("date"), self.every)[1])}


class Holding(Often):
    """Buys the first `every` pairs and holds them to the end."""

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        """As soon as it can."""
        dataframe["enter_long"] = np.int8(_is_held(metadata["pair"], self.every))
        dataframe["exit_long"] = np.int8(0)
        return dataframe


class HoldingGuarded(OftenGuarded):
    """The same under all guards."""

    def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        """As soon as it can."""
        wanted = np.full(len(pair.frame), _is_held(pair.name, self.every))
        return {"held": holds(pd.Series(wanted))}

    def exit_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        """Never."""
        return {"never": holds(pd.Series(np.zeros(len(pair.frame), dtype=bool)))}


# Limits that are never reached, so that the guards are asked and the trades stay the same.
WIDE_LIMITS: dict[str, Any] = {
    "risk": {"per_trade_pct": 0.1, "entries_per_candle": 20, "daily_volatility_pct": 20.0},
    "guards": {
        "MarketShockHalt": {"leader_fall_pct": 50.0, "breadth_fall_pct": 50.0},
        "StopCascadeHalt": {"losses": 50, "loss_r": 5.0},
        "LossStreakBackoff": {"pair_losses": 50, "all_losses": 100, "loss_r": 5.0},
        "DailyLossLimit": {"reducing_pct": 20.0, "halted_pct": 50.0},
        "WeeklyLossLimit": {"reducing_pct": 40.0, "halted_pct": 50.0},
        "DrawdownLadder": {"halt_pct": 90.0},
        "PortfolioHeat": {
            "limit_pct": 20.0,
            "cluster_pct": 20.0,
            "cluster_correlation": 0.7,
        },
        "DataOutageHalt": {"untrusted_share_pct": 100.0},
    },
}


def _is_held(pair: str, most: int) -> bool:
    """Whether a pair of `market.calm` (BTC, P1, P2 and so on) is among the first ones."""
    return pair.partition("/")[0] in ("BTC", *(f"P{number}" for number in range(1, most)))


def _turns(dates: pd.Series, every: int) -> tuple[pd.Series, pd.Series]:
    """Candles to enter after, and to leave after."""
    number = nanoseconds(dates) // span_ns("1h")
    never = np.zeros(len(dates), dtype=bool)
    if not every:
        return pd.Series(never), pd.Series(never)
    return pd.Series(number % every == 0), pd.Series(number % every == 1)
