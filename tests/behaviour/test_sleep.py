"""In a backtest guards sleep through candles that cannot matter to them. Nobody must notice."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta
from unittest.mock import patch

import pytest

from ballast.core.snapshot import Snapshot
from ballast.core.tape import Tapes
from ballast.core.warden import Warden
from ballast.guard_settings import GuardSettings
from ballast.lookout import Lookout
from ballast.oversight import Oversight
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
    observe = Warden.observe

    def counted(self: Warden, snapshot: Snapshot) -> object:
        nonlocal shown
        shown += 1
        return observe(self, snapshot)

    awake = patch.object(Oversight, "_may_sleep", lambda *_: False) if sleepless else nullcontext()
    with awake, patch.object(Warden, "observe", counted):
        outcome = run_backtest(
            "strategies/RegimeSwitch.py",
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
    assert strategy.run is not None
    tapes: Tapes = strategy.run.tapes
    warden = Warden(GuardSettings().build(60.0))
    lookout = Lookout(tapes, lambda: list(PAIRS), warden)
    slept = 0
    for opened in frames[(LEADER, "1h")]["date"]:
        end = opened.to_pydatetime() + timedelta(hours=1)
        if not lookout.is_calm(end):
            continue
        slept += 1
        trust, fall = lookout.leader(end)
        row, pairs = lookout.row(end), lookout.pairs
        snapshot = Snapshot(end, 1000.0, (), row, pairs, trust, fall)
        assert warden.observe(snapshot) == []
        assert warden.calm
        assert not warden.entry_verdict(PAIRS[1], end).blocks
    assert slept > 1000
