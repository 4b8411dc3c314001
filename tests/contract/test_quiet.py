"""Where the layer does not ask Freqtrade for exits, Freqtrade would have found none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from freqtrade.persistence import LocalTrade

from ballast.strategy import quiet
from tests.engine import ScriptedStrategy, flat, run_backtest

PAIR = "BTC/USDT"
POSITIVES = (None, 0.005, 0.01)
OPENED = datetime(2024, 1, 1, tzinfo=UTC)
TARGETS: tuple[dict[int, float], ...] = (
    {0: 10},
    {},
    {0: 0.02},
    {0: 0.05, 60: 0.01, 600: -0.01},
    {120: 0.0},
    {0: 0.01, 60: 10},
)


def open_trade(fee: float, stop: float, tick: float) -> LocalTrade:
    """A long of 10 at 100."""
    trade = LocalTrade(
        pair=PAIR,
        open_rate=100.0,
        open_date=OPENED,
        amount=10.0,
        stake_amount=1_000.0,
        fee_open=fee,
        fee_close=fee,
        exchange="binance",
        leverage=1.0,
        is_short=False,
        price_precision=tick,
        precision_mode_price=4,
    )
    trade.recalc_open_trade_value()
    trade.adjust_stop_loss(100, stop, initial=True)
    return trade


def test_nothing_leaves_and_no_stop_moves_on_a_quiet_candle() -> None:
    """Targets and trails are hit to the digit in many of these cases; what is quiet is quiet."""
    strategy = run_backtest(ScriptedStrategy, {PAIR: flat(3)}).strategy
    rng = np.random.default_rng(5)
    exits = {True: 0, False: 0}
    moved = {True: 0, False: 0}
    for _ in range(4_000):
        strategy.minimal_roi = TARGETS[rng.integers(len(TARGETS))]
        strategy.trailing_stop = bool(rng.integers(2))
        strategy.trailing_only_offset_is_reached = bool(rng.integers(2))
        strategy.trailing_stop_positive_offset = float(rng.choice([0.0, 0.01, 0.02, 0.03]))
        strategy.trailing_stop_positive = POSITIVES[rng.integers(len(POSITIVES))]
        strategy.stoploss = -float(rng.choice([0.02, 0.05]))
        fee, initial = float(rng.choice([0.0, 0.001])), -float(rng.choice([0.02, 0.05]))
        trade = open_trade(fee, initial, float(rng.choice([1e-6, 0.01, 0.3])))
        stop, now = trade.stop_loss, OPENED + timedelta(minutes=int(rng.integers(1_000)))
        high = float(rng.choice([99.5, 100, 100.99999999, 101, 101.00000001, 102, 102.2, 105]))
        low = float(rng.uniform(stop + 0.1, high))
        price = quiet.ceiling(strategy, trade, quiet.target_of(strategy, trade, now), None)
        is_quiet = high < price
        asked: Any = {"enter": False, "exit_": False, "low": low, "high": high}
        found = strategy.should_exit(trade, low, now, **asked)
        exits[is_quiet] += len(found)
        moved[is_quiet] += trade.stop_loss != stop
    assert exits[True] == 0 < exits[False]
    assert moved[True] == 0 < moved[False]
