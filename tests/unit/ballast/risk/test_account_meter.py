"""What is made or lost after a candle belongs to the next one, in a bot as in a backtest."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from ballast.core.reasons import Reason
from ballast.core.verdict import ALLOW
from ballast.risk.account_meter import AccountMeter
from ballast.risk.open_risk import Committed

HOUR = timedelta(hours=1)
END = datetime(2024, 1, 1, 10, tzinfo=UTC)


def test_asked_again_within_a_candle_it_tells_the_equity_of_its_end_and_the_risk_of_now() -> None:
    equity, heat = [1_000.0], [20.0]
    engine: Any = SimpleNamespace(
        equity=lambda end: equity[-1],
        guard_set=SimpleNamespace(standing=dict, guards={}),
        committed=lambda end: Committed(equity[-1], 0.0, {"BTC/USDT": heat[-1]}),
        heat_left=lambda equity: None,
    )
    portfolio: Any = SimpleNamespace(positions=lambda end: ())
    unasked: Any = None
    meter = AccountMeter(engine, portfolio, unasked, unasked, math.nan, 25.0, lambda: ALLOW, HOUR)
    assert meter.at(END).equity == 1_000
    equity.append(950.0)
    heat.append(0.0)
    again = meter.at(END)
    assert (again.equity, again.gauges[Reason.PORTFOLIO_HEAT].value) == (1_000, 0)
    assert meter.at(END + HOUR).equity == 950
