"""The stop manager: holds a plan for every open position and says when to leave."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from freqtrade.persistence import LocalTrade

from ballast.core import stops
from ballast.core.columns import CandleColumns
from ballast.core.data_quality import DataQuality
from ballast.core.reasons import Reason
from ballast.core.signals import setup_name
from ballast.core.stops import StopPlan, StopRules
from ballast.core.windows import minutes
from ballast.risk import custom_data
from ballast.risk.proposals import OrderProposals

INITIAL_STOP = "initial_stop"
EXPLANATION = "explanation"
# A plain number: comparing with a member of an enumeration is slow.
_MOVES_NO_STOP = int(DataQuality.FILLED_HOLE)


@dataclass
class _Watch:
    """
    A plan, the candle up to which it has been advanced (opening time, nanoseconds since the epoch),
    and the moment it was last asked for.
    """

    plan: StopPlan
    as_of: int
    setup: str
    opened_at: datetime
    raised: bool = False
    asked: datetime | None = None
    # Candle at which the stop moved last, as `as_of`.
    moved_as_of: int = -1

    def overdue(self, now: datetime) -> bool:
        """Whether the time stop has come."""
        limit = self.plan.rules.time_stop
        if limit is None or self.plan.reached(1.0):
            return False
        return stops.overdue(self.opened_at, now, minutes(limit))


@dataclass(frozen=True)
class StopMove:
    """A stop's move: from (NaN at first) and to, quote currency; what moved it, and when."""

    trade: LocalTrade
    before: float
    stop: float
    code: str
    at: datetime


