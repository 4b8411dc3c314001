"""Half an hour on an exchange that loses answers, refuses, fills in part and jumps stops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from freqtrade.strategy import IStrategy

from ballast.config.guards import GuardSettings
from ballast.core.candles import Candles
from ballast.core.market import Market
from ballast.core.rules import Rule, above
from ballast.core.stops import StopRules
from ballast.execution.stop_watch import bare_s
from ballast.strategy.guarded import GuardedStrategy
from sandbox.clock import RealClock
from sandbox.faults import Fault
from sandbox.faults_answers import Answers
from sandbox.faults_http import misbehave
from sandbox.faults_orders import OrderFaults
from sandbox.faults_plan import FaultPlan
from sandbox.sources import GeneratedSource
from tests.live_run import LiveRun, live_run

BEGIN = datetime(2024, 1, 25, tzinfo=UTC) + timedelta(seconds=1)
LOOP_S = 15
# By request; several times what an exchange does on its worst days.
FAULTS = (
    {"kind": "answer_lost", "probability": 0.25},
    {"kind": "server_error", "probability": 0.01},
    {"kind": "rate_limited", "probability": 0.005, "retry_after_s": 1},
    {"kind": "order_partial", "probability": 0.2},
    {"kind": "order_stuck", "probability": 0.1},
    {"kind": "fill_in_cancel", "probability": 0.1},
    {"kind": "cancel_refused", "probability": 0.05},
    {"kind": "stop_jumped", "probability": 0.1},
    {"kind": "stop_rejected", "probability": 0.02},
    {"kind": "balance_late", "probability": 0.05},
)


class Busy(GuardedStrategy):
    """Always wants to buy, and never stays long."""

    timeframe = "5m"
    stops = StopRules(initial_atr=1.5, chandelier_atr=1.5, time_stop="15m")

    def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        return {"always": above(pair.close, 0.0)}


class Late:
    """A middleware that is made once there is an exchange."""

    def __init__(self) -> None:
        self.made: Any = None

    @property
    def middleware(self) -> Any:
        @web.middleware
        async def passing(request: web.Request, handler: Any) -> web.StreamResponse:
            return await (self.made(request, handler) if self.made else handler(request))

        return passing


async def at_once(_seconds: float) -> None:
    """No answer is held back: the clock stands still meanwhile."""


def begin_faults(run: LiveRun, late: Late, seed: int) -> FaultPlan:
    faults = [Fault.from_json(fault, "fault") for fault in FAULTS]
    plan = FaultPlan(RealClock(), seed, faults)
    run.exchange.hooks = OrderFaults(plan, run.exchange)
    late.made = misbehave(plan, Answers(plan, run.exchange.market), at_once)
    return plan


@contextmanager
def killed_twice(
    strategy: type[IStrategy],
    source: GeneratedSource,
    folder: Path,
    ballast: dict[str, Any],
    *,
    loop_s: float,
    minutes: float,
    settled: float,
) -> Iterator[tuple[LiveRun, Counter[str]]]:
    """
    A bot among faults, through two lives that are ended, and what struck it; faults are over then.

    Parameters
    ----------
    loop_s : seconds between loops.
    minutes : of each life.
    settled : minutes without faults in the third.
    """
    late = Late()
    with live_run(
        strategy,
        source,
        folder,
        BEGIN,
        middlewares=[late.middleware],
        loop_seconds=loop_s,
        stake_amount="unlimited",
        ballast=ballast,
    ) as run:
        plan = begin_faults(run, late, seed=5)
        for _ in range(2):
            run.minutes(minutes)
            run.killed()
            run.minutes(1)
            run.started()
        struck = Counter(plan.counts)
        plan.remove()
        run.minutes(settled)
        yield run, struck


def check_sound(run: LiveRun, loop_s: float) -> None:
    """No pair is held twice, the database is the exchange's, and nothing was bare for long."""
    opened = Counter(trade.pair for trade in run.trades if trade.is_open)
    assert max(opened.values(), default=0) <= 1
    assert run.differences() == []
    # An entry is protected in the loop after it, or that after one in which a request failed;
    # a part waits for its rest, and everything for a bot that is dead for a minute.
    bare = [bare_s(trade, None, run.now) for trade in run.trades]
    assert max(bare) <= 60 + 3 * loop_s


@pytest.mark.slow
def test_nothing_is_bought_twice_lost_or_left_without_a_stop(tmp_path: Path) -> None:
    source = GeneratedSource(5, days=40, pairs=["BTC/USDT", "ETH/USDT"])
    # A bot without a guard that is asked at candles does not start.
    on = ("PortfolioHeat", "WeeklyLossLimit")
    off = [name for name in GuardSettings.names() if name not in on]
    ballast = {
        "guards": {"off": off},
        "risk": {"entries_per_candle": 20, "per_trade_pct": 0.2},
        "gate": {"spread_bps": 100.0, "depth_times": 1.0},
    }
    with killed_twice(Busy, source, tmp_path, ballast, loop_s=LOOP_S, minutes=16, settled=5) as (
        run,
        struck,
    ):
        assert struck["answer_lost"] >= 2
        assert len(run.trades) >= 4
        check_sound(run, LOOP_S)
        assert not run.bot.strategy.incidents.counts
