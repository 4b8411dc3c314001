"""Connects what stands between a decision and the exchange: gate, order watch, open orders."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freqtrade.persistence import Trade

from ballast.account_check import AccountCheck
from ballast.adoption import adopt_entry
from ballast.core.reconcile import SeenOrder
from ballast.core.tape import Tape
from ballast.entries import EntryDesk
from ballast.exchange_view import ExchangeView
from ballast.gate import EntryGate
from ballast.intents import Intent, Intents
from ballast.latency import LatencyLog
from ballast.open_entries import OpenEntries
from ballast.order_watch import OrderWatch
from ballast.oversight import Oversight
from ballast.state import GuardStore
from ballast.stop_watch import StopWatch

if TYPE_CHECKING:
    from ballast.strategy import GuardedStrategy

logger = logging.getLogger(__name__)


@dataclass
class Execution:
    """
    The parts that orders pass through.

    Parameters
    ----------
    watch : OrderWatch or None
        None in backtests, where nothing can go astray.
    """

    gate: EntryGate
    open_entries: OpenEntries
    watch: OrderWatch | None

    def analysed(self, pairs: list[str]) -> None:
        """Live: all pairs are analysed; what is only measured must not end the bot's loop."""
        if self.watch is None:
            return
        try:
            self.watch.latency.analysed(pairs)
        except Exception:
            logger.exception("the moment of the analysis could not be noted")

    @classmethod
    def of(
        cls,
        strategy: "GuardedStrategy",
        desk: EntryDesk,
        oversight: Oversight,
        tape_of: Callable[[str], Tape | None],
    ) -> "Execution":
        """Connect the parts for a strategy that Freqtrade has given its data provider."""
        settings, publish = strategy.settings, strategy.events.publish
        view = ExchangeView(strategy.dp, lambda: strategy.wallets)
        backoff = settings.gate.backoff()

        def adopt(intent: Intent, order: SeenOrder) -> Trade:
            return adopt_entry(
                order,
                rate=intent.rate,
                tag=intent.tag,
                terms=view.terms(order.pair),
                strategy=strategy.get_strategy_name(),
                timeframe=strategy.timeframe,
                stoploss=strategy.stoploss,
            )

        entries = OpenEntries(
            settings.gate,
            settings.watch,
            settings.pricing,
            oversight.entry_verdict,
            tape_of,
            desk.fits,
            publish,
        )
        watch = None
        if view.is_live:
            store = GuardStore(Trade.session.get_bind())
            pairs = strategy.dp.current_whitelist
            rests = bool(strategy.order_types["stoploss_on_exchange"])
            watch = OrderWatch(
                view,
                Intents(store, view, backoff, adopt, publish),
                StopWatch(settings.watch, rests, publish),
                AccountCheck(settings.watch, view, store, pairs, abs(strategy.stoploss), publish),
                LatencyLog(tape_of, entries.first_fill, publish, lambda: datetime.now(UTC)),
                publish,
            )
        gate = EntryGate(
            settings.gate,
            oversight.entry_verdict,
            backoff,
            desk.newest,
            view,
            watch,
            strategy.config["stake_currency"],
            settings.risk.fee_pct / 100,
            strategy.events,
        )
        return cls(gate, entries, watch)
