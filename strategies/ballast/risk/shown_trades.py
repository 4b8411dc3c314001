"""Which closed trades the guards have been shown: by number, so that none is lost or shown twice.

Not by time: a stop that filled earlier may be noticed later, after a request that failed.
"""

from collections.abc import Iterable
from typing import Any

from freqtrade.persistence import LocalTrade, Trade
from pydantic import Field
from sqlalchemy import func, or_, select

from ballast.core.guards.base import Memory
from ballast.core.times import from_epoch, to_epoch


class SeenTrades(Memory):
    """
    What has been shown.

    Parameters
    ----------
    closed_until : float
        When the last of them closed, seconds since the epoch (UTC).
    newest : int or None
        Highest number of a trade at the last look; None in rows from before numbers were kept.
    waiting : list of int
        Numbers up to it that had not closed then.
    """

    closed_until: float = 0.0
    newest: int | None = None
    waiting: list[int] = Field(default_factory=list)


class ShownTrades:
    """Gives closed trades, each once."""

    def __init__(self) -> None:
        self.memory = SeenTrades(newest=0)
        # In backtests: how many of Freqtrade's list have been given.
        self._given = 0

    def take(self) -> list[LocalTrade]:
        """
        Trades that have closed since the last call, in order of closing.

        The cost does not grow with the number of closed trades.
        """
        if not Trade.use_db:
            if len(LocalTrade.bt_trades) == self._given:
                return []
            trades = LocalTrade.bt_trades[self._given :]
            self._given += len(trades)
            return _by_closing(trades)
        memory = self.memory
        # All from one answer: a trade that closes between two would be lost or given twice.
        known = Trade.get_trades(
            [or_(Trade.id > memory.newest, Trade.id.in_(memory.waiting))]
        ).all()
        closed = _by_closing(trade for trade in known if not trade.is_open)
        newest = max((trade.id for trade in known), default=memory.newest or 0)
        # A database gives the number of a trade that was deleted again to the next one.
        last = Trade.session.scalar(select(func.max(Trade.id))) or 0
        self.memory = SeenTrades(
            closed_until=max([memory.closed_until, *(_closing(trade) for trade in closed)]),
            newest=min(max(newest, memory.newest or 0), last),
            waiting=[trade.id for trade in known if trade.is_open],
        )
        return closed

    def resume(self, memory: SeenTrades | None) -> None:
        """Go on where an earlier run stopped; without a memory all that are closed are shown."""
        if memory is None or memory.newest is None:
            waits = Trade.is_open.is_(True)
            if memory is not None:
                until = from_epoch(memory.closed_until).replace(tzinfo=None)
                waits = or_(waits, Trade.close_date > until)
            memory = SeenTrades(
                closed_until=memory.closed_until if memory is not None else 0.0,
                newest=Trade.session.scalar(select(func.max(Trade.id))) or 0,
                waiting=list(Trade.session.scalars(select(Trade.id).where(waits))),
            )
        self.memory = memory

    def shown(self) -> list[LocalTrade]:
        """The closed trades that have been given, by this run or an earlier one, in order."""
        return _by_closing(Trade.get_trades(self._given_in_database()).all())

    def results(self) -> float:
        """What they have earned together, quote currency; one that has just closed is not in it."""
        earned = select(func.sum(Trade.close_profit_abs)).where(*self._given_in_database())
        return float(Trade.session.scalar(earned) or 0.0)

    def _given_in_database(self) -> list[Any]:
        memory = self.memory
        return [
            Trade.is_open.is_(False),
            Trade.id <= memory.newest,
            Trade.id.not_in(memory.waiting),
        ]

    def forget(self) -> None:
        """Begin anew, as if no trade had ever closed."""
        self.memory = SeenTrades(newest=0)
        self._given = 0


def _by_closing(trades: Iterable[LocalTrade]) -> list[LocalTrade]:
    return sorted(trades, key=lambda trade: (trade.close_date_utc, trade.id))


def _closing(trade: LocalTrade) -> float:
    return to_epoch(trade.close_date_utc)
