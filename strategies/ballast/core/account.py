"""The account at a candle's end, as status, Telegram, panel, metrics and charts all show it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from ballast.core.reasons import Reason
from ballast.core.verdict import Verdict


class State(StrEnum):
    """What may be entered."""

    ACTIVE = "ACTIVE"  # at full size
    REDUCING = "REDUCING"  # at a smaller size
    HALTED = "HALTED"  # nothing; stops and exits stay


class Gauge(NamedTuple):
    """A value and the next limit that it may reach; percent of equity."""

    value: float
    limit: float


@dataclass(frozen=True)
class OpenPosition:
    """
    An open position.

    Parameters
    ----------
    opened : datetime
        UTC.
    entry, stop, close : float
        Average price paid, present stop, last completed close; quote currency.
    r : float
        Open result in R, multiples of what the first stop put at risk.
    risk : float
        What is lost from the last close at the stop, costs and gap included; quote currency.
    value : float
        At the last close, quote currency.
    """

    trade_id: int
    pair: str
    opened: datetime
    entry: float
    stop: float
    close: float
    r: float
    risk: float
    value: float


@dataclass(frozen=True)
class Account:
    """
    A row of the journal; a bot writes it again where something fills before the next candle ends.

    Parameters
    ----------
    candle : datetime
        Opening time of the closed candle (UTC).
    equity : float
        With open positions at their last completed close, quote currency.
    multiplier : float
        Size that the guards leave to any entry, 0 to 1.
    gauges : mapping of str to Gauge
        By the code of the guard or cap that has the limit.
    guards : mapping of str to Verdict
        What each guard that objects to the market as a whole says.
    """

    candle: datetime
    state: State
    equity: float
    multiplier: float
    gauges: Mapping[str, Gauge] = field(default_factory=dict)
    guards: Mapping[str, Verdict] = field(default_factory=dict)
    positions: tuple[OpenPosition, ...] = ()

    @property
    def drawdown(self) -> Gauge | None:
        """How far the equity is below its peak; None where no guard follows that."""
        return self.gauges.get(Reason.DRAWDOWN) or self.gauges.get(Reason.DRAWDOWN_LIMIT)

    @property
    def heat(self) -> Gauge | None:
        """What is lost where every stop is hit; None where it is not known."""
        return self.gauges.get(Reason.PORTFOLIO_HEAT)
