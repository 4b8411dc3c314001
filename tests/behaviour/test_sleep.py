"""In a backtest guards sleep through candles that cannot matter to them. Nobody must notice."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from unittest.mock import patch

import pytest

from ballast.config.guards import GuardSettings
from ballast.core.columns import ColumnsByPair
from ballast.core.guard_set import GuardSet
from ballast.core.snapshot import Snapshot
from ballast.data.market_view import MarketView
from ballast.risk.engine import RiskEngine
from sandbox.candles import TIMEFRAMES_MS, aggregate
from tests.behaviour.market import (
    LEADER,
    CutProvider,
    candles,
    configuration,
    every_strategy,
    source,
    started,
)
from tests.engine import BacktestOutcome, run_backtest

DAYS = 150
PAIRS = (LEADER, "ETH/USDT", "SOL/USDT", "XRP/USDT")


def backtest(*, sleepless: bool) -> tuple[BacktestOutcome, int]:
    """The outcome, and how many candles the guards were shown."""
    prices = {"price_side": "other", "use_order_book": False}
    market = source(DAYS, PAIRS)
    frames = {p: aggregate(market.candles(p), TIMEFRAMES_MS["1h"]).to_frame() for p in PAIRS}
    shown = 0
    observe = GuardSet.observe

    def counted(self: GuardSet, snapshot: Snapshot) -> object:
        nonlocal shown
        shown += 1
        return observe(self, snapshot)

    awake = patch.object(RiskEngine, "_may_sleep", lambda *_: False) if sleepless else nullcontext()
    with awake, patch.object(GuardSet, "observe", counted):
        outcome = run_backtest(
            "strategies/RisingMarket.py",
            frames,
            config={
                "stake_amount": "unlimited",
                "entry_pricing": prices,
                "exit_pricing": prices,
                # Tight, so that every guard speaks often.
                "ballast": {
                    "guards": {
                        "DailyLossLimit": {"reducing_pct": 0.2, "halted_pct": 0.5},
                        "WeeklyLossLimit": {"reducing_pct": 0.4, "halted_pct": 1.0},
                        "LossStreakBackoff": {"pair_losses": 1, "all_losses": 2},
                    }
                },
            },
            fee=0.001,
            protections=True,
        )
    return outcome, shown


@pytest.mark.slow
def test_a_backtest_whose_guards_sleep_is_the_same_to_the_last_digit() -> None:
    (sleeping, some), (awake, all_of_them) = (backtest(sleepless=s) for s in (False, True))
    assert len(awake.trades) > 5
    assert some < 0.9 * all_of_them
    assert sleeping.trades.equals(awake.trades)
    assert [lock.to_json() for lock in sleeping.locks] == [lock.to_json() for lock in awake.locks]


def test_no_candle_that_is_slept_through_would_have_made_a_guard_block() -> None:
    market = source(DAYS, PAIRS)
    config = configuration(PAIRS)
    frames = {(pair, "1h"): candles(market, pair, "1h") for pair in PAIRS}
    (kind,) = (k for k in every_strategy() if k.__name__ == "DonchianTrend")
    strategy = started(kind, "1h", config, CutProvider(config, frames))
    for (pair, _), frame in frames.items():
        strategy.advise_entry(
            strategy.advise_indicators(frame.copy(), {"pair": pair}), {"pair": pair}
        )
    assert strategy.session is not None
    columns_by_pair: ColumnsByPair = strategy.session.columns_by_pair
    guard_set = GuardSet(GuardSettings().build(60.0))
    market_view = MarketView(columns_by_pair, lambda: list(PAIRS), guard_set)
    slept = 0
    for opened in frames[(LEADER, "1h")]["date"]:
        end = opened.to_pydatetime() + timedelta(hours=1)
        if not market_view.is_calm(end):
            continue
        slept += 1
        trust, fall = market_view.leader(end)
        row, pairs = market_view.row(end), market_view.pairs
        snapshot = Snapshot(end, 1000.0, (), row, pairs, trust, fall)
        assert guard_set.observe(snapshot) == []
        assert guard_set.calm
        assert not guard_set.entry_verdict(PAIRS[1], end).blocks
    assert slept > 1000
