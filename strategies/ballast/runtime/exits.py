"""Reasons to leave a position, each asked by itself: one that fails silences no other."""

from collections.abc import Callable
from datetime import datetime

from freqtrade.persistence import LocalTrade

from ballast.core.guard_set import GuardSet
from ballast.execution.resting_stops import resting_stop
from ballast.risk.kill_switch import KillSwitch
from ballast.risk.planned_exits import PlannedExits
from ballast.risk.stop_manager import StopManager
from ballast.risk.stop_plans import ManagedStop
from ballast.runtime.execution import Execution

# A trade, the moment, and what a sale would fetch; answers an exit reason, or None to stay.
Check = Callable[[LocalTrade, datetime, float], str | None]


class ExitChecks:
    """
    Asks whether to leave; the first reason counts.

    Parameters
    ----------
    stop_manager : StopManager
    planned : PlannedExits
    guard_set : GuardSet
    kill : KillSwitch
    execution : Execution
    report : callable
        Told of a check that failed, and which.
    """

    def __init__(
        self,
        stop_manager: StopManager,
        planned: PlannedExits,
        guard_set: GuardSet,
        kill: KillSwitch,
        execution: Execution,
        report: Callable[[str, Exception], None],
    ) -> None:
        self._manager = stop_manager
        self._planned = planned
        self._guards = guard_set
        self._is_live = execution.watch is not None
        self._stops_rest = execution.stops_rest
        self._report = report
        watch = execution.watch
        checks: dict[str, Check] = {}
        if watch is not None:
            stops = watch.stops
            checks["stop watch"] = lambda trade, now, rate: stops.reason_to_leave(trade, rate, now)
            checks["kill file"] = lambda *_: _flatten(kill.flattens)
        checks["guards"] = lambda *_: _flatten(guard_set.flattens)
        checks["stop"] = self._through_market
        if watch is not None:
            checks["stop as known"] = self._through_market_as_known
        checks["chandelier"] = lambda trade, now, _: stop_manager.closed_below(trade, now)
        checks["time stop"] = lambda trade, now, _: stop_manager.overdue(trade, now)
        checks["exit rule"] = lambda trade, now, _: planned.rule_met(trade, now)
        checks["sale"] = lambda trade, now, _: planned.sale_due(trade, now)
        self._checks = checks

    def reason(self, trade: LocalTrade, now: datetime, rate: float) -> str | None:
        """
        Exit reason, or None to stay.

        Parameters
        ----------
        rate : float
            What a sale would fetch now, quote currency (in a backtest: the open of the candle).
        """
        if self.staying(trade, now, rate) is not None:
            return None
        for name, check in self._checks.items():
            try:
                reason = check(trade, now, rate)
            except Exception as error:
                self._report(f"custom_exit, {name}", error)
                continue
            if reason is not None:
                return str(reason)
        return None

    def staying(self, trade: LocalTrade, now: datetime, rate: float) -> float | None:
        """
        The plan's stop (quote currency) where none of a backtest's checks finds a reason to leave:
        one look at what each looks at.

        None where one may, or it is not known: each is then asked by itself.
        """
        if self._is_live or self._guards.flattens is not None:
            return None
        try:
            stop = self._manager.staying(trade, now, rate)
            return stop if stop is not None and self._planned.holds(trade, now) else None
        except Exception:
            return None

    def steady(self, trade: LocalTrade) -> ManagedStop | None:
        """The plan of a position that a backtest leaves by its stops and its time alone."""
        if self._is_live or not self._planned.has_none(trade):
            return None
        return self._manager.managed(trade)

    def _through_market(self, trade: LocalTrade, now: datetime, rate: float) -> str | None:
        return self._manager.through_market(trade, now, rate, self._resting(trade))

    def _through_market_as_known(self, trade: LocalTrade, now: datetime, rate: float) -> str | None:
        return self._manager.through_market_as_known(trade, rate, self._resting(trade))

    def _resting(self, trade: LocalTrade) -> float | None:
        return resting_stop(trade) if self._stops_rest else None


def _flatten(why: str | None) -> str | None:
    return None if why is None else f"flatten: {why}"
