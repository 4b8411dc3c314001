"""GuardedStrategy: the one class that speaks Freqtrade's callbacks.

A strategy derives from it and states rules; entries, sizes, stops and exits are decided here, in
the same way in backtests, paper and live trading, and every failure refuses.
"""

import logging
import math
import time
from datetime import UTC, datetime
from typing import Any, ClassVar

from freqtrade.exceptions import OperationalException
from freqtrade.persistence import LocalTrade, Order

from ballast.alerts import logs
from ballast.alerts.incidents import IncidentLog
from ballast.config import settings
from ballast.core.events import Event, Events, Kind
from ballast.core.redaction import Redactor
from ballast.core.refusals import EntryRefused
from ballast.core.sizing import NO_TRADE
from ballast.core.stops import relative_to
from ballast.journal.recorder import Recorder
from ballast.risk import protection_list
from ballast.risk.locks import Announced
from ballast.risk.stop_manager import EXPLANATION, INITIAL_STOP
from ballast.runtime import event_factory
from ballast.runtime.session import TradingSession
from ballast.strategy.fail_closed import fail_closed
from ballast.strategy.order_callbacks import OrderCallbacks
from ballast.strategy.overrides import refuse_overrides
from ballast.strategy.startup import refuse_configuration, refuse_unsafe
from ballast.version import __version__

logger = logging.getLogger(__name__)

_SAYS_WHY_S = 60


