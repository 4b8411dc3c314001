"""Without its decisions the layer is not there: trades and calls are those of the bare strategy."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from freqtrade.enums import TRADE_MODES, RunMode
from freqtrade.exceptions import OperationalException
from freqtrade.strategy import IStrategy

from ballast.strategy.costs_only import alone
from tests.behaviour.market import candles, source
from tests.behaviour.theirs import Theirs, Version2
from tests.engine import BacktestOutcome, run_backtest

PAIRS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
# What the layer itself needs on hourly candles.
WARMUP = 573
LEVELS = ("none", "base")


def tables() -> dict[Any, pd.DataFrame]:
    market = source(90, PAIRS)
    found: dict[Any, pd.DataFrame] = {pair: candles(market, pair, "1h") for pair in PAIRS}
    return found | {(pair, "4h"): candles(market, pair, "4h") for pair in PAIRS}


def bare(strategy: type[IStrategy]) -> type[IStrategy]:
    """The strategy alone, with the warm-up that the layer has."""
    return type(strategy.__name__, (strategy,), {"startup_candle_count": WARMUP})


def played(strategy: type[IStrategy], level: str = "none") -> BacktestOutcome:
    config: dict[str, Any] = {"stake_amount": "unlimited", "max_open_trades": 3}
    config["ballast"] = {"costs": {"level": level}}
    return run_backtest(strategy, tables(), config=config, fee=0.001, protections=True)


@pytest.mark.parametrize("theirs", [Theirs, Version2])
def test_trades_are_those_of_the_bare_strategy(theirs: type[IStrategy]) -> None:
    itself = played(bare(theirs))
    under = played(type("Under", (alone(theirs),), {}))
    assert len(itself.trades) > 10
    pd.testing.assert_frame_equal(under.trades, itself.trades, check_exact=True)


def test_theirs_is_asked_as_often_in_the_same_order_with_the_same_arguments() -> None:
    itself: Any = type("Itself", (Theirs,), {"startup_candle_count": WARMUP, "calls": []})
    under: Any = type("Under", (alone(Theirs),), {"calls": []})
    played(itself)
    played(under)
    assert len(itself.calls) > 500
    pairs = zip(itself.calls, under.calls, strict=False)
    differing = [pair for pair in pairs if pair[0] != pair[1]]
    assert not differing, differing[0]
    assert len(under.calls) == len(itself.calls)


def test_costs_alone_change_what_trades_earn_and_neither_stops_nor_decisions() -> None:
    """An addition's costs left the position with a new first stop, below the one it had."""
    free, charged = (played(type("Under", (alone(Theirs),), {}), level) for level in LEVELS)
    assert charged.trades["profit_abs"].sum() < free.trades["profit_abs"].sum()
    first = free.trades.iloc[:3], charged.trades.iloc[:3]
    for name in ("pair", "open_date", "close_date", "exit_reason", "initial_stop_loss_ratio"):
        assert list(first[0][name]) == list(first[1][name]), name
    assert set(charged.trades["initial_stop_loss_ratio"]) == {Theirs.stoploss}


@pytest.mark.parametrize("mode", TRADE_MODES)
def test_without_decisions_nothing_is_traded(mode: RunMode) -> None:
    under: Any = type("Under", (alone(Theirs),), {})
    with pytest.raises(OperationalException, match="expected a backtest"):
        under({"runmode": mode, "timeframe": "1h", "exchange": {"name": "binance"}})
