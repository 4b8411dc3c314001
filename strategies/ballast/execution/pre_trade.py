"""Pre-trade checks: whether an order may still be sent, asked when it is about to be.

What can be known of a signal and its price is checked alike in backtests, paper and live trading.
Spread, depth and free balance are asked of the exchange: a backtest has none, and its candles say
nothing of them (what they cost is charged by the fills instead), so that they are not checked
there. Cheap checks come first, and the first refusal ends the questions.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from freqtrade.exceptions import ExchangeError

from ballast.config.execution import PreTradeSettings
from ballast.core import pre_trade
from ballast.core.backoff import Backoff
from ballast.core.columns import CandleColumns
from ballast.core.events import Event, EventKind, Events
from ballast.core.reasons import Reason
from ballast.core.refusals import EntryRefused, refused
from ballast.core.trust import DataQuality
from ballast.core.verdict import Verdict
from ballast.execution.exchange_view import ExchangeView
from ballast.execution.order_watch import OrderWatch


class PreTradeChecks:
    """
    Checks orders.

    Parameters
    ----------
    limits : PreTradeSettings
    guards : callable
        The guards' verdict on a pair at a moment.
    backoff : Backoff
        Pauses after failed orders, by pair.
    newest : callable
        A pair's columns and the position of the candle that has just completed; raises EntryRefused
        where that is not analysed.
    view : ExchangeView
    watch : OrderWatch or None
        None in backtests.
    stake_currency : str
    fee_of : callable
        Fee of a fill of a pair, ratio of its value.
    events : Events
    """

    def __init__(
        self,
        limits: PreTradeSettings,
        guards: Callable[[str, datetime], Verdict],
        backoff: Backoff,
        newest: Callable[[str, datetime], tuple[CandleColumns, int]],
        view: ExchangeView,
        watch: OrderWatch | None,
        stake_currency: str,
        fee_of: Callable[[str], float],
        events: Events,
    ) -> None:
        self._limits = limits
        self._guards = guards
        self._backoff = backoff
        self._newest = newest
        self._view = view
        self._watch = watch
        self._stake_currency = stake_currency
        self._fee_of = fee_of
        self._events = events
        # When the order watch last came to its end; None while it looks, and where it failed.
        self.watched: datetime | None = None
        # Why the strategy is trusted with no entry until it is started anew; empty where it is.
        self.spoiled = ""

    def check(self, pair: str, amount: float, rate: float, now: datetime) -> None:
        """
        Check an order of `amount` units at `rate`.

        Raises
        ------
        EntryRefused
            With the first check that it fails.
        """
        if self.spoiled:
            raise refused(Reason.STRATEGY_FAILED, 1, 0, self.spoiled)
        facts = self._check_signal(pair, rate, now)
        _refuse_first(self._states(pair, now))
        if self._view.is_live:
            try:
                facts |= self._ask_exchange(pair, amount * rate)
            except ExchangeError as error:
                raise refused(Reason.EXCHANGE_ERROR, 1, 0, str(error)) from None
        if self._watch is not None:
            self._watch.latency.gate_passed(pair)
        if self._events.heard:
            moved, limit = facts["moved_atr"], self._limits.move_atr
            self._events.publish(
                Event(now, EventKind.GATE, Reason.PASSED, pair, None, moved, limit, facts)
            )

    def _check_signal(self, pair: str, rate: float, now: datetime) -> dict[str, float]:
        """Refuse by the signal's candle, its age, and where price has gone since."""
        columns, position = self._newest(pair, now)
        trust = int(columns.value("trust", position))
        if trust != DataQuality.OK:
            raise refused(Reason.CANDLE_UNTRUSTED, trust, DataQuality.OK, DataQuality(trust).name)
        close, atr = columns.value("close", position), columns.value("atr", position)
        age_s = now.timestamp() - (int(columns.opened[position]) + columns.span) / 1e9
        _refuse_first(
            (
                pre_trade.age(age_s, self._limits.signal_age_s),
                pre_trade.moved(rate, close, atr, self._limits.move_atr),
            )
        )
        return {"rate": rate, "age_s": age_s, "moved_atr": (rate - close) / atr}

    def _states(self, pair: str, now: datetime) -> Iterator[Verdict]:
        yield self._guards(pair, now)
        yield self._backoff.verdict(pair, now)
        if self._watch is not None:
            age_s = (now - self.watched).total_seconds() if self.watched else math.inf
            yield pre_trade.at_most(Reason.WATCH_SILENT, age_s, self._limits.watch_silent_s)
            yield self._watch.verdict(pair, now)

    def _ask_exchange(self, pair: str, stake: float) -> dict[str, float]:
        """Refuse by the order book and the balance of this moment."""
        limits = self._limits
        quote = self._view.quote(pair)
        _refuse_first(
            (
                pre_trade.spread(quote, limits.spread_bps),
                pre_trade.depth(quote, stake, limits.depth_bps, limits.depth_times),
            )
        )
        free = self._view.free(self._stake_currency)
        _refuse_first((pre_trade.balance(free, stake, self._fee_of(pair)),))
        if self._watch is not None:
            _refuse_first((self._watch.verdict_now(pair),))
        depth = quote.depth(limits.depth_bps)
        return {"spread_bps": quote.spread_bps, "depth": depth, "free": free}


def _refuse_first(verdicts: Iterable[Verdict]) -> None:
    """Refuse by the first verdict that blocks; what comes after it is not asked."""
    for verdict in verdicts:
        if verdict.blocks:
            raise EntryRefused(verdict)
