"""RiskEngine: once a candle, shows the guards the account and acts on what they say.

It takes the snapshot, lets memories follow money that came or went, keeps the open heat within its
limit, publishes blocks as Freqtrade locks, and saves what must be remembered. In backtests it is
called from `bot_loop_start`; live from `analyze`, because Freqtrade calls `bot_loop_start` before
the new candle has been analysed.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta

from freqtrade.persistence import LocalTrade

from ballast.config.guards import GuardSettings
from ballast.core.beginnings import BEGINNINGS, Beginnings
from ballast.core.guard_set import Change, GuardSet
from ballast.core.guards.base import Guard
from ballast.core.ledger import Books, Flow, Ledger, LedgerMemory
from ballast.core.snapshot import ClosedTrade, Snapshot
from ballast.core.times import candle_border
from ballast.core.verdict import Verdict
from ballast.core.windows import minutes
from ballast.data.market_view import MarketView
from ballast.risk.candle_news import CandleNews
from ballast.risk.flows import Flows
from ballast.risk.judged_candles import JudgedCandles
from ballast.risk.locks import Announced, Locks
from ballast.risk.open_risk import Committed, OpenRisk
from ballast.risk.portfolio import Portfolio, Position
from ballast.risk.shown_trades import SeenTrades, ShownTrades
from ballast.risk.state_store import LEDGER, SHOWN, StateStore
from ballast.risk.stop_manager import StopManager

logger = logging.getLogger(__name__)


class RiskEngine:
    """
    Runs the guards of one strategy.

    Parameters
    ----------
    guard_set : GuardSet
    ledger : Ledger
    portfolio : Portfolio
    open_risk : OpenRisk
    stop_manager : StopManager
    market_view : MarketView
    timeframe : str
    announce : callable
        Told about every block that begins, and, with a verdict that allows, that is lifted.
    tell_flow : callable
        Told about money that came or went, with the equity after it (quote currency).
    api_errors : callable
        Failed requests to the exchange before a moment.
    tell_end : callable
        Told that no candle is known after the one that was judged.
    patience : timedelta
        How long the candle of a pair that is late is waited for; entries are refused meanwhile.
    """

    def __init__(
        self,
        guard_set: GuardSet,
        ledger: Ledger,
        portfolio: Portfolio,
        open_risk: OpenRisk,
        stop_manager: StopManager,
        market_view: MarketView,
        timeframe: str,
        announce: Callable[[Change], None],
        tell_flow: Callable[[Flow, float, datetime], None],
        api_errors: Callable[[datetime], int],
        tell_end: Callable[[], None],
        patience: timedelta,
    ) -> None:
        self.guard_set = guard_set
        self._ledger = ledger
        self._portfolio = portfolio
        self._open_risk = open_risk
        self._stop_manager = stop_manager
        self._market_view = market_view
        self._candle = timedelta(minutes=minutes(timeframe))
        self._tell_flow = tell_flow
        self._tell_end = tell_end
        self._patience = patience
        self._store: StateStore | None = None
        self._flows: Flows | None = None
        # Whether the guards remember an equity that an earlier version read from the balance.
        self._of_balance = False
        self._shown = ShownTrades()
        self._last: datetime | None = None
        self._bordered = datetime.min.replace(tzinfo=UTC)
        self._locks = Locks()
        self._judged = JudgedCandles(guard_set, market_view, self._locks, announce, api_errors)
        self._asked_too: list[Callable[[datetime], None]] = []
        # Whether somebody reads at every candle what the guards say.
        self._is_read = False
        self._news = CandleNews(guard_set, market_view)

    def remember_in(self, store: StateStore, flows: Flows) -> None:
        """
        Keep memories in a database from now on, beginning with what it holds.

        Memories that are not there are rebuilt by showing their guards the trades already closed.
        """
        self._store, self._flows = store, flows
        guards = self.guard_set.guards
        lost = store.restore(guards)
        known = store.read(LEDGER, LedgerMemory)
        flows.begin(known)
        self._of_balance = known is None and lost != set(guards)
        self._shown.resume(store.read(SHOWN, SeenTrades))
        self.guard_set.beginnings = store.read(BEGINNINGS, Beginnings) or Beginnings()
        self._rebuild({name: guards[name] for name in lost})
        # Those of guards that have been switched off since are recalled too, and lifted.
        codes: dict[str, str] = {
            guard.code: name for name, guard in GuardSettings().build(1.0).items()
        }
        self.guard_set.recall(self._locks.recall(codes, datetime.now(UTC)))

    def ask_too(self, ask: Callable[[datetime], None], *, reads: bool = False) -> None:
        """
        Call `ask` at every candle too; entries are refused where it raises.

        Parameters
        ----------
        reads : bool
            It reads what the guards say, who are therefore asked at every candle.
        """
        self._asked_too.append(ask)
        self._is_read |= reads

    @property
    def reached(self) -> datetime | None:
        """End of the last candle that was looked at."""
        return self._last

    def announced(self, guard: str, pair: str, now: datetime) -> Announced | None:
        """What a guard has locked a pair ('*' for all) for, if it still holds."""
        return self._locks.announced(guard, pair, now)

    def on_candle(self, now: datetime) -> None:
        """
        Judge the candle that has just completed; later calls for the same candle do nothing.

        Parameters
        ----------
        now : datetime
            Present time (UTC), anywhere within the running candle.
        """
        if self._store is not None and self._flows is not None:
            self._locks.renew(now)
            seen = self.guard_set.snapshot
            self._flows.look(self._ledger.capital if seen is None else seen.equity)
        end = self._border(now)
        if self._last is not None and end <= self._last:
            if end == self._last:
                return
            self._begin_again()
        if self._store is not None:
            for name in self._store.take_over_edits(self.guard_set.guards):
                logger.warning("%s was changed by hand", name)
        if now < end + self._patience and not self._market_view.all_arrived(end):
            return
        try:
            self._judge(end)
        except Exception:
            # Until it is tried again.
            self._judged.silence()
            raise
        self._last = end

    def _judge(self, end: datetime) -> None:
        positions = self._portfolio.positions(end)
        closed = self._shown.take()
        # Live every candle is judged: there are no candles to come to look at.
        is_judged = self._store is not None or self._is_read
        news = None if is_judged else self._news.at(end, has_closed=bool(closed))
        if closed or news != [] or not self._defers(positions, end):
            self._observe(positions, closed, end, news)
        is_last = self._market_view.is_last(end)
        self._locks.tidy(end, is_last=is_last)
        if self._store is not None:
            others = {
                SHOWN: self._shown.memory,
                LEDGER: self._ledger.memory,
                BEGINNINGS: self.guard_set.beginnings,
            }
            self._store.save(self.guard_set.guards, end, others)
        for ask in self._asked_too:
            ask(end)
        if is_last:
            self._tell_end()

    def _defers(self, positions: Sequence[Position], end: datetime) -> bool:
        """Whether nothing comes of a candle without news; the heat of what is open is held."""
        if not positions:
            self._judged.defer(end)
            return True
        equity = self._portfolio.worth(positions)
        if not self._judged.is_calm(equity, end):
            return False
        self._open_risk.hold(positions, equity, end)
        self._judged.defer(end, equity)
        return True

    def _observe(
        self,
        positions: Sequence[Position],
        closed: Sequence[LocalTrade],
        end: datetime,
        news: Collection[str] | None,
    ) -> None:
        """Show the candle to the guards that it brings news to; None: to all."""
        self._judged.closed([self._closed(trade) for trade in closed])
        self._take_flows(positions, closed, end)
        equity = self._portfolio.worth(positions)
        # An entry may have rested over midnight: its heat is held to what the new day began with.
        self._judged.catch_up_before(equity, end)
        self._open_risk.hold(positions, equity, end)
        if self._store is not None:
            self._stop_manager.keep({trade.id for trade, _ in positions})
        self._judged.show(equity, end, news)

    def equity(self, now: datetime) -> float:
        """
        What sizes are a share of: the account's value with open positions at their last completed
        close, less what may have been withdrawn (quote currency).
        """
        return self._equity(self._portfolio.positions(now))

    def _equity(self, positions: Sequence[Position]) -> float:
        pending = self._flows.pending if self._flows is not None else 0.0
        return self._portfolio.worth(positions) + min(pending, 0.0)

    def look_anew(self) -> None:
        """A loop begins, or an order has filled (see `Flows.pending`)."""
        if self._flows is not None:
            self._flows.look_anew()

    def committed(self, now: datetime) -> Committed:
        """What the account is worth, and what of it is at stake."""
        positions, entries = self._portfolio.committed(now)
        return Committed(
            self._equity(positions),
            self._portfolio.exposure(positions, entries),
            self._open_risk.by_pair(positions, entries, now),
        )

    def heat_left(self, equity: float) -> float | None:
        """What guards let all positions lose at their stops at an equity (quote), or None."""
        return self._judged.heat_left(equity)

    def entry_verdict(self, pair: str, now: datetime) -> Verdict:
        """Whether, and at what size, `pair` may be entered."""
        return self._judged.entry_verdict(pair, self._border(now))

    def _border(self, now: datetime) -> datetime:
        """Where the last candle ended: mostly where it did before, or one candle on."""
        known = self._bordered
        if now == known:
            return known
        next_one = known + self._candle
        self._bordered = next_one if now == next_one else candle_border(now, self._candle)
        return self._bordered

    def _begin_again(self) -> None:
        """
        Time has gone back: Hyperopt begins its next epoch with the same objects, and forgets
        everything. A live clock that was set back forgets nothing (memories are in the database).
        """
        if self._store is not None:
            return
        self._judged.forget()
        self._shown.forget()
        self._stop_manager.forget()

    def _closed(self, trade: LocalTrade) -> ClosedTrade:
        """What guards are told of a closed trade."""
        result = self._stop_manager.result_in_r(trade)
        return ClosedTrade(trade.pair, trade.close_date_utc, result)

    def _take_flows(
        self, positions: Sequence[Position], closed: Sequence[LocalTrade], end: datetime
    ) -> None:
        """Let capital and memories follow what came or went, so that it is no profit or loss."""
        if self._flows is None:
            return
        results = {trade.id: trade.close_profit_abs or 0.0 for trade in closed}
        # As far as they have been shown: one that closes at this moment must not look rewritten.
        books = Books(self._shown.results(), self._portfolio.opened(positions))
        flows = self._ledger.take(books, results)
        equity = self._portfolio.worth(positions)
        if self._of_balance:
            self._of_balance = False
            held = sum(trade.amount * price for trade, price in positions)
            flows += self._ledger.remeasured(self._flows.balance() + held, equity)
        for flow in flows:
            self.guard_set.flowed(flow.factor)
            self._tell_flow(flow, equity, end)

    def _rebuild(self, guards: dict[str, Guard]) -> None:
        """Show guards the trades that the others have been shown."""
        if not guards:
            return
        trades, equity, guard_set = self._shown.shown(), self._ledger.capital, GuardSet(guards)
        for first in trades[:1]:
            guard_set.observe(Snapshot(first.open_date_utc, equity))
        for trade in trades:
            equity += trade.close_profit_abs or 0.0
            closed = self._closed(trade)
            guard_set.observe(Snapshot(closed.closed, equity, (closed,)))
        logger.info("rebuilt %s from %s closed trades", ", ".join(guards), len(trades))
