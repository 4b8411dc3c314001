"""The order watch: in every loop, whether orders and positions are as they should be.

Freqtrade calls it through `bot_loop_start`, before anything is analysed, cancelled, sold or bought.
It first resolves entries whose trade is missing and cancels those that were given up, then looks at
the stops, and from time to time compares the account with the database. While something is not
known or not as it should be the gate refuses entries; exits and stops go on in any case, and no
look waits for another to succeed.
"""

import functools
from collections.abc import Callable
from datetime import datetime

from freqtrade.exceptions import ExchangeError
from freqtrade.persistence import Trade

from ballast.core.events import Event, EventKind
from ballast.core.reasons import Reason
from ballast.core.verdict import ALLOW, Verdict
from ballast.execution.bot import BotHandle
from ballast.execution.exchange_view import ExchangeView
from ballast.execution.intents import Intents
from ballast.execution.latency import LatencyLog
from ballast.execution.open_entries import OpenEntries
from ballast.execution.reconciliation import Reconciliation
from ballast.execution.resting_stops import RestingStops
from ballast.execution.stop_watch import StopWatch
from ballast.risk.read_once import read_once


class OrderWatch:
    """
    Watches orders and positions of a live or paper run.

    Parameters
    ----------
    view : ExchangeView
    bot : BotHandle
    intents : Intents
    entries : OpenEntries
    stops : StopWatch
    resting : RestingStops
    account : Reconciliation
    latency : LatencyLog
    publish : callable
    report : callable
        Told of a failure, and where.
    """

    def __init__(
        self,
        view: ExchangeView,
        bot: BotHandle,
        intents: Intents,
        entries: OpenEntries,
        stops: StopWatch,
        resting: RestingStops,
        account: Reconciliation,
        latency: LatencyLog,
        publish: Callable[[Event], None],
        report: Callable[[str, Exception], None],
    ) -> None:
        self.intents = intents
        self.stops = stops
        self.resting = resting
        self.account = account
        self.latency = latency
        self._view = view
        self._bot = bot
        self._entries = entries
        self._publish = publish
        self._report = report

    def on_loop(self, now: datetime) -> bool:
        """Look at everything that is due; whether every look succeeded."""
        trades = functools.partial(read_once, Trade.get_open_trades)
        bare: list[str] = []
        looks: dict[str, Callable[[], None]] = {
            "latency": self.latency.received,
            "intents": functools.partial(self._resolve, now),
            "entries given up": lambda: self._entries.withdraw_kept(self._bot, trades()),
            "stops": lambda: bare.extend(self.stops.look(trades(), now)),
            "account": lambda: self._compare(now, bare),
            "stops due": lambda: self.resting.restore(trades(), now),
            # What was adopted or placed meanwhile is not missing.
            "missing stops": lambda: self.stops.tell(trades(), now),
            "latency of stops": lambda: self.latency.settle(trades()),
        }
        failed = [where for where, look in looks.items() if not self._succeeds(where, look)]
        return not failed

    def _succeeds(self, where: str, look: Callable[[], None]) -> bool:
        try:
            look()
        except Exception as error:
            self._report(f"order watch, {where}", error)
            return False
        return True

    def _resolve(self, now: datetime) -> None:
        try:
            self.intents.resolve(now)
        except ExchangeError as error:
            # Entries stay refused as ORDER_UNRESOLVED until the exchange answers.
            facts = {"text": str(error)}
            self._publish(Event(now, EventKind.WATCH, Reason.RESOLVE_FAILED, facts=facts))

    def _compare(self, now: datetime, bare: list[str]) -> None:
        if self._view.is_real:
            self.account.look(read_once(Trade.get_open_trades), now, bare)

    def sends(self, pair: str, amount: float, rate: float, tag: str | None, now: datetime) -> None:
        """An entry goes out: written down first."""
        self.intents.note(pair, amount, rate, tag, now)
        self.latency.sent(pair)

    def adds(self, pair: str, amount: float, rate: float, tag: str | None, now: datetime) -> None:
        """An addition to a position goes out: written down first, and its latency is nobody's."""
        self.intents.note(pair, amount, rate, tag, now)
        self.latency.dropped(pair)

    def verdict(self, pair: str, now: datetime) -> Verdict:
        """Whether anything, and this pair, may be entered."""
        unresolved = self.intents.verdict(now)
        if unresolved.blocks:
            return unresolved
        return self.account.verdict(pair, now) if self._view.is_real else ALLOW

    def is_certain(self, now: datetime) -> bool:
        """Whether it is known what has become of every own order."""
        account = self.account.is_clear or not self._view.is_real
        return account and not self.intents.verdict(now).blocks

    def verdict_now(self, pair: str) -> Verdict:
        """The same for one pair, asked of the exchange at this moment."""
        return self.account.verdict_now(pair) if self._view.is_real else ALLOW
