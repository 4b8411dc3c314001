"""The entry desk: how large an entry may be, and whether it still may be when the order is due."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from ballast.analysis import setup_name
from ballast.book import Book
from ballast.core import sizing, stops
from ballast.core.sizing import Sized
from ballast.core.stops import StopRules
from ballast.core.trust import Trust
from ballast.settings import RiskSettings
from ballast.tape import Tape

# Freqtrade truncates amounts and rounds prices to the exchange's steps between sizing and order.
_ROUNDING = 1.001


@dataclass(frozen=True)
class Ticket:
    """
    An entry as it was decided: what was known, the stop and the size.

    Parameters
    ----------
    candle : int
        Opening time of the signal candle, nanoseconds since the epoch (UTC).
    setup : str
        Name of the setup that signalled.
    stop : float
        First stop, quote currency.
    sized : Sized
        Stake and the constraint that bound it.
    """

    pair: str
    candle: int
    setup: str
    stop: float
    sized: Sized


class EntryRefused(Exception):
    """An entry that may not be: the text is the reason code with its numbers."""


class EntryDesk:
    """
    Sizes entries and confirms them.

    Parameters
    ----------
    risk : RiskSettings
    book : Book
    tape_of : callable
        Gives a pair's tape, or None.
    rules_of : callable
        Stop rules of a setup, by its name.
    disaster_ratio : float
        Depth of the strategy's class stop as a positive ratio.
    """

    def __init__(
        self,
        risk: RiskSettings,
        book: Book,
        tape_of: Callable[[str], Tape | None],
        rules_of: Callable[[str], StopRules],
        disaster_ratio: float,
    ) -> None:
        self._risk = risk
        self._budget = risk.budget()
        self._book = book
        self._tape_of = tape_of
        self._rules_of = rules_of
        self._disaster_ratio = disaster_ratio
        self._tickets: dict[str, Ticket] = {}
        self._confirmed: tuple[int, int] = (-1, 0)

    def ticket(self, pair: str) -> Ticket | None:
        """The last entry decided for a pair."""
        return self._tickets.get(pair)

    def propose(
        self, pair: str, now: datetime, rate: float, tag: str | None, limits: Mapping[str, float]
    ) -> Ticket:
        """
        Size an entry at `rate`.

        Parameters
        ----------
        limits : mapping of str to float
            min_stake and max_stake of the exchange and the free balance, quote currency.

        Raises
        ------
        EntryRefused
            When the signal candle is not the newest, is not trusted, or allows no size.
        """
        self._tickets.pop(pair, None)
        tape = self._tape_of(pair)
        position = tape.completed_at(now) if tape is not None else -1
        if tape is None or not tape.is_fresh(position, now):
            raise EntryRefused("SIGNAL_STALE: the newest completed candle has not been analysed")
        trust = int(tape["trust"][position])
        if trust != Trust.OK:
            raise EntryRefused(f"CANDLE_UNTRUSTED: {Trust(trust).name}")
        name = setup_name(tag)
        close, atr = float(tape["close"][position]), float(tape["atr"][position])
        stop = stops.initial_stop(close, atr, self._rules_of(name), self._disaster_ratio)
        # The disaster stop hangs below the fill, which may be above the signal's close.
        stop = max(stop, rate * (1 - self._disaster_ratio))
        sized = sizing.size(
            self._book.equity(now),
            rate,
            stop,
            self._book.risk_at_stop(now),
            self._budget,
            min_stake=limits["min_stake"],
            other_caps={"FREE_BALANCE": limits["max_stake"]},
        )
        if sized.stake == sizing.NO_TRADE:
            raise EntryRefused(f"NO_SIZE: {sized.binding}")
        ticket = Ticket(pair, int(tape.opened[position]), name, stop, sized)
        self._tickets[pair] = ticket
        return ticket

    def confirm(self, pair: str, amount: float, rate: float, now: datetime) -> None:
        """
        Check an order just before it is sent.

        Raises
        ------
        EntryRefused
            When it was not sized on this candle, would lose more at its stop than was decided, or
            is one too many on this candle.
        """
        ticket, tape = self._tickets.get(pair), self._tape_of(pair)
        if ticket is None or tape is None:
            raise EntryRefused("NOT_SIZED: the order did not come through the sizer")
        if not tape.is_fresh(tape.completed_at(now), now):
            raise EntryRefused("SIGNAL_STALE: the newest completed candle has not been analysed")
        if ticket.candle != int(tape.opened[tape.completed_at(now)]):
            raise EntryRefused("SIGNAL_STALE: sized on an earlier candle")
        loss = amount * rate * sizing.loss_ratio(rate, ticket.stop, self._budget)
        allowed = ticket.sized.stake * ticket.sized.loss_ratio * _ROUNDING
        if not loss <= allowed:
            raise EntryRefused(f"LOSS_AT_STOP: value={loss:.2f} limit={allowed:.2f}")
        candle, entries = self._confirmed
        entries = entries if candle == ticket.candle else 0
        if entries >= self._risk.entries_per_candle:
            raise EntryRefused(
                f"ENTRIES_PER_CANDLE: value={entries} limit={self._risk.entries_per_candle}"
            )
        self._confirmed = (ticket.candle, entries + 1)
