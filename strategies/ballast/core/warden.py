"""The warden: asks every guard at every candle and keeps the strictest answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from ballast.core.guards.base import Guard
from ballast.core.snapshot import Snapshot
from ballast.core.verdict import Verdict, compose

ALL_PAIRS = "*"


@dataclass(frozen=True)
class Change:
    """A guard's block that has begun, or goes on after its announced end; '*' is all pairs."""

    guard: str
    pair: str
    verdict: Verdict


class Warden:
    """
    Keeps the guards of one account.

    Parameters
    ----------
    guards : mapping of str to Guard
        By name.
    """

    def __init__(self, guards: Mapping[str, Guard]) -> None:
        self.guards = dict(guards)
        self.snapshot: Snapshot | None = None
        self._announced: dict[tuple[str, str], datetime] = {}

    def observe(self, snapshot: Snapshot) -> list[Change]:
        """
        Show every guard a completed candle.

        The heartbeat is given last: a guard that fails leaves the previous one, and entries refuse.

        Returns
        -------
        list of Change
            Blocks that begin, or go on after the end that was announced.
        """
        self.snapshot = None
        for guard in self.guards.values():
            guard.observe(snapshot)
        changes = self._changes(snapshot)
        self.snapshot = snapshot
        return changes

    def entry_verdict(self, pair: str, candle_end: datetime) -> Verdict:
        """
        Whether, and at what size, `pair` may be entered.

        Parameters
        ----------
        candle_end : datetime
            End of the signal candle. If the guards have not seen that candle, entries are blocked.
        """
        seen = self.snapshot
        if seen is None or seen.now != candle_end:
            age_s = (candle_end - seen.now).total_seconds() if seen is not None else float("inf")
            return Verdict("GUARDS_SILENT", age_s, 0.0, 0.0)
        return compose(guard.verdict(seen, pair) for guard in self.guards.values())

    @property
    def flattens(self) -> str | None:
        """Name of a guard that wants open positions closed, or None."""
        return next((name for name, guard in self.guards.items() if guard.flattens), None)

    def standing(self) -> dict[str, Verdict]:
        """Present verdict of every guard on the market as a whole, by name; for display."""
        if self.snapshot is None:
            return {}
        return {name: g.market_verdict(self.snapshot) for name, g in self.guards.items()}

    def _changes(self, snapshot: Snapshot) -> list[Change]:
        """Blocks that are not covered by what was announced before."""
        changes = []
        announced = {key: end for key, end in self._announced.items() if end > snapshot.now}
        for name, guard in self.guards.items():
            common = guard.market_verdict(snapshot)
            blocks = {ALL_PAIRS: common} if common.blocks else guard.pair_verdicts(snapshot)
            for pair, verdict in blocks.items():
                if (name, pair) not in announced:
                    announced[(name, pair)] = verdict.until or snapshot.now
                    changes.append(Change(name, pair, verdict))
        self._announced = announced
        return changes
