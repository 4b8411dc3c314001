"""Under the layer a strategy that has the signals of one of ours has its trades."""

from __future__ import annotations

from typing import Any

import pandas as pd
from DonchianTrend import DonchianTrend
from freqtrade.strategy import IStrategy

from ballast import guarded
from tests.behaviour.test_foreign_passthrough import tables
from tests.engine import BacktestOutcome, run_backtest


def played(strategy: type[IStrategy]) -> BacktestOutcome:
    config: dict[str, Any] = {"stake_amount": "unlimited", "max_open_trades": 3}
    config["exit_pricing"] = {"price_side": "other", "use_order_book": False}
    return run_backtest(strategy, tables(), config=config, protections=True)


def test_replayed_signals_of_ours_give_our_trades() -> None:
    ours = played(DonchianTrend)
    signals = {
        pair: frame.set_index("date")[["enter_long", "enter_tag"]]
        for pair, frame in ours.frames.items()
    }

    class Replay(IStrategy):
        timeframe = "1h"
        stoploss = -0.99
        startup_candle_count = ours.strategy.startup_candle_count

        def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
            return dataframe

        def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
            dataframe = dataframe.drop(columns="enter_tag")
            return dataframe.join(signals[metadata["pair"]], on="date")

        def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
            return dataframe

    options: dict[str, Any] = {"stops": DonchianTrend.stops, "size": DonchianTrend.size}
    theirs = played(type("GuardedReplay", (guarded(Replay),), options))
    assert len(ours.trades) > 5
    assert len(set(ours.reasons)) > 1
    pd.testing.assert_frame_equal(theirs.trades, ours.trades, check_exact=True)
