"""Connects what stands between a decision and the exchange: checks, order watch, open orders."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from freqtrade.persistence import Trade

from ballast.alerts.state_listener import StateListener
from ballast.config.database_url import sqlite_file
from ballast.core.columns import CandleColumns
from ballast.core.reconciliation import SeenOrder
from ballast.core.verdict import Verdict
from ballast.core.windows import minutes
from ballast.execution.adoption import adopt_addition, adopt_entry
from ballast.execution.bot import BotHandle
from ballast.execution.dust import Dust
from ballast.execution.exchange_view import ExchangeView
from ballast.execution.intents import Intent, Intents
from ballast.execution.last_look import LastLook
from ballast.execution.latency import LatencyLog
from ballast.execution.open_entries import OpenEntries
from ballast.execution.order_watch import OrderWatch
from ballast.execution.pre_trade import PreTradeChecks
from ballast.execution.reconciliation import Reconciliation
from ballast.execution.resting_stops import RestingStops
from ballast.execution.stop_watch import StopWatch
from ballast.risk.engine import RiskEngine
from ballast.risk.fees import Fees
from ballast.risk.kill_switch import KillSwitch
from ballast.risk.proposals import OrderProposals
from ballast.risk.sizer import PositionSizer
from ballast.risk.state_store import StateStore
from ballast.risk.stop_manager import StopManager
from ballast.runtime.database_file import DatabaseWatch
from ballast.runtime.host import Host

logger = logging.getLogger(__name__)


@dataclass
class Execution:
    """
    The parts that orders pass through.

    Parameters
    ----------
    watch : OrderWatch or None
        None in backtests, where nothing can go astray.
    last_look : LastLook or None
        None in backtests.
    stops_rest : bool
        Whether stops rest on a real exchange.
    """

    checks: PreTradeChecks
    open_entries: OpenEntries
    watch: OrderWatch | None
    last_look: LastLook | None
    stops_rest: bool
    database: DatabaseWatch

    def analysed(self, pairs: list[str]) -> None:
        """Live: all pairs are analysed; what is only measured must not end the bot's loop."""
        if self.watch is None:
            return
        self.database.verdict()
        try:
            self.watch.latency.analysed(pairs)
        except Exception:
            logger.exception("the moment of the analysis could not be noted")

    def is_certain(self) -> bool:
        """Whether it is known what has become of every own order."""
        return self.watch is None or self.watch.is_certain(datetime.now(UTC))

    @classmethod
    def of(
        cls,
        host: Host,
        view: ExchangeView,
        fees: Fees,
        sizer: PositionSizer,
        engine: RiskEngine,
        columns_of: Callable[[str], CandleColumns | None],
        proposals: OrderProposals,
        stop_manager: StopManager,
        kill: KillSwitch,
        tell: Callable[[str], None],
    ) -> "Execution":
        """
        Connect the parts for a host that Freqtrade has given its data provider.

        Parameters
        ----------
        tell : callable
            Tells the operator a sentence.
        """
        settings, publish = host.settings, host.events.publish

        file = sqlite_file(Trade.session.get_bind().url) if view.is_live else None
        database = DatabaseWatch(file, tell)

        def judged(pair: str, now: datetime) -> Verdict:
            lost = database.verdict()
            return lost if lost.blocks else engine.entry_verdict(pair, now)

        def may_enter(pair: str, now: datetime) -> Verdict:
            killed = kill.verdict()
            return killed if killed.blocks else judged(pair, now)

        backoff = settings.gate.backoff()

        def adopt(intent: Intent, order: SeenOrder) -> Trade:
            for held in Trade.get_trades([Trade.pair == order.pair, Trade.is_open.is_(True)]):
                return adopt_addition(held, order, rate=intent.rate, tag=intent.tag)
            return adopt_entry(
                order,
                rate=intent.rate,
                tag=intent.tag,
                terms=view.terms(order.pair),
                strategy=host.get_strategy_name(),
                timeframe=host.timeframe,
                stoploss=host.stoploss,
            )

        entries = OpenEntries(
            settings.gate,
            settings.watch,
            settings.pricing,
            may_enter,
            columns_of,
            sizer.fits,
            publish,
        )
        watch = last_look = None
        rests = bool(host.order_types["stoploss_on_exchange"])
        if view.is_live:
            store = StateStore(Trade.session.get_bind())
            pairs = host.dp.current_whitelist
            bot = BotHandle(host.dp)
            resting = RestingStops(
                bot,
                Dust(bot, view, publish),
                rests,
                stop_manager.stop,
                host.leaving,
                host.ft_stoploss_adjust,
                host.incident,
            )
            intents = Intents(store, view, backoff, proposals, adopt, publish)
            last_look = LastLook(bot, intents, resting, view.is_real, host.incident)
            StateListener(last_look.at_stop).join(host.dp)
            watch = OrderWatch(
                view,
                bot,
                intents,
                entries,
                StopWatch(settings.watch, rests, publish),
                resting,
                Reconciliation(
                    settings.watch,
                    view,
                    store,
                    pairs,
                    host.disaster_ratio(),
                    publish,
                    candle=timedelta(minutes=minutes(host.timeframe)),
                    is_shared="available_capital" in host.config,
                ),
                LatencyLog(columns_of, entries.first_fill, publish, lambda: datetime.now(UTC)),
                publish,
                host.incident,
            )
        checks = PreTradeChecks(
            settings.gate,
            judged,
            backoff,
            sizer.newest,
            view,
            watch,
            host.config["stake_currency"],
            fees.of,
            host.events,
        )
        return cls(checks, entries, watch, last_look, rests and view.is_real, database)
