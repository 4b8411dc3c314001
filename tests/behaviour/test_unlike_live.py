"""Foreign strategies of every kind, live on an exchange that fails, with a kill in between.

Whatever they want, answer or break: nothing is bought twice, lost, or left without a stop, and no
position may lose more at its first stop than one trade may.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from freqtrade.persistence import Trade
from freqtrade.strategy import IStrategy

from ballast import StopRules
from ballast.risk import custom_data
from ballast.risk.stop_manager import INITIAL_STOP, first_stop
from sandbox.sources import GeneratedSource
from tests.behaviour.test_random_faults import check_sound, killed_twice
from tests.behaviour.unlike import UNLIKE, Averaging
from tests.behaviour.wishes import held

LOOP_S = 30
PAIRS = ["BTC/USDT", "ETH/USDT"]
PER_TRADE = 20.0  # 0.2 % of 10,000
COSTS = 0.003 + 0.005
# A balance that is told late counts a position of five percent twice for a moment.
LATE = 1.05
BALLAST: dict[str, Any] = {
    "guards": {"off": ["StopCascadeHalt", "LossStreakBackoff", "VolatilityCooldown"]},
    "risk": {"entries_per_candle": 20, "per_trade_pct": 0.2},
    "gate": {"spread_bps": 100.0, "depth_times": 1.0},
    "additions": {"most": 2},
    "market": {"basket": PAIRS},
}


def loss_at_first_stop(trade: Trade) -> float:
    """What a position would have lost there, by its orders, quote currency."""
    stop = first_stop(custom_data.stored(trade, INITIAL_STOP))
    entries = trade.select_filled_orders(trade.entry_side)
    sold = [order for order in trade.select_filled_orders("sell") if order.ft_order_tag == "third"]
    paid = sum(order.safe_filled * order.safe_price for order in entries)
    got = sum(order.safe_filled * order.safe_price for order in sold)
    left = sum(o.safe_filled for o in entries) - sum(o.safe_filled for o in sold)
    return paid * (1 + COSTS) - got - stop * left


@pytest.mark.slow
@pytest.mark.parametrize("theirs", UNLIKE)
def test_strategy_of_any_kind_is_held(theirs: type[IStrategy], tmp_path: Path) -> None:
    source = GeneratedSource(5, days=40, pairs=PAIRS)
    strategy = held(theirs, stops=StopRules(initial_atr=2))
    with killed_twice(
        strategy, source, tmp_path, BALLAST, loop_s=LOOP_S, minutes=32, settled=6
    ) as (run, _):
        assert run.trades
        check_sound(run, LOOP_S)
        for trade in run.trades:
            assert loss_at_first_stop(trade) <= PER_TRADE * LATE
        if theirs is Averaging:
            assert max(trade.nr_of_successful_entries for trade in run.trades) > 1
