"""The entry gate: whether an order may still be sent, asked when it is about to be.

What can be known of a signal and its price is checked alike in backtests, paper and live trading.
Spread, depth and free balance are asked of the exchange: a backtest has none, and its candles say
nothing of them (what they cost is charged by the fills instead), so that they are not checked
there. Cheap checks come first, and the first refusal ends the questions.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from freqtrade.exceptions import ExchangeError

from ballast.core import gate
from ballast.core.backoff import Backoff
from ballast.core.tape import Tape
from ballast.core.trust import Trust
from ballast.core.verdict import Verdict
from ballast.entries import EntryRefused, refused
from ballast.events import Event, Events, Kind
from ballast.exchange_view import ExchangeView
from ballast.execution_settings import GateSettings
from ballast.order_watch import OrderWatch


class EntryGate:
    """
    Checks orders.

    Parameters
    ----------
    limits : GateSettings
    guards : callable
        The guards' verdict on a pair at a moment.
    backoff : Backoff
        Pauses after failed orders, by pair.
    newest : callable
        A pair's tape and the position of the candle that has just completed; raises EntryRefused
        where that is not analysed.
    view : ExchangeView
    watch : OrderWatch or None
        None in backtests.
    stake_currency : str
    fee : float
        Ratio of a fill's value.
    events : Events
    """

    def __init__(
        self,
        limits: GateSettings,
        guards: Callable[[str, datetime], Verdict],
        backoff: Backoff,
        newest: Callable[[str, datetime], tuple[Tape, int]],
        view: ExchangeView,
        watch: OrderWatch | None,
        stake_currency: str,
        fee: float,
        events: Events,
    ) -> None:
        self._limits = limits
        self._guards = guards
        self._backoff = backoff
        self._newest = newest
        self._view = view
        self._watch = watch
        self._stake_currency = stake_currency
        self._fee = fee
        self._events = events
        # When the order watch last came to its end; None while it looks, and where it failed.
        self.watched: datetime | None = None

    def check(self, pair: str, amount: float, rate: float, now: datetime) -> None:
        """
        Check an order of `amount` units at `rate`.

        Raises
        ------
        EntryRefused
            With the first check that it fails.
        """
        facts = self._check_signal(pair, rate, now)
        _refuse_first(self._states(pair, now))
        if self._view.is_live:
            try:
                facts |= self._ask_exchange(pair, amount * rate)
            except ExchangeError as error:
                raise refused("EXCHANGE_ERROR", 1, 0, str(error)) from None
        if self._watch is not None:
            self._watch.latency.gate_passed(pair)
        if self._events.heard:
            moved, limit = facts["moved_atr"], self._limits.move_atr
            self._events.publish(Event(now, Kind.GATE, "PASSED", pair, None, moved, limit, facts))

    def _check_signal(self, pair: str, rate: float, now: datetime) -> dict[str, float]:
        """Refuse by the signal's candle, its age, and where price has gone since."""
        tape, position = self._newest(pair, now)
        trust = int(tape["trust"][position])
        if trust != Trust.OK:
            raise refused("CANDLE_UNTRUSTED", trust, Trust.OK, Trust(trust).name)
        close, atr = float(tape["close"][position]), float(tape["atr"][position])
        age_s = now.timestamp() - (int(tape.opened[position]) + tape.span) / 1e9
        _refuse_first(
            (
                gate.age(age_s, self._limits.signal_age_s),
                gate.moved(rate, close, atr, self._limits.move_atr),
            )
        )
        return {"rate": rate, "age_s": age_s, "moved_atr": (rate - close) / atr}

    def _states(self, pair: str, now: datetime) -> Iterator[Verdict]:
        yield self._guards(pair, now)
        yield self._backoff.verdict(pair, now)
        if self._watch is not None:
            age_s = (now - self.watched).total_seconds() if self.watched else math.inf
            yield gate.at_most("WATCH_SILENT", age_s, self._limits.watch_silent_s)
            yield self._watch.verdict(now)

    def _ask_exchange(self, pair: str, stake: float) -> dict[str, float]:
        """Refuse by the order book and the balance of this moment."""
        limits = self._limits
        quote = self._view.quote(pair)
        _refuse_first(
            (
                gate.spread(quote, limits.spread_bps),
                gate.depth(quote, stake, limits.depth_bps, limits.depth_times),
            )
        )
        free = self._view.free(self._stake_currency)
        _refuse_first((gate.balance(free, stake, self._fee),))
        if self._watch is not None:
            _refuse_first((self._watch.verdict_now(pair),))
        depth = quote.depth(limits.depth_bps)
        return {"spread_bps": quote.spread_bps, "depth": depth, "free": free}


def _refuse_first(verdicts: Iterable[Verdict]) -> None:
    """Refuse by the first verdict that blocks; what comes after it is not asked."""
    for verdict in verdicts:
        if verdict.blocks:
            raise EntryRefused(verdict)
