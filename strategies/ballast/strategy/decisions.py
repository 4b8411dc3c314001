"""Decisions: what the layer answers where Freqtrade asks. Every failure refuses.

Knows a host and a trading session, and nothing of the strategy that asks.
"""

import logging
import math
import time
from datetime import UTC, datetime
from typing import NamedTuple

from freqtrade.persistence import LocalTrade, Order, Trade

from ballast.core.reasons import Reason
from ballast.core.refusals import EntryRefused
from ballast.core.sizing import NO_TRADE
from ballast.core.verdict import Verdict
from ballast.journal.recorder import Recorder
from ballast.risk import custom_data
from ballast.risk.locks import Announced
from ballast.risk.stop_manager import EXPLANATION, INITIAL_STOP, StopMove, first_stop_text
from ballast.risk.stop_plans import ManagedStop
from ballast.runtime import event_factory
from ballast.runtime.host import Host
from ballast.runtime.session import TradingSession
from ballast.strategy import additions
from ballast.strategy.fail_closed import fail_closed
from ballast.strategy.parts import Parts

logger = logging.getLogger(__name__)

_UNPRICED = Verdict(Reason.CHASE_ENDED, math.nan, math.nan, 0.0)


class EntryOrder(NamedTuple):
    """An entry order that is about to be sent: units of base currency at a rate (quote)."""

    pair: str
    amount: float
    rate: float
    tag: str | None


