"""Without its decisions the layer is not there: trades and calls are those of the bare strategy."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from freqtrade.strategy import IStrategy

from ballast import guarded
from tests.behaviour.market import candles, source
from tests.behaviour.passthrough import PassThrough
from tests.behaviour.theirs import Theirs, Version2
from tests.engine import BacktestOutcome, run_backtest

PAIRS = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
# What the layer itself needs on hourly candles.
WARMUP = 573


def tables() -> dict[Any, pd.DataFrame]:
    market = source(90, PAIRS)
    found: dict[Any, pd.DataFrame] = {pair: candles(market, pair, "1h") for pair in PAIRS}
    return found | {(pair, "4h"): candles(market, pair, "4h") for pair in PAIRS}


def bare(strategy: type[IStrategy]) -> type[IStrategy]:
    """The strategy alone, with the warm-up that the layer has."""
    return type(strategy.__name__, (strategy,), {"startup_candle_count": WARMUP})


def played(strategy: type[IStrategy]) -> BacktestOutcome:
    config = {"stake_amount": "unlimited", "max_open_trades": 3}
    return run_backtest(strategy, tables(), config=config, fee=0.001, protections=True)


@pytest.mark.parametrize("theirs", [Theirs, Version2])
def test_trades_are_those_of_the_bare_strategy(theirs: type[IStrategy]) -> None:
    alone = played(bare(theirs))
    under = played(type("Under", (guarded(theirs, PassThrough),), {}))
    assert len(alone.trades) > 10
    pd.testing.assert_frame_equal(under.trades, alone.trades, check_exact=True)


def test_theirs_is_asked_as_often_in_the_same_order_with_the_same_arguments() -> None:
    alone: Any = type("Alone", (Theirs,), {"startup_candle_count": WARMUP, "calls": []})
    under: Any = type("Under", (guarded(Theirs, PassThrough),), {"calls": []})
    played(alone)
    played(under)
    assert len(alone.calls) > 500
    differing = [pair for pair in zip(alone.calls, under.calls, strict=False) if pair[0] != pair[1]]
    assert not differing, differing[0]
    assert len(under.calls) == len(alone.calls)
