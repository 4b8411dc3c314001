"""Connects what stands between a decision and the exchange: gate, order watch, open orders."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freqtrade.persistence import Trade

from ballast.account_check import AccountCheck
from ballast.adoption import adopt_entry
from ballast.core.reconcile import SeenOrder
from ballast.entries import EntryDesk
from ballast.exchange_view import ExchangeView
from ballast.gate import EntryGate
from ballast.intents import Intent, Intents
from ballast.open_entries import OpenEntries
from ballast.order_watch import OrderWatch
from ballast.oversight import Oversight
from ballast.state import GuardStore
from ballast.stop_watch import StopWatch

if TYPE_CHECKING:
    from ballast.strategy import GuardedStrategy


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

    @classmethod
    def of(cls, strategy: "GuardedStrategy", desk: EntryDesk, oversight: Oversight) -> "Execution":
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
        entries = OpenEntries(settings.watch, settings.pricing, oversight.entry_verdict, publish)
        return cls(gate, entries, watch)
