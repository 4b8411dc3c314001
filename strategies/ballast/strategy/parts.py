"""Sales of a position in parts, as its setup or another's strategy wants them: what is sent now."""

from datetime import datetime

from freqtrade.persistence import LocalTrade

from ballast.core.events import Event, EventKind
from ballast.core.reasons import Reason
from ballast.runtime.host import Host
from ballast.runtime.session import TradingSession
from ballast.strategy import reductions

# Number of a trade, and why a part of it is sold.
Part = tuple[int, str]
_REDUCTION = "reduction"


class Parts:
    """
    Answers Freqtrade's question for a reduction, and remembers what has been asked and told.

    Parameters
    ----------
    host : Host
    """

    def __init__(self, host: Host) -> None:
        self._host = host
        # Told to be too small.
        self._told_small: set[Part] = set()
        # When one was last asked for, and that attempt where it is told to have been refused.
        self._asked: dict[Part, datetime] = {}
        self._told_refused: dict[Part, datetime] = {}

    def to_sell(
        self,
        session: TradingSession,
        trade: LocalTrade,
        rate: float,
        min_stake: float | None,
        now: datetime,
    ) -> tuple[float, str] | None:
        """
        The part of a position that its setup sells now, as Freqtrade is told it: a negative stake,
        and the reason. All of it, where the rest would be too small to be sold or to have a stop.
        """
        due = [] if trade.has_open_orders else list(session.planned.parts_due(trade, now))
        # What leaves as a whole does not leave in parts before: a backtest asks in another order.
        if not due or session.exits.reason(trade, now, rate) is not None:
            return None
        smallest = reductions.least(self._host, min_stake, session.feeds.live)
        for reason, units in due:
            wanted = -trade.stake_amount * units / trade.amount
            # One that cannot be sold stays, and holds up no other.
            stake = self._sold(session, trade, reason, wanted, rate, smallest, now)
            if stake is not None:
                return stake, reason
        return None

    def reduced(
        self,
        session: TradingSession,
        trade: LocalTrade,
        stake: float,
        rate: float,
        min_stake: float | None,
        now: datetime,
    ) -> float | None:
        """The same of what another's strategy wants to sell, a negative stake."""
        smallest = reductions.least(self._host, min_stake, session.feeds.live)
        return self._sold(session, trade, _REDUCTION, stake, rate, smallest, now)

    def _sold(
        self,
        session: TradingSession,
        trade: LocalTrade,
        reason: str,
        stake: float,
        rate: float,
        smallest: float,
        now: datetime,
    ) -> float | None:
        """What is sold for a stake (negative); None where the exchange takes or took no order."""
        value = -stake / trade.stake_amount * trade.amount * rate
        if value < smallest:
            self._tell_small(trade, reason, value, smallest, now)
            return None
        # Only of a bot: the trades of each epoch of hyperopt have the same numbers.
        if session.feeds.live and self._was_refused(session, trade, reason, now):
            return None
        return reductions.whole_or_part(trade, stake, rate, smallest)

    def _was_refused(
        self, session: TradingSession, trade: LocalTrade, reason: str, now: datetime
    ) -> bool:
        """
        Whether a part was asked for in this candle and no order came of it: it is told, and waits
        for the next candle. Each attempt takes the stop off the exchange.
        """
        part = trade.id, reason
        asked = self._asked.get(part)
        if asked is None or not session.planned.same_candle(trade, asked, now):
            self._asked[part] = now
            return False
        if any(
            o.ft_order_side == trade.exit_side and o.order_date_utc >= asked for o in trade.orders
        ):
            return False
        if self._told_refused.get(part) != asked:
            self._told_refused[part] = asked
            text = f"{trade.pair}: {reason} was not sold, and is tried again at the next candle"
            self._host.incident("adjust_trade_position", RuntimeError(text))
        return True

    def _tell_small(
        self, trade: LocalTrade, reason: str, value: float, smallest: float, now: datetime
    ) -> None:
        """Once: it is asked for in every loop."""
        if (trade.id, reason) not in self._told_small:
            self._told_small.add((trade.id, reason))
            what = (trade.pair, trade.id, value, smallest, {"detail": reason})
            self._host.events.publish(Event(now, EventKind.WATCH, Reason.PART_TOO_SMALL, *what))
