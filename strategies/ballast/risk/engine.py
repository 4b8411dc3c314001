"""RiskEngine: once a candle, shows the guards the account and acts on what they say.

It takes the snapshot, keeps the open heat within its limit, publishes blocks as Freqtrade locks,
and saves what the guards must remember. In backtests it is called from `bot_loop_start`; live from
`analyze`, because Freqtrade calls `bot_loop_start` before the new candle has been analysed.
"""

import dataclasses
import logging
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from freqtrade.persistence import LocalTrade, Trade

from ballast.config.guards import GuardSettings
from ballast.core.guard_set import Change, GuardSet
from ballast.core.guards.base import Guard
from ballast.core.heat import StopCosts, drawn_closer, loss_at_stop
from ballast.core.reasons import Reason
from ballast.core.snapshot import ClosedTrade, Snapshot
from ballast.core.verdict import ALLOW, Verdict
from ballast.core.windows import minutes
from ballast.data.market_view import MarketView
from ballast.risk.locks import Announced, Locks
from ballast.risk.portfolio import Portfolio
from ballast.risk.state_store import StateStore
from ballast.risk.stop_manager import StopManager

logger = logging.getLogger(__name__)


class RiskEngine:
    """
    Runs the guards of one strategy.

    Parameters
    ----------
    guard_set : GuardSet
    portfolio : Portfolio
    stop_manager : StopManager
    market_view : MarketView
    timeframe : str
    open_heat : float or None
        Limit of the open heat, ratio of equity; None leaves stops alone.
    stop_costs : StopCosts
        What leaving at a stop costs beside the distance.
    correlation : callable
        Correlation of two pairs at a moment.
    announce : callable
        Told about every block that begins, and, with a verdict that allows, that is lifted.
    api_errors : callable
        Failed requests to the exchange before a moment.
    patience : timedelta
        How long the candle of a pair that is late is waited for; entries are refused meanwhile.
    """

    def __init__(
        self,
        guard_set: GuardSet,
        portfolio: Portfolio,
        stop_manager: StopManager,
        market_view: MarketView,
        timeframe: str,
        open_heat: float | None,
        stop_costs: StopCosts,
        correlation: Callable[[str, str, datetime], float],
        announce: Callable[[Change], None],
        api_errors: Callable[[datetime], int],
        patience: timedelta,
    ) -> None:
        self.guard_set = guard_set
        self._portfolio = portfolio
        self._stop_manager = stop_manager
        self._market_view = market_view
        self._candle = timedelta(minutes=minutes(timeframe))
        self._open_heat = open_heat
        self._stop_costs = stop_costs
        self._correlation = correlation
        self._announce = announce
        self._api_errors = api_errors
        self._patience = patience
        self._store: StateStore | None = None
        self._last: datetime | None = None
        self._unseen: tuple[ClosedTrade, ...] = ()
        self._locks = Locks()
        self._asked_too: list[Callable[[datetime], None]] = []

    def remember_in(self, store: StateStore, start_equity: float) -> None:
        """
        Keep memories in a database from now on, beginning with what it holds.

        Memories that are not there are rebuilt by showing their guards the trades already closed.

        Parameters
        ----------
        start_equity : float
            Account value before the first trade, quote currency.
        """
        self._store = store
        guards = self.guard_set.guards
        lost = store.restore(guards)
        seen = self._rebuild({n: guards[n] for n in lost}, start_equity, store.closed_until())
        self._portfolio.begin_at(seen)
        # Those of guards that have been switched off since are recalled too, and lifted.
        codes: dict[str, str] = {
            guard.code: name for name, guard in GuardSettings().build(1.0).items()
        }
        self.guard_set.recall(self._locks.recall(codes, datetime.now(UTC)))

    def ask_too(self, ask: Callable[[datetime], None]) -> None:
        """Call `ask` at every candle too; entries are refused where it raises."""
        self._asked_too.append(ask)

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
            # Without what was seen at this candle the guard set refuses entries; it is tried again.
            self.guard_set.snapshot = None
            raise
        self._last = end

    def _judge(self, end: datetime) -> None:
        positions = self._portfolio.positions(end)
        equity = self._portfolio.worth(positions)
        self._hold_heat(positions, equity, end)
        self._stop_manager.keep({trade.id for trade, _ in positions})
        changes = self.guard_set.observe(self._snapshot(equity, end))
        self._unseen = ()
        self._locks.lift(self.guard_set.lifted, end)
        for name, pair in self.guard_set.lifted:
            code = self.guard_set.guards[name].code if name in self.guard_set.guards else name
            self._announce(Change(name, pair, dataclasses.replace(ALLOW, code=code)))
        for change in changes:
            self._publish(change, end)
        self._locks.tidy(end, is_last=self._market_view.is_last(end))
        if self._store is not None:
            self._store.save(self.guard_set.guards, end, self._portfolio.closed_until)
        for ask in self._asked_too:
            ask(end)

    def equity(self, now: datetime) -> float:
        """Account value with open positions at their last completed close, quote currency."""
        return self._portfolio.equity(now)

    def open_risks(self, now: datetime) -> dict[str, float]:
        """
        By pair, what an open position loses at its stop, costs and gap included, quote currency.

        Measured from the last completed close, not from the entry: open profit that a stop would
        give back is equity too.
        """
        risks: dict[str, float] = {}
        for trade, price in self._portfolio.positions(now):
            stop = self._stop_manager.stop(trade, now)
            risk = loss_at_stop(trade.amount, price, stop, self._stop_costs)
            risks[trade.pair] = risks.get(trade.pair, 0.0) + risk
        return risks

    def heat_left(self, now: datetime) -> float | None:
        """What a guard lets all open positions together lose at their stops (quote), or None."""
        return self.guard_set.heat_left(self.equity(now))

    def exposure(self, now: datetime) -> float:
        """Value of all open positions at their last completed close, quote currency."""
        return self._portfolio.exposure(now)

    def correlation(self, one: str, other: str, now: datetime) -> float:
        """Correlation of two pairs' returns over the last 20 days."""
        return self._correlation(one, other, now)

    def entry_verdict(self, pair: str, now: datetime) -> Verdict:
        """Whether, and at what size, `pair` may be entered."""
        return self.guard_set.entry_verdict(pair, self._border(now))

    def _border(self, now: datetime) -> datetime:
        span = self._candle.total_seconds()
        return datetime.fromtimestamp(now.timestamp() // span * span, tz=UTC)

    def _begin_again(self) -> None:
        """
        Time has gone back: Hyperopt begins its next epoch with the same objects, and forgets
        everything. A live clock that was set back forgets nothing (memories are in the database).
        """
        if self._store is not None:
            return
        self.guard_set.forget()
        self._unseen = ()
        self._locks = Locks()
        self._portfolio.begin_at(datetime.fromtimestamp(0, tz=UTC))
        self._stop_manager.forget()

    def _snapshot(self, equity: float, end: datetime) -> Snapshot:
        # Kept until every guard has seen them: one that fails must not hide a loss from the others.
        self._unseen += self._portfolio.newly_closed(self._stop_manager.result_in_r)
        trust, fall = self._market_view.leader(end)
        return Snapshot(
            now=end,
            equity=equity,
            closed=self._unseen,
            row=self._market_view.row(end),
            pairs=self._market_view.pairs,
            leader_trust=trust,
            leader_fall=fall,
            api_errors=self._api_errors(end),
        )

    def _hold_heat(
        self, positions: Sequence[tuple[LocalTrade, float]], equity: float, end: datetime
    ) -> None:
        """Draw the stops of open positions closer where together they risk too much."""
        if not positions:
            return
        stops = [self._stop_manager.stop(trade, end) for trade, _ in positions]
        held = list(zip(positions, stops, strict=True))
        costs = self._stop_costs
        heat = sum(loss_at_stop(trade.amount, price, stop, costs) for (trade, price), stop in held)
        allowed = self._heat_allowed(equity)
        if heat <= allowed:
            return
        # What leaving costs is lost wherever the stop is.
        fixed = sum(loss_at_stop(trade.amount, price, price, costs) for trade, price in positions)
        for (trade, price), stop in held:
            closer = drawn_closer(price, stop, heat - fixed, allowed - fixed)
            self._stop_manager.tighten(trade, closer, Reason.PORTFOLIO_HEAT, end)

    def _heat_allowed(self, equity: float) -> float:
        heat = math.inf if self._open_heat is None else self._open_heat * equity
        left = self.guard_set.heat_left(equity)
        return heat if left is None else min(heat, left)

    def _publish(self, change: Change, end: datetime) -> None:
        """A Freqtrade lock with code, value, limit and end; seen in /locks, the API and FreqUI."""
        self._locks.add(change, end)
        self._announce(change)

    def _rebuild(
        self, guards: dict[str, Guard], start_equity: float, seen: datetime | None
    ) -> datetime:
        """
        Show guards the trades closed so far, up to where the others have seen them.

        Returns
        -------
        datetime
            When the last trade closed that every guard has now been shown.
        """
        trades = Trade.get_trades_proxy(is_open=False) if guards or seen is None else []
        trades = sorted(trades, key=lambda trade: trade.close_date_utc)
        if seen is None:
            seen = trades[-1].close_date_utc if trades else datetime.fromtimestamp(0, tz=UTC)
        if not guards:
            return seen
        equity = start_equity
        guard_set = GuardSet(guards)
        for trade in [trade for trade in trades if trade.close_date_utc <= seen]:
            equity += trade.close_profit_abs or 0.0
            closed = self._portfolio.closed_trade(trade, self._stop_manager.result_in_r)
            guard_set.observe(Snapshot(closed.closed, equity, (closed,)))
        logger.info("rebuilt %s from %s closed trades", ", ".join(guards), len(trades))
        return seen
