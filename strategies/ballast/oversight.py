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
from ballast.core.heat import at_risk, drawn_closer
from ballast.core.snapshot import ClosedTrade, Snapshot
from ballast.core.tape import Tape
from ballast.core.trust import Trust
from ballast.core.verdict import Verdict
from ballast.core.warden import Change, Warden
from ballast.core.windows import minutes
from ballast.exits import StopKeeper
from ballast.guard_settings import GuardSettings
from ballast.locks import Announced, Locks
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
    api_errors : callable
        Failed requests to the exchange before a moment.
    patience : timedelta
        How long the candle of a pair that is late is waited for; entries are refused meanwhile.
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
        api_errors: Callable[[datetime], int],
        patience: timedelta,
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
        self._api_errors = api_errors
        self._patience = patience
        self._store: GuardStore | None = None
        self._last: datetime | None = None
        self._board: Board | None = None
        self._unseen: tuple[ClosedTrade, ...] = ()
        self._locks = Locks()
        self._ask_too: Callable[[datetime], None] = lambda now: None

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
        seen = self._rebuild({n: guards[n] for n in lost}, start_equity, store.closed_until())
        self._book.begin_at(seen)
        # Those of guards that have been switched off since are recalled too, and lifted.
        codes = {guard.code: name for name, guard in GuardSettings().build(1.0).items()}
        self.warden.recall(self._locks.recall(codes, datetime.now(UTC)))

    def ask_too(self, ask: Callable[[datetime], None]) -> None:
        """Call `ask` at every candle too; entries are refused where it raises."""
        self._ask_too = ask

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
            for name in self._store.take_over_edits(self.warden.guards):
                logger.warning("%s was changed by hand", name)
        if now < end + self._patience and not self._all_arrived(end):
            return
        try:
            self._judge(end)
        except Exception:
            # Without what was seen at this candle the warden refuses entries; it is tried again.
            self.warden.snapshot = None
            raise
        self._last = end

    def _judge(self, end: datetime) -> None:
        equity = self._book.equity(end)
        self._hold_heat(equity, end)
        changes = self.warden.observe(self._snapshot(equity, end))
        self._unseen = ()
        self._locks.lift(self.warden.lifted, end)
        for change in changes:
            self._publish(change, end)
        axis = self._tape_of(MARKET)
        self._locks.tidy(end, is_last=axis is not None and axis.ends_by(end))
        if self._store is not None:
            self._store.save(self.warden.guards, end, self._book.closed_until)
        self._ask_too(end)

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

    def exposure(self, now: datetime) -> float:
        """Value of all open positions at their last completed close, quote currency."""
        return self._book.exposure(now)

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
        self.warden.forget()
        self._unseen = ()
        self._locks = Locks()
        self._book.begin_at(datetime.fromtimestamp(0, tz=UTC))
        self._keeper.forget()

    def _snapshot(self, equity: float, end: datetime) -> Snapshot:
        pairs = tuple(self._pairs())
        # Kept until every guard has seen them: one that fails must not hide a loss from the others.
        self._unseen += self._book.newly_closed(self._keeper.result_in_r)
        leader = self._tape_of(MARKET)
        position = leader.completed_at(end) if leader is not None else -1
        if leader is None or not leader.is_fresh(position, end):
            trust, fall = int(Trust.DISORDER), math.nan
        else:
            trust, fall = int(leader["trust"][position]), float(leader["fall"][position])
        return Snapshot(
            now=end,
            equity=equity,
            closed=self._unseen,
            row=self._row(pairs, end),
            pairs=pairs,
            leader_trust=trust,
            leader_fall=fall,
            api_errors=self._api_errors(end),
        )

    def _all_arrived(self, end: datetime) -> bool:
        """Whether every pair and the leader have the candle that ended at `end`."""
        tapes = [self._tape_of(name) for name in (MARKET, *self._pairs())]
        return all(t is not None and t.is_fresh(t.completed_at(end), end) for t in tapes)

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

    def _hold_heat(self, equity: float, end: datetime) -> None:
        """Draw the stops of open positions closer where together they risk too much."""
        trades = [trade for trade in self._book.open_trades() if trade.amount]
        if self._open_heat is None or not trades:
            return
        levels = [(self._book.price(t, end), self._keeper.stop(t, end)) for t in trades]
        heat = sum(
            at_risk(trade.amount, price, stop)
            for trade, (price, stop) in zip(trades, levels, strict=True)
        )
        allowed = self._open_heat * equity
        if heat <= allowed:
            return
        for trade, (price, stop) in zip(trades, levels, strict=True):
            self._keeper.tighten(trade, drawn_closer(price, stop, heat, allowed))

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
        warden = Warden(guards)
        for trade in [trade for trade in trades if trade.close_date_utc <= seen]:
            equity += trade.close_profit_abs or 0.0
            closed = self._book.closed_trade(trade, self._keeper.result_in_r)
            warden.observe(Snapshot(closed.closed, equity, (closed,)))
        logger.info("rebuilt %s from %s closed trades", ", ".join(guards), len(trades))
        return seen
