"""DataOutageHalt: nothing is entered on market data that does not deserve trust."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from pydantic import Field

from ballast.core.cross_section import CrossSection, changes
from ballast.core.guards.base import Guard, GuardSection
from ballast.core.reasons import Reason
from ballast.core.snapshot import Snapshot
from ballast.core.trust import DataQuality
from ballast.core.verdict import ALLOW, Verdict


class DataOutageHalt(Guard):
    """
    Blocks entries while market data does not deserve trust.

    A pair is blocked while its last candle is missing or untrusted; all pairs are while the
    leader's is, while most pairs' are, or while too many requests to the exchange fail.

    Parameters
    ----------
    api_errors : int
        Failed requests within ten minutes that block.
    untrusted_share_pct : float
        Share of the pairs, percent, whose candles are missing or untrusted that blocks.
    """

    code: ClassVar[Reason] = Reason.DATA_OUTAGE
    follows_equity: ClassVar[bool] = False
    follows_trades: ClassVar[bool] = False

    def __init__(self, api_errors: int, untrusted_share_pct: float) -> None:
        self._api_errors = api_errors
        self._untrusted_share_pct = untrusted_share_pct

    def news(self, market: CrossSection) -> np.ndarray:
        """Where a pair, or the leader, is trusted anew or no longer."""
        leader = changes(market.axis["trust"] == DataQuality.OK)
        return np.asarray(market.trust_changes() | leader)

    def market_verdict(self, snapshot: Snapshot) -> Verdict:
        """Value and limit: failed requests, a trust code (0 is OK), or a share in percent."""
        if snapshot.api_errors >= self._api_errors:
            found = snapshot.api_errors, self._api_errors
            return Verdict(self.code, *found, 0.0, unit="requests")
        if snapshot.leader_trust != DataQuality.OK:
            return self._of_quality(snapshot.leader_trust)
        if snapshot.row is None:
            return self._of_share(100.0)
        untrusted = snapshot.row.untrusted_count
        if not untrusted:
            return ALLOW
        share = 100 * untrusted / len(snapshot.pairs)
        if share >= self._untrusted_share_pct:
            return self._of_share(share)
        return ALLOW

    def pair_verdicts(self, snapshot: Snapshot) -> Mapping[str, Verdict]:
        """Value: the pair's trust code (a missing candle is DISORDER); limit 0 (OK)."""
        if snapshot.row is None:
            return {}
        untrusted = snapshot.row.untrusted()
        return {pair: self._of_quality(code) for pair, code in untrusted.items()}

    def verdict(self, snapshot: Snapshot, pair: str) -> Verdict:
        """As above; a pair that is not among those looked at is blocked."""
        if pair not in snapshot.pairs:
            return self._of_quality(DataQuality.DISORDER)
        return super().verdict(snapshot, pair)

    def _of_quality(self, code: int) -> Verdict:
        return Verdict(self.code, code, DataQuality.OK, 0.0, unit="code")

    def _of_share(self, share: float) -> Verdict:
        return Verdict(self.code, share, self._untrusted_share_pct, 0.0, unit="% of pairs")


class DataOutageHaltSettings(GuardSection):
    """See `DataOutageHalt`."""

    guard: ClassVar[type[Guard]] = DataOutageHalt

    api_errors: int = Field(10, ge=1, le=1000)
    untrusted_share_pct: float = Field(50.0, gt=0, le=100)
