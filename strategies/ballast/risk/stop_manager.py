"""The stop manager: holds a plan for every open position and says when to leave."""

import math
from collections.abc import Callable, Collection
from datetime import datetime
from typing import NamedTuple

import numpy as np
from freqtrade.exchange import ROUND_DOWN, price_to_precision
from freqtrade.persistence import LocalTrade

from ballast.core import stops
from ballast.core.columns import CandleColumns
from ballast.core.reasons import Reason
from ballast.core.signals import setup_name
from ballast.core.stops import StopPlan, StopRules
from ballast.core.trails import UNKNOWN, Extremes, swing_low
from ballast.core.trust import DataQuality
from ballast.risk import custom_data
from ballast.risk.proposals import OrderProposals
from ballast.risk.stop_plans import ManagedStop, StopPlanStore, ns

INITIAL_STOP = "initial_stop"
EXPLANATION = "explanation"
# A plain number: comparing with a member of an enumeration is slow.
MOVES_NOTHING = int(DataQuality.FILLED_HOLE)


def first_stop_text(plan: StopPlan, pair: str) -> str:
    """The first stop as a person reads it with the trade; a number comes first."""
    away = 100 * (1 - plan.initial_stop / plan.entry)
    quote = pair.partition("/")[2].partition(":")[0]
    return f"{plan.initial_stop:.8g} {quote}, {away:.2f} % below the entry at {plan.entry:.8g}"


def first_stop(kept: str | float) -> float:
    """The price in such a text, or what was kept before it was one."""
    return float(str(kept).split()[0])


