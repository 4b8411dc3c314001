"""Oversight: once a candle, shows the guards the account and acts on what they say.

It takes the snapshot, keeps the open heat within its limit, publishes blocks as Freqtrade locks,
and saves what the guards must remember. In backtests it is called from `bot_loop_start`; live from
`analyze`, because Freqtrade calls `bot_loop_start` before the new candle has been analysed.
"""

import logging
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pandas as pd
from freqtrade.persistence import Trade

from ballast.book import Book
from ballast.core.board import Board, BoardRow
from ballast.core.guards.base import Guard
from ballast.core.heat import drawn_closer
from ballast.core.snapshot import Snapshot
from ballast.core.tape import Tape
from ballast.core.trust import Trust
from ballast.core.verdict import Verdict
from ballast.core.warden import Change, Warden
from ballast.core.windows import minutes
from ballast.exits import StopKeeper
from ballast.locks import Locks
from ballast.state import GuardStore

logger = logging.getLogger(__name__)

MARKET = "market"
_NO_CANDLES = Tape(pd.Series([], dtype="datetime64[ns, UTC]"), "1h", {})


class Oversight:
    """
    Runs the guards of one strategy.

    Parameters
    ----------
    warden : Warden
    book : Book
    keeper : StopKeeper
    tape_of : callable
        Gives the tape of a pair, or of the market leader under `MARKET`.
    pairs : callable
        Pairs that are traded now.
    timeframe : str
    open_heat : float or None
        Limit of the open heat, ratio of equity; None leaves stops alone.
    correlation : callable
        Correlation of two pairs at a moment.
    announce : callable
        Told about every block that begins.
    """

    def __init__(
        self,
        warden: Warden,
        book: Book,
        keeper: StopKeeper,
        tape_of: Callable[[str], Tape | None],
        pairs: Callable[[], list[str]],
        timeframe: str,
        open_heat: float | None,
        correlation: Callable[[str, str, datetime], float],
        announce: Callable[[Change], None],
    ) -> None:
        self.warden = warden
        self._book = book
        self._keeper = keeper
        self._tape_of = tape_of
        self._pairs = pairs
        self._candle = timedelta(minutes=minutes(timeframe))
        self._open_heat = open_heat
        self._correlation = correlation
        self._announce = announce
        self._store: GuardStore | None = None
        self._last: datetime | None = None
        self._board: Board | None = None
        self._locks = Locks()

    def remember_in(self, store: GuardStore, start_equity: float) -> None:
        """
        Keep memories in a database from now on, beginning with what it holds.

        Memories that are not there are rebuilt by showing their guards the trades already closed.

        Parameters
        ----------
        start_equity : float
            Account value before the first trade, quote currency.
        """
        self._store = store
        guards = self.warden.guards
        lost = store.restore(guards)
        self._rebuild({name: guards[name] for name in lost}, start_equity)
        rows = store.rows().values()
        newest = max((row["updated"] for row in rows), default=None)
        self._book.begin_at(newest.replace(tzinfo=UTC) if newest else datetime.now(UTC))

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
            for name in self._store.take_over_edits(self.warden.guards):
                logger.warning("%s was changed by hand", name)
        self._hold_heat(end)
        changes = self.warden.observe(self._snapshot(end))
        self._last = end
        for change in changes:
            self._publish(change, end)
        axis = self._tape_of(MARKET)
        self._locks.tidy(end, is_last=axis is not None and axis.ends_by(end))
        if self._store is not None:
            self._store.save(self.warden.guards, end)

    def equity(self, now: datetime) -> float:
        """Account value with open positions at their last completed close, quote currency."""
        return self._book.equity(now)

    def open_risks(self, now: datetime) -> dict[str, float]:
        """By pair, what an open position loses at its stop, quote currency."""
        risks: dict[str, float] = {}
        for trade in self._book.open_trades():
            if trade.amount:
                stop = self._keeper.stop(trade, now)
                risk = self._book.risk_at_stop(trade, stop, now)
                risks[trade.pair] = risks.get(trade.pair, 0.0) + risk
        return risks

    def correlation(self, one: str, other: str, now: datetime) -> float:
        """Correlation of two pairs' returns over the last 20 days."""
        return self._correlation(one, other, now)

    def entry_verdict(self, pair: str, now: datetime) -> Verdict:
        """Whether, and at what size, `pair` may be entered."""
        return self.warden.entry_verdict(pair, self._border(now))

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
        for guard in self.warden.guards.values():
            guard.memory = type(guard.memory)()
        self._book.begin_at(datetime.fromtimestamp(0, tz=UTC))
        self._keeper.forget()

    def _snapshot(self, end: datetime) -> Snapshot:
        pairs = tuple(self._pairs())
        leader = self._tape_of(MARKET)
        position = leader.completed_at(end) if leader is not None else -1
        if leader is None or not leader.is_fresh(position, end):
            trust, fall = int(Trust.DISORDER), math.nan
        else:
            trust, fall = int(leader["trust"][position]), float(leader["fall"][position])
        return Snapshot(
            now=end,
            equity=self._book.equity(end),
            closed=self._book.newly_closed(self._keeper.result_in_r),
            row=self._row(pairs, end),
            pairs=pairs,
            leader_trust=trust,
            leader_fall=fall,
        )

    def _row(self, pairs: tuple[str, ...], end: datetime) -> BoardRow | None:
        """The candles of all pairs; the board is made anew when a pair has new candles."""
        axis = self._tape_of(MARKET)
        tapes = {pair: self._tape_of(pair) or _NO_CANDLES for pair in pairs}
        if axis is None:
            return None
        board = self._board
        if board is None or board.axis is not axis or board.tapes != tapes:
            board = self._board = Board(axis, tapes)
        return board.at(end)

    def _hold_heat(self, end: datetime) -> None:
        """Draw the stops of open positions closer where together they risk too much."""
        trades = [trade for trade in self._book.open_trades() if trade.amount]
        if self._open_heat is None or not trades:
            return
        heat = sum(self.open_risks(end).values())
        allowed = self._open_heat * self._book.equity(end)
        if heat <= allowed:
            return
        for trade in trades:
            price, stop = self._book.price(trade, end), self._keeper.stop(trade, end)
            self._keeper.tighten(trade, drawn_closer(price, stop, heat, allowed))

    def _publish(self, change: Change, end: datetime) -> None:
        """A Freqtrade lock with code, value, limit and end; seen in /locks, the API and FreqUI."""
        until = change.verdict.until or end + self._candle
        self._locks.add(change.pair, until, str(change.verdict), end)
        self._announce(change)

    def _rebuild(self, guards: dict[str, Guard], start_equity: float) -> None:
        if not guards:
            return
        trades = Trade.get_trades_proxy(is_open=False)
        equity = start_equity
        warden = Warden(guards)
        for trade in sorted(trades, key=lambda trade: trade.close_date_utc):
            equity += trade.close_profit_abs or 0.0
            closed = self._book.closed_trade(trade, self._keeper.result_in_r)
            warden.observe(Snapshot(closed.closed, equity, (closed,)))
        logger.info("rebuilt %s from %s closed trades", ", ".join(guards), len(trades))