class GuardedStrategy(OrderCallbacks):
    """
    Base class of every strategy of this pack.

    A strategy sets `stops`, and implements `entry_rules` and, if it leaves by rule, `exit_rules`.
    It must not override the callbacks below: the risk layer lives in them.
    """

    __module__ = "ballast.strategy.guarded"  # see `strategy/__init__.py`

    use_custom_stoploss = True
    use_exit_signal = True
    position_adjustment_enable = False
    # Behind the managed stops stands a disaster stop that is real, not -99 %.
    stoploss = -0.10
    # No profit target: {"0": 10} is Freqtrade's own "never".
    minimal_roi: ClassVar[dict[str, float]] = {"0": 10}
    order_types: dict[str, Any] = {  # noqa: RUF012 - each instance has its own
        "entry": "limit",
        "exit": "market",
        "emergency_exit": "market",
        "force_exit": "market",
        "force_entry": "limit",
        "stoploss": "market",
        "stoploss_on_exchange": True,
        "stoploss_on_exchange_interval": 60,
    }

    # A class that only keeps a former name alive says here what it is called now.
    renamed_to: ClassVar[str] = ""
    # Freqtrade protections of a strategy's own, in addition to the guards.
    extra_protections: ClassVar[list[dict[str, Any]]] = []

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        refuse_overrides(cls)

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        # Now, because Freqtrade forgets the exchange's keys in paper trading soon.
        self.redactor = Redactor(config)
        logs.attach(self.redactor)
        try:
            self.settings = settings.load(config.get(settings.SECTION))
        except settings.SettingsError as error:
            raise OperationalException(str(error)) from None
        refuse_configuration(self)
        # Freqtrade's own limit, which says nothing: behind the pre-trade checks', which does.
        limit = self.settings.gate.signal_age_s + _SAYS_WHY_S
        self.ignore_buying_expired_candle_after = math.ceil(limit)
        # Freqtrade's backtest takes the stop off the exchange in here, for every strategy to come.
        self.order_types = dict(self.order_types)
        self._check_protections()
        self.incidents = IncidentLog()
        self.events = Events()

    @property
    def protections(self) -> list[dict[str, Any]]:
        """Freqtrade's protections: the guards, the strategy's own and those of the settings."""
        more = (self.extra_protections, self.settings.protections)
        return protection_list.entries(self.settings.guards, self.announced_block, *more)

    def announced_block(self, guard: str, pair: str, now: datetime) -> Announced | None:
        """What a guard has locked a pair ('*' for all) for, if it still holds."""
        return self._connected.engine.announced(guard, pair, now)

    def version(self) -> str:
        """Version of the pack, of the settings that decide, and which guards are off."""
        off = ", ".join(self.settings.guards.off) or "none"
        return f"ballast {__version__} settings {self.settings.digest()}, guards off: {off}"

    def ft_bot_start(self, **kwargs: Any) -> None:
        """Refuse what is unsafe before anything is touched, and after the last word of settings."""
        refuse_unsafe(self)
        super().ft_bot_start(**kwargs)
        refuse_unsafe(self)

    def bot_start(self, **kwargs: Any) -> None:
        """Connect rules, guards and account of this run."""
        self._warmup = self.startup_candle_count
        self.session = TradingSession.of(self)
        self.session.log_start(type(self).__name__, self.settings.guards)
        if self.renamed_to:
            logger.warning(
                "%s is now called %s: name that, and rename its parameter file",
                type(self).__name__,
                self.renamed_to,
            )

    def informative_pairs(self) -> list[tuple[str, str]]:
        """Frames beside the pairs' own: the market's and, on fine timeframes, hourly ones."""
        return self.session.feeds.wanted() if self.session else []

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        """Live: look at orders and positions. In backtests: let the guards judge the candle."""
        if self.session and self.session.feeds.live:
            self._watch(current_time)
            if self.session.operator:
                self.session.operator.tick(current_time)
        elif self.session:
            self._judge(current_time)

    def analyze(self, pairs: list[str]) -> None:
        """Live: as above, once the new candle is analysed (`bot_loop_start` is too early)."""
        began = time.perf_counter()
        super().analyze(pairs)
        now = datetime.now(UTC)
        self._judge(now)
        if self.session is not None:
            self.session.execution.analysed(pairs)
            self.session.kill.verdict()
            if self.session.recorder is not None:
                took = self.session.recorder.catch_up(now, time.perf_counter() - began)
                if took is not None:
                    self.events.publish(took)

    @fail_closed(refusal=None)
    def _watch(self, now: datetime) -> None:
        checks, watch = self._connected.execution.checks, self._connected.execution.watch
        checks.watched = None
        if watch is not None:
            watch.on_loop(now)
            checks.watched = now

    @fail_closed(refusal=None)
    def _judge(self, now: datetime) -> None:
        self._connected.engine.on_candle(now)

    @fail_closed(refusal=NO_TRADE)
    def custom_stake_amount(
        self,
        pair: str,
        current_time: datetime,
        current_rate: float,
        proposed_stake: float,
        min_stake: float | None,
        max_stake: float,
        leverage: float,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> float:
        """Stake by risk at the stop; 0 refuses (see `PositionSizer.propose`)."""
        limits = {"min_stake": min_stake or 0.0, "max_stake": max_stake}
        session = self._connected
        try:
            proposal = session.sizer.propose(pair, current_time, current_rate, entry_tag, limits)
            if self.events.heard:
                self.events.publish(event_factory.sized(proposal, current_rate, current_time))
            return proposal.sized.stake
        except EntryRefused as refusal:
            self._tell(pair, current_time, refusal)
            return NO_TRADE

    @fail_closed(refusal=False)
    def confirm_trade_entry(
        self,
        pair: str,
        order_type: str,
        amount: float,
        rate: float,
        time_in_force: str,
        current_time: datetime,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> bool:
        """Last checks before the order, of which the journal must know (see `PreTradeChecks`)."""
        session = self._connected
        try:
            if (killed := session.kill.verdict()).blocks:
                raise EntryRefused(killed)
            session.sizer.confirm(pair, amount, rate, current_time)
            session.execution.checks.check(pair, amount, rate, current_time)
            if session.recorder is not None:
                self.events.publish(event_factory.confirmed(pair, amount, rate, current_time))
                session.recorder.require(pair, current_time)
        except EntryRefused as refusal:
            self._tell(pair, current_time, refusal)
            return False
        session.sizer.sent(pair)
        if session.execution.watch is not None:
            session.execution.watch.sends(pair, amount, rate, entry_tag, current_time)
        return True

    @fail_closed(refusal=None)
    def order_filled(
        self, pair: str, trade: LocalTrade, order: Order, current_time: datetime, **kwargs: Any
    ) -> None:
        """Start the stop plan of a new position; charge what it costs; tell of it."""
        if order.ft_order_side == trade.entry_side:
            self._start_plan(trade, order, current_time)
        costs = self._connected.costs
        if costs is not None:
            costs.charge(trade, order, current_time)
        recorder = self._connected.recorder
        if recorder is not None:
            self._tell_filled(recorder, trade, order, current_time)

    def _start_plan(self, trade: LocalTrade, order: Order, now: datetime) -> None:
        plan = self._connected.stop_manager.opened(trade, now)
        # Freqtrade's backtest searches all custom data ever written, and nobody reads it there.
        if self._connected.feeds.live:
            trade.set_custom_data(INITIAL_STOP, plan.initial_stop)
        else:
            # Of a backtest Freqtrade exports its own first stop only, and the tags of orders.
            order.ft_order_tag = f"{order.ft_order_tag or ''} {INITIAL_STOP}={plan.initial_stop}"

    @fail_closed(refusal=None)
    def custom_stoploss(
        self,
        pair: str,
        trade: LocalTrade,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        after_fill: bool,
        **kwargs: Any,
    ) -> float | None:
        """The plan's stop in Freqtrade's form; None leaves the stop where it is."""
        stop = self._connected.stop_manager.stop(trade, current_time)
        if stop <= trade.stop_loss:
            return None
        return relative_to(current_rate, stop)

    @fail_closed(refusal=None)
    def custom_exit(
        self,
        pair: str,
        trade: LocalTrade,
        current_time: datetime,
        current_rate: float,
        current_profit: float,
        **kwargs: Any,
    ) -> str | None:
        """Leave by rule, by time, or where the wanted stop is already through the market."""
        rests = bool(self.order_types["stoploss_on_exchange"]) and not self.config["dry_run"]
        flatten = self._connected.kill.flattens or self._connected.engine.guard_set.flattens
        if flatten is not None:
            return f"flatten: {flatten}"
        session = self._connected
        reason = session.stop_manager.reason_to_leave(trade, current_time, current_rate, rests)
        if reason is None and session.execution.watch is not None:
            stops = session.execution.watch.stops
            reason = stops.reason_to_leave(trade, current_rate, current_time)
        return None if reason is None else str(reason)

    def incident(self, where: str, error: Exception) -> None:
        """Report a failure inside a callback; the callback has refused."""
        self.incidents.record(where, error)
        if self.session is not None:
            self.events.publish(event_factory.failed(where, error, self.session.present))

    def _tell_filled(
        self, recorder: Recorder, trade: LocalTrade, order: Order, now: datetime
    ) -> None:
        signal = recorder.signal_candle(trade.open_date_utc)
        for event in event_factory.filled(trade, order, now, signal):
            self.events.publish(event)
        if order.ft_order_side == trade.entry_side and self._connected.feeds.live:
            trade.set_custom_data(EXPLANATION, recorder.explain(trade.pair, signal))

    def _tell(self, pair: str, now: datetime, refusal: EntryRefused) -> None:
        if not self._connected.feeds.live:
            # Live every event is logged.
            logger.info("%s: entry refused, %s", pair, refusal)
        why = refusal.verdict
        facts = {"detail": refusal.detail, "until": str(why.until or "")}
        event = Event(now, Kind.REFUSED, why.code, pair, None, why.value, why.limit, facts)
        self.events.publish(event)

    def _check_protections(self) -> None:
        guards, config = self.settings.guards, {"timeframe": self.timeframe, **self.config}
        own = f"{type(self).__name__}.extra_protections"
        protection_list.check(self.extra_protections, own, config, guards)
        listed = self.settings.protections
        protection_list.check(listed, f"{settings.SECTION}.protections", config, guards)