class StopManager:
    """
    Stops of the open positions.

    Parameters
    ----------
    columns_of : callable
        Gives a pair's columns, or None.
    rules_of : callable
        Stop rules of a setup, by its name.
    proposals : OrderProposals
        Entries as they were decided, with their first stops.
    disaster_ratio : float
        Depth of the strategy's class stop as a positive ratio.
    cost_ratio : float
        Round-trip cost that a break-even stop covers.
    tell : callable
        Told about every first stop, and every one that is raised.
    """

    def __init__(
        self,
        columns_of: Callable[[str], CandleColumns | None],
        rules_of: Callable[[str], StopRules],
        proposals: OrderProposals,
        disaster_ratio: float,
        cost_ratio: float,
        tell: Callable[[StopMove], None] = lambda move: None,
    ) -> None:
        self._columns_of = columns_of
        self._rules_of = rules_of
        self._proposals = proposals
        self._disaster_ratio = disaster_ratio
        self._cost_ratio = cost_ratio
        self._tell = tell
        self._watches: dict[int, _Watch] = {}

    def opened(self, trade: LocalTrade, now: datetime) -> StopPlan:
        """Start the plan of a position whose entry has just filled."""
        proposal = self._proposals.last(trade.pair)
        # An order that outlived a restart has no proposal.
        stop = proposal.stop if proposal is not None else self._decided_stop(trade)
        plan = self._start(trade, now, stop).plan
        self._tell(StopMove(trade, math.nan, plan.stop, Reason.FIRST_STOP, now))
        return plan

    def result_in_r(self, trade: LocalTrade) -> float:
        """
        Net result of a closed trade in R, and forget its plan.

        R is what the first stop put at risk; after a restart it is read from the trade's data.
        """
        watch = self._watches.pop(trade.id, None) or self._resume(trade)
        self._watches.pop(trade.id, None)
        return float(trade.close_profit or 0.0) * watch.plan.entry / watch.plan.risk

    def tighten(self, trade: LocalTrade, stop: float, by: str, now: datetime) -> None:
        """Raise the stop of an open position; `by` is a code for why."""
        watch = self._watches.get(trade.id)
        if watch is not None and stop > watch.plan.stop:
            before = watch.plan.stop
            watch.plan.tighten(stop, by)
            watch.raised = True
            self._moved(trade, watch, before, now)

    def moved_by(self, trade: LocalTrade, end: datetime) -> str:
        """What raised the stop at the candle that ended at `end`; empty where it stayed."""
        watch, columns = self._watches.get(trade.id), self._columns_of(trade.pair)
        if watch is None or columns is None or watch.moved_as_of + columns.span != _ns(end):
            return ""
        return watch.plan.moved_by

    def forget(self) -> None:
        """Forget every plan."""
        self._watches.clear()

    def stop(self, trade: LocalTrade, now: datetime) -> float:
        """Present stop of a position (price), advanced to the last completed candle."""
        return self._advanced(trade, now).plan.stop

    def reason_to_leave(
        self, trade: LocalTrade, now: datetime, rate: float, stop_rests: bool
    ) -> str | None:
        """
        Exit reason, or None to stay.

        Parameters
        ----------
        rate : float
            What a sale would fetch now (in a backtest: the open of the candle).
        stop_rests : bool
            Whether a stop order rests on the exchange; it then deals with its own level, and only
            a stop that was raised beyond the market is left to us.
        """
        watch = self._advanced(trade, now)
        if watch.plan.stop >= rate and (watch.raised or not stop_rests):
            return Reason.STOP_THROUGH_MARKET
        if watch.plan.closed_below:
            return Reason.CHANDELIER_EXIT
        if watch.overdue(now):
            return Reason.TIME_STOP
        return self._exit_rule(trade.pair, watch, now)

    def _exit_rule(self, pair: str, watch: _Watch, now: datetime) -> str | None:
        """Exit rule of the setup that is met, or None."""
        columns, column = self._columns_of(pair), f"exit:{watch.setup}"
        if columns is None or not columns.labels.get(column):
            return None
        position = columns.completed_at(now)
        # Only rules of a candle that ended after the entry may end the trade.
        if position < 0 or columns.opened[position] + columns.span <= _ns(watch.opened_at):
            return None
        number = int(columns[column][position])
        return f"{watch.setup}: {columns.labels[column][number - 1]}" if number else None

    def _advanced(self, trade: LocalTrade, now: datetime) -> _Watch:
        watch = self._watches.get(trade.id) or self._resume(trade)
        if watch.asked == now:
            return watch
        columns = self._columns_of(trade.pair)
        if columns is None:
            return watch
        position = columns.completed_at(now)
        # Live the candle may still be missing: only a fresh one answers for the whole moment.
        watch.asked = now if columns.is_fresh(position, now) else None
        newest = int(columns.opened[position]) if position >= 0 else watch.as_of
        if newest <= watch.as_of:
            return watch
        before = watch.plan.stop
        # Mostly one candle on, which needs no search.
        one_on = newest == watch.as_of + columns.span
        first = (
            position if one_on else int(np.searchsorted(columns.opened, watch.as_of, side="right"))
        )
        for candle in range(first, position + 1):
            # A filled or absurd candle moves no stop; the one that rests stays.
            if columns["trust"][candle] < _MOVES_NO_STOP:
                watch.plan.advance(float(columns["close"][candle]), float(columns["atr"][candle]))
        watch.as_of = newest
        watch.raised = watch.plan.stop > before
        if watch.raised:
            self._moved(trade, watch, before, now)
        return watch

    def _moved(self, trade: LocalTrade, watch: _Watch, before: float, now: datetime) -> None:
        watch.moved_as_of = watch.as_of
        self._tell(StopMove(trade, before, watch.plan.stop, watch.plan.moved_by, now))

    def _resume(self, trade: LocalTrade) -> _Watch:
        """
        Take up a position after a restart: the stop Freqtrade stored, the candles since the entry.
        """
        stored = custom_data.stored(trade, INITIAL_STOP)
        initial = float(stored) if stored is not None else self._decided_stop(trade)
        watch = self._start(trade, trade.open_date_utc, initial)
        watch.plan.stop = max(watch.plan.stop, trade.stop_loss or 0.0)
        return watch

    def _decided_stop(self, trade: LocalTrade) -> float:
        """First stop of a position whose start was missed, from its signal candle; or NaN."""
        columns = self._columns_of(trade.pair)
        position = columns.completed_at(trade.open_date_utc) if columns is not None else -1
        if columns is None or position < 0:
            return math.nan
        close, atr = float(columns["close"][position]), float(columns["atr"][position])
        rules = self._rules_of(setup_name(trade.enter_tag))
        return stops.initial_stop(close, atr, rules, self._disaster_ratio)

    def _start(self, trade: LocalTrade, now: datetime, stop: float) -> _Watch:
        disaster = trade.open_rate * (1 - self._disaster_ratio)
        name = setup_name(trade.enter_tag)
        plan = StopPlan(
            entry=trade.open_rate,
            stop=max(stop, disaster) if math.isfinite(stop) else disaster,
            rules=self._rules_of(name),
            cost_ratio=self._cost_ratio,
        )
        columns = self._columns_of(trade.pair)
        position = columns.completed_at(now) if columns is not None else -1
        as_of = int(columns.opened[position]) if columns is not None and position >= 0 else _ns(now)
        watch = _Watch(plan, as_of, name, trade.open_date_utc)
        self._watches[trade.id] = watch
        return watch


def _ns(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000_000
