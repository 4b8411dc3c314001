"""An entry that rests on the exchange counts in exposure, heat and clusters as if it had filled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ballast.core.candles import Candles
from ballast.core.market import Market
from ballast.core.rules import Rule, above
from ballast.core.stops import StopRules
from ballast.strategy.guarded import GuardedStrategy
from sandbox.orders import Side
from sandbox.sources import GeneratedSource
from sandbox.units import UNIT
from tests.behaviour.live_story import Shy
from tests.live_run import LiveRun, live_run

BEGIN = datetime(2024, 1, 25, tzinfo=UTC) + timedelta(seconds=1)
PAIRS = ["BTC/USDT", "ETH/USDT", "BNB/USDT", "XRP/USDT", "SOL/USDT"]
SAME = {"price_side": "same", "use_order_book": True, "order_book_top": 1}


class AlwaysBuys(GuardedStrategy):
    """Signals on every candle of every pair."""

    timeframe = "1h"
    stops = StopRules(initial_atr=4)

    def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        return {"always": above(pair.close, 0.0)}


def resting(folder: Path, count: int, risk: dict[str, float], heat: dict[str, float]) -> LiveRun:
    """A bot that has sent what it may on one candle; nothing of it fills."""
    usual = {"entries_per_candle": 20, "turnover_share_pct": 20.0, "daily_volatility_pct": 20.0}
    ballast: dict[str, Any] = {
        "risk": usual | risk,
        "guards": {"PortfolioHeat": heat},
        "gate": {"spread_bps": 500.0, "depth_times": 1.0, "move_atr": 5.0},
        "market": {"leader": "BTC/USDT"},
    }
    source = GeneratedSource(5, days=40, pairs=PAIRS[:count])
    with live_run(
        AlwaysBuys,
        source,
        folder,
        BEGIN,
        hooks=Shy(buy=0.0),
        loop_seconds=5,
        stake_amount="unlimited",
        entry_pricing=SAME,
        ballast=ballast,
    ) as run:
        for _ in range(4):
            run.loop()
        return run


def invested(run: LiveRun) -> list[float]:
    """Values of the entries that were sent, quote currency."""
    buys = [order for order in run.exchange.orders if order.side is Side.BUY]
    return [order.amount * order.request.price / UNIT**2 for order in buys]


@pytest.mark.parametrize("count", [2, 5])
def test_entries_of_one_candle_invest_no_more_than_the_cap_of_all(
    count: int, tmp_path: Path
) -> None:
    risk = {"per_trade_pct": 2.0, "position_cap_pct": 20.0, "exposure_cap_pct": 25.0}
    values = invested(resting(tmp_path, count, risk, {"limit_pct": 20.0, "cluster_pct": 20.0}))
    assert len(values) >= 2
    assert 2_400 < sum(values) <= 2_500


def test_entries_of_one_candle_risk_no_more_than_the_heat_of_all(tmp_path: Path) -> None:
    risk = {"per_trade_pct": 1.5, "position_cap_pct": 100.0, "exposure_cap_pct": 100.0}
    heat = {"limit_pct": 2.0, "cluster_pct": 20.0}
    run = resting(tmp_path, 3, risk, heat)
    values = invested(run)
    assert len(values) == 2
    # Half a percent is left for the second; a third of the first's, at distances much alike.
    assert values[1] < 0.6 * values[0]


def test_entries_that_move_together_risk_no_more_than_the_heat_of_a_cluster(
    tmp_path: Path,
) -> None:
    risk = {"per_trade_pct": 1.5, "position_cap_pct": 100.0, "exposure_cap_pct": 100.0}
    heat = {"limit_pct": 20.0, "cluster_pct": 2.0, "cluster_correlation": 0.01}
    values = invested(resting(tmp_path, 3, risk, heat))
    assert len(values) == 2
    assert values[1] < 0.6 * values[0]
