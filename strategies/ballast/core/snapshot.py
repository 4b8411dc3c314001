"""What a guard may look at: one frozen picture of the account and the market, candle by candle."""

import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from ballast.core.cross_section import CrossSectionRow
from ballast.core.trust import DataQuality


class ClosedTrade(NamedTuple):
    """
    A trade that has ended.

    Parameters
    ----------
    r : float
        Net result in R, multiples of what its first stop put at risk.
    """

    pair: str
    closed: datetime
    r: float


@dataclass(frozen=True)
class Snapshot:
    """
    State at the end of a candle.

    Parameters
    ----------
    now : datetime
        The candle border (UTC); the last completed candle ends here.
    equity : float
        Account value with open positions at their last completed close, quote currency.
    closed : tuple of ClosedTrade
        Trades that ended since the previous snapshot, in order.
    row : CrossSectionRow or None
        The last completed candles of the traded pairs; None where they are missing.
    leader_trust : int
        `DataQuality` code of the market leader's last completed candle.
    leader_fall : float
        How far the leader is below its recent highest close (ratio).
    api_errors : int
        Failed requests to the exchange within the last ten minutes; 0 in backtests.
    highest : float
        The highest equity since the previous snapshot, this one's included, where candles without
        news were not shown; it is then of the same UTC day.
    epoch : float
        `now` in seconds since the epoch, as guards remember times.
    """

    now: datetime
    equity: float
    closed: tuple[ClosedTrade, ...] = ()
    row: CrossSectionRow | None = None
    pairs: tuple[str, ...] = ()
    leader_trust: int = DataQuality.DISORDER
    leader_fall: float = math.nan
    api_errors: int = 0
    highest: float = math.nan
    epoch: float = field(init=False)

    def __post_init__(self) -> None:
        if not self.highest > self.equity:
            object.__setattr__(self, "highest", self.equity)
        object.__setattr__(self, "epoch", self.now.timestamp())
