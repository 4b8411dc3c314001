"""The order watch: in every loop, whether orders and positions are as they should be.

Freqtrade calls it through `bot_loop_start`, before anything is analysed, cancelled, sold or bought.
It first resolves entries whose trade is missing, then looks at the stops, and from time to time
compares the account with the database. While something is not known or not as it should be the gate
refuses entries; exits and stops go on in any case.
"""

from collections.abc import Callable
from datetime import datetime

from freqtrade.exceptions import ExchangeError
from freqtrade.persistence import Trade

from ballast.core.events import Event, EventKind
from ballast.core.reasons import Reason
from ballast.core.verdict import ALLOW, Verdict
from ballast.execution.exchange_view import ExchangeView
from ballast.execution.intents import Intents
from ballast.execution.latency import LatencyLog
from ballast.execution.reconciliation import Reconciliation
from ballast.execution.stop_watch import StopWatch


class OrderWatch:
    """
    Watches orders and positions of a live or paper run.

    Parameters
    ----------
    view : ExchangeView
    intents : Intents
    stops : StopWatch
    account : Reconciliation
    latency : LatencyLog
    publish : callable
    """

    def __init__(
        self,
        view: ExchangeView,
        intents: Intents,
        stops: StopWatch,
        account: Reconciliation,
        latency: LatencyLog,
        publish: Callable[[Event], None],
    ) -> None:
        self.intents = intents
        self.stops = stops
        self.account = account
        self.latency = latency
        self._view = view
        self._publish = publish

    def on_loop(self, now: datetime) -> None:
        """Look at everything that is due."""
        self.latency.received()
        try:
            self.intents.resolve(now)
        except ExchangeError as error:
            # Entries stay refused as ORDER_UNRESOLVED until the exchange answers.
            facts = {"text": str(error)}
            self._publish(Event(now, EventKind.WATCH, Reason.RESOLVE_FAILED, facts=facts))
        trades = Trade.get_open_trades()
        bare = self.stops.look(trades, now)
        if self._view.is_real:
            self.account.look(trades, now, bare)
        # What was adopted meanwhile is not missing.
        self.stops.tell(trades, now)
        self.latency.settle(trades)

    def sends(self, pair: str, amount: float, rate: float, tag: str | None, now: datetime) -> None:
        """An entry goes out: written down first."""
        self.intents.note(pair, amount, rate, tag, now)
        self.latency.sent(pair)

    def verdict(self, now: datetime) -> Verdict:
        """Whether anything may be entered."""
        unresolved = self.intents.verdict(now)
        if unresolved.blocks:
            return unresolved
        return self.account.verdict(now) if self._view.is_real else ALLOW

    def verdict_now(self, pair: str) -> Verdict:
        """The same for one pair, asked of the exchange at this moment."""
        return self.account.verdict_now(pair) if self._view.is_real else ALLOW
