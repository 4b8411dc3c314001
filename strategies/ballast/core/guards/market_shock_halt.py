"""MarketShockHalt: the leader, or most of the market, has fallen sharply."""

import math
from datetime import timedelta
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from ballast.core.cross_section import CrossSection, changes
from ballast.core.guards.base import Guard, GuardSection, Memory
from ballast.core.reasons import Reason
from ballast.core.snapshot import Snapshot
from ballast.core.times import from_epoch, to_epoch
from ballast.core.verdict import ALLOW, Verdict


class ShockMemory(Memory):
    """Until when entries are blocked, and what was seen."""

    blocked_until: float = 0.0
    value: float = 0.0
    limit: float = 0.0


class MarketShockHalt(Guard):
    """
    Blocks all entries after a sharp fall of the market leader or of most pairs.

    A fall is measured from the highest close of the last `fall_window` to the last close. On 10
    October 2025 the news came hours before the worst minutes: a slow guard is still in time.

    Parameters
    ----------
    leader_fall_pct : float
        Fall of the leader that blocks.
    breadth_fall_pct : float
        Fall of a pair that counts.
    breadth_share_pct : float
        Share of the traded pairs that must have fallen so far to block.
    pause_hours : float
        Time after the last candle on which either held.
    policy : 'halt' or 'flatten'
        'flatten' also closes what is open.
    """

    code: ClassVar[Reason] = Reason.MARKET_SHOCK
    follows_equity: ClassVar[bool] = False
    follows_trades: ClassVar[bool] = False

    def __init__(
        self,
        leader_fall_pct: float,
        breadth_fall_pct: float,
        breadth_share_pct: float,
        pause_hours: float,
        policy: Literal["halt", "flatten"],
    ) -> None:
        self._leader_fall = leader_fall_pct / 100
        self._breadth_fall = breadth_fall_pct / 100
        self._breadth_share_pct = breadth_share_pct
        self._pause = timedelta(hours=pause_hours)
        self._policy = policy
        self._blocking = False
        self._unknown = False
        self.memory = ShockMemory()

    def news(self, market: CrossSection) -> np.ndarray:
        """During a shock, and where it begins or ends that the leader's fall is not known."""
        # As wide as the one that is observed.
        fall = market.axis["fall"].astype(np.float64)
        unknown = np.isnan(fall)
        wide = 100 * market.share_fallen(self._breadth_fall) >= self._breadth_share_pct
        return np.asarray((fall >= self._leader_fall) | wide | changes(unknown))

    def observe(self, snapshot: Snapshot) -> None:
        """Block, or go on blocking, where the leader or the breadth of the market fell."""
        fall, row = snapshot.leader_fall, snapshot.row
        share = 100 * row.share_fallen(self._breadth_fall) if row is not None else 0.0
        self._unknown = math.isnan(fall)
        if fall >= self._leader_fall:
            self._block(snapshot, 100 * fall, 100 * self._leader_fall)
        elif share >= self._breadth_share_pct:
            self._block(snapshot, share, self._breadth_share_pct)
        self._blocking = snapshot.epoch < self.memory.blocked_until

    def market_verdict(self, snapshot: Snapshot) -> Verdict:
        """
        Block during the pause, and on a candle on which the leader's fall is not known. Value and
        limit: the leader's fall, or the share, in percent.
        """
        if snapshot.epoch >= self.memory.blocked_until:
            limit = 100 * self._leader_fall
            return Verdict(self.code, math.nan, limit, 0.0) if self._unknown else ALLOW
        until = from_epoch(self.memory.blocked_until)
        return Verdict(self.code, self.memory.value, self.memory.limit, 0.0, until)

    @property
    def flattens(self) -> bool:
        """Whether what is open is to be closed now."""
        return self._policy == "flatten" and self._blocking

    def rearm(self) -> None:
        """Forget the shock."""
        super().rearm()
        self._blocking = False

    def _block(self, snapshot: Snapshot, value: float, limit: float) -> None:
        self.memory.blocked_until = to_epoch(snapshot.now + self._pause)
        self.memory.value, self.memory.limit = value, limit


class MarketShockHaltSettings(GuardSection):
    """See `MarketShockHalt`."""

    guard: ClassVar[type[Guard]] = MarketShockHalt

    leader_fall_pct: float = Field(6.0, gt=0, le=50)
    breadth_fall_pct: float = Field(6.0, gt=0, le=50)
    breadth_share_pct: float = Field(80.0, gt=0, le=100)
    pause_hours: float = Field(12.0, gt=0, le=720)
    policy: Literal["halt", "flatten"] = "halt"
