"""Where the layer does not ask Freqtrade for exits, Freqtrade would have found none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from freqtrade.persistence import LocalTrade

from ballast.strategy import quiet
from tests.engine import ScriptedStrategy, flat, run_backtest

PAIR = "BTC/USDT"
OPENED = datetime(2024, 1, 1, tzinfo=UTC)
TARGETS: tuple[dict[int, float], ...] = (
    {0: 10},
    {},
    {0: 0.02},
    {0: 0.05, 60: 0.01, 600: -0.01},
    {120: 0.0},
    {0: 0.01, 60: 10},
)


def open_trade(fee: float, stop: float) -> LocalTrade:
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
        price_precision=1e-6,
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
    for _ in range(2_000):
        strategy.minimal_roi = TARGETS[rng.integers(len(TARGETS))]
        strategy.trailing_stop = bool(rng.integers(2))
        strategy.trailing_only_offset_is_reached = bool(rng.integers(2))
        strategy.trailing_stop_positive_offset = float(rng.choice([0.01, 0.02, 0.03]))
        strategy.trailing_stop_positive = float(rng.choice([0.005, 0.01]))
        trade = open_trade(float(rng.choice([0.0, 0.001])), -0.05)
        stop, now = trade.stop_loss, OPENED + timedelta(minutes=int(rng.integers(1_000)))
        high = float(rng.choice([99.5, 100, 100.99999999, 101, 101.00000001, 102, 102.2, 105]))
        low = float(rng.uniform(95.1, high))
        awaited = quiet.awaited(strategy, trade, now, has_own_stop=False)
        is_quiet = quiet.earns_less(trade, high, awaited)
        asked: Any = {"enter": False, "exit_": False, "low": low, "high": high}
        found = strategy.should_exit(trade, low, now, **asked)
        exits[is_quiet] += len(found)
        assert not (is_quiet and (found or trade.stop_loss != stop))
    assert exits[True] == 0 < exits[False]