class StopMove(NamedTuple):
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
    disaster_ratio : callable
        Depth of the strategy's class stop as a positive ratio, which hyperopt may set anew.
    cost_ratio_of : callable
        Round-trip cost that the break-even stop of a trade covers, ratio.
    tell : callable
        Told about every first stop, and every one that is raised.
    """

    def __init__(
        self,
        columns_of: Callable[[str], CandleColumns | None],
        rules_of: Callable[[str], StopRules],
        proposals: OrderProposals,
        disaster_ratio: Callable[[], float],
        cost_ratio_of: Callable[[LocalTrade], float],
        tell: Callable[[StopMove], None] = lambda move: None,
    ) -> None:
        self._columns_of = columns_of
        self._rules_of = rules_of
        self._proposals = proposals
        self._disaster_ratio = disaster_ratio
        self._cost_ratio_of = cost_ratio_of
        self._tell = tell
        self._managed: dict[int, ManagedStop] = {}
        self._kept: StopPlanStore | None = None

    def remember_in(self, store: StopPlanStore) -> None:
        """Keep plans in a database from now on, beginning with what it holds."""
        self._kept = store

    def keep(self, still_open: Collection[int]) -> None:
        """Write the plans down; forget those of trades that are no longer open (their numbers)."""
        if self._kept is not None:
            self._kept.keep(self._managed, still_open)

    def opened(self, trade: LocalTrade, filled: datetime) -> StopPlan | None:
        """
        Start the plan of a position whose entry has just filled.

        Returns
        -------
        StopPlan or None
            None where it is not known what was decided, until the pair's candles are there.
        """
        known = self._managed.pop(trade.id, None)
        # Freqtrade notices a fill again where it looks for a lost order. A backtest's numbers begin
        # anew with every epoch.
        if self._kept is not None and known is not None and known.is_of(trade):
            self._managed[trade.id] = known
            return known.plan
        setup, stop = self._decided(trade)
        if not math.isfinite(stop):
            return None
        managed = self._managed[trade.id] = self._started(trade, filled, setup, stop)
        if self._kept is not None:
            self._kept.keep({trade.id: managed})
        self._tell(StopMove(trade, math.nan, managed.plan.stop, Reason.FIRST_STOP, filled))
        return managed.plan

    def added(self, trade: LocalTrade) -> None:
        """Let the plan of a position go on with the average price after an addition."""
        managed = self.managed(trade)
        managed.plan.entry = trade.open_rate
        if self._kept is not None:
            self._kept.keep({trade.id: managed})

    def first_stop(self, trade: LocalTrade) -> float:
        """Stop (price) that a position will begin with whose entry has not filled yet."""
        _, stop = self._decided(trade)
        return self._above_disaster(trade, stop)

    def result_in_r(self, trade: LocalTrade) -> float:
        """
        Net result of a closed trade in R, and forget its plan.

        R is what the first stop put at risk; after a restart it is read from the trade's data.
        """
        plan = (self._managed.pop(trade.id, None) or self._resumed(trade)).plan
        self._managed.pop(trade.id, None)
        if trade.exit_reason == Reason.DUST_EXIT and trade.amount_requested:
            # Lost is a little of what was asked for, not the whole of what was bought.
            return float(trade.close_profit_abs or 0.0) / (trade.amount_requested * plan.risk)
        return float(trade.close_profit or 0.0) * plan.entry / plan.risk

    def tighten(self, trade: LocalTrade, stop: float, by: str, now: datetime) -> None:
        """Raise the stop of an open position; `by` is a code for why."""
        managed = self._managed.get(trade.id)
        if managed is not None and stop > managed.plan.stop:
            before = managed.plan.stop
            managed.plan.tighten(stop, by)
            self._moved(trade, managed, before, now)

    def moved_by(self, trade: LocalTrade, end: datetime) -> str:
        """What raised the stop at the candle that ended at `end`; empty where it stayed."""
        managed, columns = self._managed.get(trade.id), self._columns_of(trade.pair)
        if managed is None or columns is None or managed.moved_as_of + columns.span != ns(end):
            return ""
        return managed.plan.moved_by

    def forget(self) -> None:
        """Forget every plan."""
        self._managed.clear()

    def plan(self, trade: LocalTrade, now: datetime) -> StopPlan:
        """The plan of a position, advanced to the last completed candle; to be looked at."""
        return self._advanced(trade, now).plan

    def stop(self, trade: LocalTrade, now: datetime) -> float:
        """Present stop of a position (price), advanced to the last completed candle."""
        known = self._managed.get(trade.id)
        if known is None or known.asked != now:
            known = self._advanced(trade, now)
        return known.plan.stop

    def through_market(
        self, trade: LocalTrade, now: datetime, rate: float, resting: float | None
    ) -> str | None:
        """
        Exit reason where the stop is already through the market, and nothing rests at its level.

        It does not matter what raised the stop, or how long ago.

        Parameters
        ----------
        rate : float
            What a sale would fetch now (in a backtest: the open of the candle).
        resting : float or None
            Stop that rests on the exchange, 0 for none; it deals with its own level. None where
            stops do not rest on an exchange.
        """
        return _through(trade, self._advanced(trade, now).plan, rate, resting)

    def through_market_as_known(
        self, trade: LocalTrade, rate: float, resting: float | None
    ) -> str | None:
        """The same with the plan as it was advanced last: for when that fails."""
        managed = self._managed.get(trade.id)
        return None if managed is None else _through(trade, managed.plan, rate, resting)

    def closed_below(self, trade: LocalTrade, now: datetime) -> str | None:
        """Exit reason where the last close was below the chandelier."""
        return Reason.CHANDELIER_EXIT if self._advanced(trade, now).plan.closed_below else None

    def overdue(self, trade: LocalTrade, now: datetime) -> str | None:
        """Exit reason where the trade's time is up."""
        return Reason.TIME_STOP if self.managed(trade).overdue(now) else None

    def staying(self, trade: LocalTrade, now: datetime, rate: float) -> float | None:
        """
        The stop (price) where neither it, the chandelier nor time is a reason to leave at a rate
        (quote currency); None where one is.
        """
        managed = self._advanced(trade, now)
        plan = managed.plan
        leaves = plan.stop >= rate or plan.closed_below or managed.overdue(now)
        return None if leaves else plan.stop

    def managed(self, trade: LocalTrade) -> ManagedStop:
        """The plan of a position and by what it is managed, as it was advanced last."""
        return self._managed.get(trade.id) or self._resumed(trade)

    def _advanced(self, trade: LocalTrade, now: datetime) -> ManagedStop:
        managed = self.managed(trade)
        if managed.asked == now:
            return managed
        columns = self._columns_of(trade.pair)
        if columns is None:
            return managed
        # Live the candle may still be missing: only the newest answers for the whole moment.
        position = columns.newest_at(now)
        managed.asked = now if position >= 0 else None
        if position < 0:
            position = columns.completed_at(now)
        as_of = managed.as_of if managed.as_of is not None else managed.candle(columns)
        newest = columns.opened.item(position) if position >= 0 else as_of
        if newest <= as_of:
            return managed
        before = managed.plan.stop
        # Mostly one candle on, which needs no search.
        one_on = newest == as_of + columns.span
        first = position if one_on else int(np.searchsorted(columns.opened, as_of, side="right"))
        for candle in range(first, position + 1):
            # A filled or absurd candle moves no stop; the one that rests stays.
            if columns.value("trust", candle) < MOVES_NOTHING:
                close, atr = columns.value("close", candle), columns.value("atr", candle)
                managed.plan.advance(close, atr, _extremes(columns, candle, managed.plan.rules))
        managed.as_of = newest
        if managed.plan.stop > before:
            self._moved(trade, managed, before, now)
        return managed

    def _moved(self, trade: LocalTrade, managed: ManagedStop, before: float, now: datetime) -> None:
        if managed.as_of is not None:
            managed.moved_as_of = managed.as_of
        self._tell(StopMove(trade, before, managed.plan.stop, managed.plan.moved_by, now))

    def _resumed(self, trade: LocalTrade) -> ManagedStop:
        """
        Take up a position whose plan is not here: as it was written down, else from its first stop
        and the candles since the entry.

        Where not even that is known the disaster stop answers, until the candles are there.
        """
        kept = self._kept.of(trade) if self._kept is not None else None
        is_known = True
        if kept is not None:
            managed = kept.taken_up(trade, self._rules_of(kept.setup), self._cost_ratio_of(trade))
        else:
            stored = custom_data.stored(trade, INITIAL_STOP)
            setup, stop = self._decided(trade)
            stop = first_stop(stored) if stored is not None else stop
            managed = self._started(trade, trade.open_date_utc, setup, stop)
            is_known = math.isfinite(stop) or self._columns_of(trade.pair) is not None
        managed.plan.stop = max(managed.plan.stop, trade.stop_loss or 0.0)
        if is_known:
            self._managed[trade.id] = managed
        return managed

    def _decided(self, trade: LocalTrade) -> tuple[str, float]:
        """Setup and first stop that a position was sized with; from its candle where it is old."""
        entry = self._proposals.sent(trade.pair) if trade.is_open else None
        if entry is not None:
            return entry.setup, entry.stop
        return setup_name(trade.enter_tag), self._stop_by_candle(trade)

    def _stop_by_candle(self, trade: LocalTrade) -> float:
        """First stop of a position by its signal candle; NaN where that is not known."""
        columns = self._columns_of(trade.pair)
        position = columns.completed_at(trade.open_date_utc) if columns is not None else -1
        if columns is None or position < 0:
            return math.nan
        close, atr = float(columns["close"][position]), float(columns["atr"][position])
        rules = self._rules_of(setup_name(trade.enter_tag))
        return stops.initial_stop(close, atr, rules, self._disaster_ratio())

    def _above_disaster(self, trade: LocalTrade, stop: float) -> float:
        disaster = trade.open_rate * (1 - self._disaster_ratio())
        return max(stop, disaster) if math.isfinite(stop) else disaster

    def _started(self, trade: LocalTrade, filled: datetime, setup: str, stop: float) -> ManagedStop:
        plan = StopPlan(
            entry=trade.open_rate,
            stop=self._above_disaster(trade, stop),
            rules=self._rules_of(setup),
            cost_ratio=self._cost_ratio_of(trade),
        )
        return ManagedStop(trade.pair, plan, setup, trade.open_date_utc, filled)


def _extremes(columns: CandleColumns, candle: int, rules: StopRules) -> Extremes:
    """What the rules need of a candle beside its close."""
    if rules.sar_step is None and rules.swing_low is None:
        return UNKNOWN
    lows = columns["low"]
    low = float(lows[max(candle - 1, 0) : candle + 1].min())
    beside = rules.swing_candles(columns.timeframe)
    swing = swing_low(lows, candle, beside) if beside else math.nan
    return Extremes(float(columns["high"][candle]), low, swing)


def _through(trade: LocalTrade, plan: StopPlan, rate: float, resting: float | None) -> str | None:
    if plan.stop < rate:
        return None
    if resting is not None and resting >= _tick_down(trade, plan.stop):
        return None
    return Reason.STOP_THROUGH_MARKET


def _tick_down(trade: LocalTrade, price: float) -> float:
    """A price rounded down to the exchange's steps: a stop that rests there rests at it."""
    return float(
        price_to_precision(
            price, trade.price_precision, trade.precision_mode_price, rounding_mode=ROUND_DOWN
        )
    )
