"""Candles as guards judge them: at once where something can come of it, else if they are asked."""

import math
from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from ballast.core.drawdown import is_equity
from ballast.core.guard_set import Change, GuardSet
from ballast.core.snapshot import ClosedTrade, Snapshot
from ballast.core.verdict import ALLOW, Verdict
from ballast.data.market_view import MarketView
from ballast.risk.locks import Locks


class JudgedCandles:
    """
    Shows the guards candles, and publishes what they say.

    Parameters
    ----------
    guard_set : GuardSet
    market_view : MarketView
    locks : Locks
    announce : callable
        Told about every block that begins, and, with a verdict that allows, that is lifted.
    api_errors : callable
        Failed requests to the exchange before a moment.
    """

    def __init__(
        self,
        guard_set: GuardSet,
        market_view: MarketView,
        locks: Locks,
        announce: Callable[[Change], None],
        api_errors: Callable[[datetime], int],
    ) -> None:
        self._guard_set = guard_set
        self._market_view = market_view
        self._locks = locks
        self._announce = announce
        self._api_errors = api_errors
        self._unseen: tuple[ClosedTrade, ...] = ()
        # The last of the candles that nothing came of, if the guards were not shown it; its equity
        # (or that of the candle shown last), and the highest of those candles.
        self._deferred: datetime | None = None
        self._equity = self._highest = math.nan

    def closed(self, trades: Sequence[ClosedTrade]) -> None:
        """
        Keep trades until every guard has seen them: one that fails must not hide a loss from the
        others.
        """
        self._unseen += tuple(trades)

    def is_calm(self, equity: float, end: datetime) -> bool:
        """Whether nothing would come of a candle without news at this equity (quote currency)."""
        calm, before = self._guard_set.calm(), self._deferred
        if before is not None and not calm.holds(self._equity, before):
            return False
        return calm.holds(equity, end)

    def defer(self, end: datetime, equity: float | None = None) -> None:
        """
        Show the guards a candle of which nothing comes if they are asked.

        Parameters
        ----------
        equity : float or None
            Quote currency; None where it is what it was.
        """
        is_untold = equity is None and not math.isnan(self._highest)
        if is_untold and end.timestamp() >= self._guard_set.calm().until:
            # The highest belongs to the day that has ended.
            self.catch_up()
        self._deferred = end
        if equity is not None:
            self._equity = equity
            if not self._highest > equity:
                self._highest = equity

    def catch_up_before(self, equity: float, end: datetime) -> None:
        """Show the guards the candle deferred, where one to be shown would not tell all of it."""
        if self._deferred and not self._supersedes(equity, end):
            self.catch_up()

    def show(self, equity: float, end: datetime, news: Collection[str] | None) -> None:
        """
        Show a candle to the guards that it brings news to (None: to all); `catch_up_before` it.
        """
        if news is not None and self.is_calm(equity, end):
            snapshot = self._snapshot(equity, end, self._unseen)
            changes = self._guard_set.follow(snapshot, news, is_calm=True)
            self.defer(end, equity)
        else:
            changes = self._show_to_followers(equity, end, news)
        self._unseen = ()
        self._say(changes, end)

    def _show_to_followers(
        self, equity: float, end: datetime, news: Collection[str] | None
    ) -> list[Change]:
        """Show a candle to the guards that follow equity as well."""
        self._deferred, self._equity = None, equity
        snapshot = self._snapshot(equity, end, self._unseen, self._highest)
        guards = self._guard_set
        changes = guards.observe(snapshot) if news is None else guards.follow(snapshot, news)
        if is_equity(equity):
            # Else nobody has learnt of it.
            self._highest = math.nan
        return changes

    def entry_verdict(self, pair: str, end: datetime) -> Verdict:
        """Whether, and at what size, a pair may be entered on the candle that ended at `end`."""
        if self._deferred == end and self._holds_deferred():
            # After a candle that nothing comes of nobody allows another size. A verdict that blocks
            # is told, with the figures of this candle.
            known = self._guard_set.last_verdict(pair)
            if known is not None and not known.blocks:
                return known
        self._catch_up_unless_silent()
        return self._guard_set.entry_verdict(pair, end)

    def heat_left(self, equity: float) -> float | None:
        """See `GuardSet.heat_left`."""
        if not self._holds_deferred():
            self._catch_up_unless_silent()
        return self._guard_set.heat_left(equity)

    def _holds_deferred(self) -> bool:
        """Whether a candle is deferred, and those who follow equity have nothing to learn of it."""
        end = self._deferred
        return end is not None and self._guard_set.calm().holds(self._equity, end)

    def catch_up(self) -> None:
        """Show the guards the last candle that nothing came of."""
        if self._deferred is not None:
            end = self._deferred
            snapshot = self._snapshot(self._equity, end, (), self._highest)
            changes = self._guard_set.follow(snapshot)
            self._deferred, self._highest = None, math.nan
            self._say(changes, end)

    def _catch_up_unless_silent(self) -> None:
        """After a candle that failed guards are shown nothing before the next one is judged."""
        if self._guard_set.snapshot is not None:
            self.catch_up()

    def _supersedes(self, equity: float, end: datetime) -> bool:
        """Whether a candle tells the guards all that the deferred one before it would have."""
        return is_equity(equity) and end.timestamp() < self._guard_set.calm().until

    def silence(self) -> None:
        """
        Let the guards refuse entries until they are shown a candle: this one has failed. What was
        deferred before is shown then: a high, or what a day began with, is not lost with it.
        """
        self._guard_set.snapshot = None

    def forget(self) -> None:
        """Begin anew, as if no candle had ever been judged."""
        self._guard_set.forget()
        self._locks.forget()
        self._deferred, self._highest = None, math.nan
        self._unseen = ()

    def _snapshot(
        self,
        equity: float,
        end: datetime,
        closed: tuple[ClosedTrade, ...],
        highest: float = math.nan,
    ) -> Snapshot:
        trust, fall = self._market_view.leader(end)
        return Snapshot(
            now=end,
            equity=equity,
            closed=closed,
            row=self._market_view.row(end),
            pairs=self._market_view.pairs,
            leader_trust=trust,
            leader_fall=fall,
            api_errors=self._api_errors(end),
            highest=highest,
        )

    def _say(self, changes: Sequence[Change], end: datetime) -> None:
        """Locks with code, value, limit and end, which are seen in /locks, the API and FreqUI."""
        guards = self._guard_set.guards
        self._locks.lift(self._guard_set.lifted, end)
        for name, pair in self._guard_set.lifted:
            code = guards[name].code if name in guards else name
            self._announce(Change(name, pair, Verdict(code, ALLOW.value, ALLOW.limit)))
        for change in changes:
            self._locks.add(change, end)
            self._announce(change)