class Decisions:
    """
    Answers for one strategy.

    Parameters
    ----------
    host : Host
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        self.session: TradingSession | None = None
        # Additions that are told to have filled, by their order.
        self._told_additions: set[str] = set()
        self._parts = Parts(host)

    def connect(self) -> None:
        """Connect rules, guards and account of this run."""
        self.session = TradingSession.of(self._host)
        self.session.log_start(self._host.get_strategy_name(), self._host.settings.guards)

    @property
    def connected(self) -> TradingSession:
        """
        The session.

        Raises
        ------
        RuntimeError
            Where Freqtrade has not started the strategy.
        """
        if self.session is None:
            raise RuntimeError("the strategy has not been started by Freqtrade")
        return self.session

    def announced(self, guard: str, pair: str, now: datetime) -> Announced | None:
        """What a guard has locked a pair ('*' for all) for, if it still holds."""
        return self.connected.engine.announced(guard, pair, now)

    def on_loop(self, now: datetime) -> None:
        """Live: look at orders and positions. In backtests: let the guards judge the candle."""
        if self.session is None:
            return
        if not self.session.feeds.live:
            self.judge(now)
            return
        self.session.look_anew()
        self.watch(now)
        if self.session.operator:
            self.session.operator.tick(now)

    def on_analysed(self, pairs: list[str], began: float) -> None:
        """
        Live: let the guards judge the new candle (`on_loop` would be too early).

        Parameters
        ----------
        began : float
            When the analysis began, `time.perf_counter`.
        """
        now = datetime.now(UTC)
        self.judge(now)
        session = self.session
        if session is None:
            return
        session.execution.analysed(pairs)
        session.kill.verdict()
        if session.recorder is not None:
            took = session.recorder.catch_up(now, time.perf_counter() - began)
            if took is not None:
                self._host.events.publish(took)

    @fail_closed(refusal=None)
    def watch(self, now: datetime) -> None:
        """Look at what is open on the exchange; without it entries are refused."""
        checks, watch = self.connected.execution.checks, self.connected.execution.watch
        checks.watched = None
        if watch is not None and watch.on_loop(now):
            checks.watched = now

    @fail_closed(refusal=None)
    def judge(self, now: datetime) -> None:
        """Show the guards the candle that has ended; without it entries are refused."""
        self.connected.engine.on_candle(now)

    def stake(
        self, pair: str, now: datetime, rate: float, tag: str | None, limits: dict[str, float]
    ) -> float:
        """Stake by risk at the stop; 0 refuses (see `PositionSizer.propose`)."""
        try:
            proposal = self.connected.sizer.propose(pair, now, rate, tag, limits)
        except EntryRefused as refusal:
            self.tell(pair, now, refusal)
            return NO_TRADE
        if self._host.events.heard:
            self._host.events.publish(event_factory.sized(proposal, rate, now))
        return proposal.sized.stake

    def addition(
        self, trade: LocalTrade, rate: float, limits: dict[str, float], now: datetime
    ) -> float:
        """
        Stake of an addition to a position, quote currency (see `PositionSizer.add`).

        Freqtrade asks nobody else: neither its locks nor `confirm_trade_entry`.

        Raises
        ------
        EntryRefused
            Where additions are not allowed, or nothing is left of the position's budget.
        """
        session = self.connected
        stop = max(session.stop_manager.stop(trade, now), trade.stop_loss or 0.0)
        additions.check(trade, self._host.settings.additions.most, session.kill, now)
        sized = session.sizer.add(trade, stop, rate, limits, now)
        session.execution.checks.check(trade.pair, sized.stake / rate, rate, now)
        if session.recorder is not None:
            session.recorder.require(trade.pair, now)
        if self._host.events.heard:
            self._host.events.publish(event_factory.added(trade, sized, rate, stop, now))
        return sized.stake

    def addition_sent(self, order: EntryOrder, now: datetime) -> None:
        """Count an addition that goes to the exchange, and write down what it is meant to be."""
        session = self.connected
        session.sizer.added(order.pair, now)
        if session.execution.watch is not None:
            session.execution.watch.adds(order.pair, order.amount, order.rate, order.tag, now)

    def check_entry(self, order: EntryOrder, now: datetime) -> None:
        """
        Last checks before an order, of which the journal must know (see `PreTradeChecks`).

        Raises
        ------
        EntryRefused
            With the first one that it fails.
        """
        session, pair = self.connected, order.pair
        if (killed := session.kill.verdict()).blocks:
            raise EntryRefused(killed)
        session.sizer.confirm(pair, order.amount, order.rate, now)
        session.execution.checks.check(pair, order.amount, order.rate, now)
        if session.recorder is not None:
            event = event_factory.confirmed(pair, order.amount, order.rate, now)
            self._host.events.publish(event)
            session.recorder.require(pair, now)

    def entry_sent(self, order: EntryOrder, now: datetime) -> None:
        """Count an entry that goes to the exchange, and write down what it is meant to be."""
        session = self.connected
        session.sizer.sent(order.pair)
        self.order_sent(order, now)

    def order_sent(self, order: EntryOrder, now: datetime) -> None:
        """Let the order watch know of an order that is sent, or moved to another rate."""
        watch = self.connected.execution.watch
        if watch is not None:
            watch.sends(order.pair, order.amount, order.rate, order.tag, now)

    @fail_closed(refusal=None)
    def filled(self, trade: LocalTrade, order: Order, now: datetime) -> None:
        """Start the stop plan of a new position; charge what the fill costs; tell of it."""
        session, is_addition = self.connected, additions.is_one(trade, order)
        session.look_anew()
        if session.execution.watch is not None:
            session.execution.watch.resting.filled(trade, order)
        if is_addition:
            session.stop_manager.added(trade)
        elif order.ft_order_side == trade.entry_side:
            self._start_plan(trade, order, now)
        if session.costs is not None:
            session.costs.charge(trade, order, now, is_addition=is_addition)
        if session.recorder is not None:
            self._tell_filled(session.recorder, trade, order, now)

    @fail_closed(refusal=math.nan)
    def stop(self, trade: LocalTrade, now: datetime) -> float:
        """The plan's stop, quote currency; NaN leaves the stop where it is."""
        return self.connected.stop_manager.stop(trade, now)

    @fail_closed(refusal=None)
    def raised_by_strategy(self, trade: LocalTrade, before: float, now: datetime) -> None:
        """Tell of a stop that the strategy's own has raised beyond the plan's, from `before`."""
        if self._host.events.heard and not trade.stop_loss <= self.stop(trade, now):
            move = StopMove(trade, before, trade.stop_loss, Reason.STRATEGY_STOP, now)
            self._host.events.publish(event_factory.stop_moved(move))

    @fail_closed(refusal=None)
    def staying(self, trade: LocalTrade, rate: float, now: datetime) -> float | None:
        """The plan's stop where a backtest has no reason to leave (see `ExitChecks.staying`)."""
        return self.connected.exits.staying(trade, now, rate)

    @fail_closed(refusal=None)
    def steady(self, trade: LocalTrade) -> ManagedStop | None:
        """The plan of a position that leaves by it alone (see `ExitChecks.steady`)."""
        return self.connected.exits.steady(trade)

    @fail_closed(refusal=None)
    def reason_to_leave(self, trade: LocalTrade, rate: float, now: datetime) -> str | None:
        """Leave by rule, by time, or where the wanted stop is already through the market."""
        return self.connected.exits.reason(trade, now, rate)

    @fail_closed(refusal=None)
    def part_to_sell(
        self, trade: LocalTrade, rate: float, min_stake: float | None, now: datetime
    ) -> tuple[float, str] | None:
        """The part of a position that its setup sells now (see `Parts.to_sell`)."""
        return self._parts.to_sell(self.connected, trade, rate, min_stake, now)

    @fail_closed(refusal=None)
    def reduction(
        self, trade: LocalTrade, stake: float, rate: float, min_stake: float | None, now: datetime
    ) -> float | None:
        """What of a position another's strategy sells now (see `Parts.reduced`)."""
        return self._parts.reduced(self.connected, trade, stake, rate, min_stake, now)

    @fail_closed(refusal=None)
    def after_fill(self, trade: Trade, rate: float, now: datetime) -> None:
        """Live: place the stop of what has just been filled (see `RestingStops.after_fill`)."""
        if self.session is not None and self.session.execution.watch is not None:
            self.session.execution.watch.resting.after_fill(trade, rate, now)

    @fail_closed(refusal=None)
    def last_look(self) -> None:
        """The process ends: see `LastLook`."""
        if self.session is not None and self.session.execution.last_look is not None:
            self.session.execution.last_look.at_end(datetime.now(UTC))

    @fail_closed(refusal=True)
    def gives_up_entry(self, trade: LocalTrade, order: Order, now: datetime) -> bool:
        """Whether what is left of an entry order is cancelled (see `OpenEntries.is_given_up`)."""
        return self.connected.execution.open_entries.is_given_up(trade, order, now)

    @fail_closed(refusal=False)
    def gives_up_exit(self, order: Order, now: datetime) -> bool:
        """Whether an exit order that hangs is cancelled; Freqtrade then sells anew."""
        age_s = (now - order.order_date_utc).total_seconds()
        return age_s >= self._host.settings.pricing.exit_timeout_s

    def followed(
        self,
        trade: LocalTrade,
        order: Order,
        proposed: float | None,
        current: float,
        now: datetime,
        tag: str | None,
    ) -> float | None:
        """
        New limit of an entry order (quote currency), see `OpenEntries.follow`; None gives it up.

        Live one that is given up keeps its limit, and is cancelled in the next loop: Freqtrade
        deletes the trade of an order that it wants to move and cannot cancel.
        """
        entries, watch = self.connected.execution.open_entries, self.connected.execution.watch
        try:
            rate = entries.follow(trade, order, proposed, current, now)
            if rate is not None and rate != current:
                self.order_sent(EntryOrder(trade.pair, order.safe_remaining, rate, tag), now)
        except Exception as error:
            self.incident("adjust_order_price", error)
            entries.give_up(trade, order, now, _UNPRICED)
            rate = None
        return current if rate is None and watch is not None else rate

    def incident(self, where: str, error: Exception) -> None:
        """Report a failure inside a callback; the callback has refused."""
        self._host.incidents.record(where, error)
        if self.session is not None:
            failed = event_factory.failed(where, error, self.session.present)
            self._host.events.publish(failed)

    def tell(self, pair: str, now: datetime, refusal: EntryRefused) -> None:
        """Publish an entry that was refused."""
        if not self.connected.feeds.live:
            # Live every event is logged.
            logger.info("%s: entry refused, %s", pair, refusal)
        if not self._host.events.heard:
            return
        self._host.events.publish(event_factory.refused(pair, refusal, now))

    def _start_plan(self, trade: LocalTrade, order: Order, now: datetime) -> None:
        plan = self.connected.stop_manager.opened(trade, order.order_filled_utc or now)
        if plan is None:
            return
        # Freqtrade's backtest searches all custom data ever written, and nobody reads it there.
        if self.connected.feeds.live:
            custom_data.store(trade, INITIAL_STOP, first_stop_text(plan, trade.pair))
        else:
            # Of a backtest Freqtrade exports its own first stop only, and the tags of orders.
            order.ft_order_tag = f"{order.ft_order_tag or ''} {INITIAL_STOP}={plan.initial_stop}"

    def _tell_filled(
        self, recorder: Recorder, trade: LocalTrade, order: Order, now: datetime
    ) -> None:
        addition = additions.is_one(trade, order)
        if addition and order.order_id in self._told_additions:
            # Freqtrade books the fill of an addition once more when it looks for its fee.
            return
        if addition:
            self._told_additions.add(order.order_id)
        began = order.order_date_utc if addition else trade.open_date_utc
        signal = recorder.signal_candle(began)
        entered = order.ft_order_side == trade.entry_side
        because = "" if entered else self._because(trade, order)
        for event in event_factory.filled(trade, order, now, signal, because):
            self._host.events.publish(event)
        if entered and not addition and self.connected.feeds.live:
            custom_data.store(trade, EXPLANATION, recorder.explain(trade.pair, signal))

    def _because(self, trade: LocalTrade, order: Order) -> str:
        """What a sale was decided by, from the candles as they were when it was sent."""
        reason = str(trade.exit_reason or order.ft_order_tag or "")
        return self.connected.planned.explained(trade, reason, order.order_date_utc)
