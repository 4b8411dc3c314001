"""Measures the account at a candle's end, for whoever shows it: nothing is decided by it."""

import math
from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
from freqtrade.persistence import LocalTrade

from ballast.core.account import Account, Gauge, OpenPosition, State
from ballast.core.heat import StopCosts, loss_at_stop
from ballast.core.reasons import Reason
from ballast.core.verdict import Verdict, compose
from ballast.risk.engine import RiskEngine
from ballast.risk.portfolio import Portfolio
from ballast.risk.stop_manager import StopManager


class AccountMeter:
    """
    Reads what the engine has just acted on.

    Parameters
    ----------
    costs_of : callable
        What leaving a pair at a stop costs beside the distance.
    heat_limit, exposure_limit : float
        Percent of equity; NaN for none.
    killed : callable
        Whether a person has switched entries off.
    candle : timedelta
        Length of one.
    """

    def __init__(
        self,
        engine: RiskEngine,
        portfolio: Portfolio,
        stop_manager: StopManager,
        costs_of: Callable[[str], StopCosts],
        heat_limit: float,
        exposure_limit: float,
        killed: Callable[[], Verdict],
        candle: timedelta,
    ) -> None:
        self._engine = engine
        self._portfolio = portfolio
        self._stop_manager = stop_manager
        self._costs_of = costs_of
        self._heat_limit = heat_limit
        self._exposure_limit = exposure_limit
        self._killed = killed
        self._candle = candle
        # End of the candle that was measured last, and the equity then.
        self._measured: tuple[datetime | None, float] = (None, math.nan)

    def at(self, end: datetime) -> Account:
        """
        The account at the end of the candle that the engine has judged last.

        Asked again within the next candle, it tells what is open by then; what has been made or
        lost since is the next one's, as in a backtest.
        """
        if self._measured[0] != end:
            self._measured = end, self._engine.equity(end)
        equity = self._measured[1]
        standing = {**self._engine.guard_set.standing(), "KillSwitch": self._killed()}
        verdict = compose(standing.values())
        multiplier = 0.0 if verdict.blocks else verdict.multiplier
        state = State.HALTED if verdict.blocks else State.REDUCING
        return Account(
            candle=end - self._candle,
            state=State.ACTIVE if multiplier == 1 else state,
            equity=equity,
            multiplier=multiplier,
            gauges=self._gauges(end, equity),
            guards={name: each for name, each in standing.items() if each.multiplier != 1},
            positions=tuple(
                self._held(trade, price, end) for trade, price in self._portfolio.positions(end)
            ),
        )

    def _gauges(self, end: datetime, equity: float) -> dict[str, Gauge]:
        found: dict[str, Gauge] = {}
        for guard in self._engine.guard_set.guards.values():
            gauge = guard.gauge()
            if gauge is not None:
                found[guard.code] = Gauge(*gauge)
        if equity > 0:
            committed, left = self._engine.committed(end), self._engine.heat_left(equity)
            heat = sum(committed.risks.values())
            left_pct = 100 * left / equity if left is not None else math.nan
            # The smaller one that is known.
            limit = float(np.fmin(self._heat_limit, left_pct))
            found[Reason.PORTFOLIO_HEAT] = Gauge(100 * heat / equity, limit)
            exposure = 100 * committed.exposure / equity
            found[Reason.EXPOSURE_CAP] = Gauge(exposure, self._exposure_limit)
        return found

    def _held(self, trade: LocalTrade, price: float, end: datetime) -> OpenPosition:
        plan = self._stop_manager.plan(trade, end)
        risk = loss_at_stop(trade.amount, price, plan.stop, self._costs_of(trade.pair))
        return OpenPosition(
            trade.id,
            trade.pair,
            trade.open_date_utc,
            trade.open_rate,
            plan.stop,
            price,
            (price - plan.entry) / plan.risk,
            risk,
            trade.amount * price,
        )
