"""The guard set: asks every guard at every candle and keeps the strictest answer."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from ballast.core.beginnings import Beginnings
from ballast.core.cross_section import CrossSection
from ballast.core.guards.base import NOT_CALM, Calm, Guard, all_of
from ballast.core.reasons import Reason
from ballast.core.snapshot import Snapshot
from ballast.core.verdict import ALL_PAIRS, ALLOW, Verdict, compose

# A block that ends with its cause is announced for so long; it is lifted when it ends.
UNTIL_LIFTED = timedelta(days=1)
NEVER = datetime.max.replace(tzinfo=UTC)
_NOTHING: Mapping[str, Verdict] = {}
_NOBODY: Mapping[str, Guard] = {}
# Of a guard that has not been asked: it may object to anything.
_NOT_KNOWN: Mapping[str, Verdict] = {ALL_PAIRS: ALLOW}


@dataclass(frozen=True)
class Change:
    """A guard's block that has begun, or goes on after its announced end; '*' is all pairs."""

    guard: str
    pair: str
    verdict: Verdict


class GuardSet:
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
        # Name of a guard that wants open positions closed, or None.
        self.flattens: str | None = None
        # Guard and pair of blocks that ended, at the last candle, before their announced end.
        self.lifted: list[tuple[str, str]] = []
        self._announced: dict[tuple[str, str], datetime] = {}
        # When they end: as announced, or sooner where a block has become shorter since; the first.
        self._ends: dict[tuple[str, str], datetime] = {}
        self._first_end = NEVER
        self._follow_equity = {n: g for n, g in self.guards.items() if g.follows_equity}
        # Guards to which a trade that has closed is news.
        self.of_trades = [name for name, guard in self.guards.items() if guard.follows_trades]
        # Most guards judge no single pair, limit no heat, and close nothing.
        self._judge_pairs = _overriding(self.guards, "pair_verdicts")
        self._limit_heat = _overriding(self.guards, "floor")
        self._may_flatten = _overriding(self.guards, "flattens")
        # The snapshot after which the highest of their floors was asked for last, and that.
        self._floor: tuple[Snapshot | None, float | None] = (None, None)
        self.beginnings = Beginnings()
        # By guard and pair ('*' for all) what it objected to when it was asked last.
        self._objections = dict.fromkeys(self.guards, _NOT_KNOWN)
        # The snapshot after which entries were asked about last, and what was said by pair.
        self._answered: tuple[Snapshot | None, dict[str, Verdict]] = (None, {})
        # The last snapshot that those who follow equity were shown, and where they learn nothing
        # after it; None where that has not been asked.
        self._followed: Snapshot | None = None
        self._calm: Calm | None = None

    def observe(self, snapshot: Snapshot) -> list[Change]:
        """
        Show every guard a completed candle.

        The heartbeat is given last: a guard that fails leaves the previous one, and entries refuse.

        Returns
        -------
        list of Change
            Blocks that begin, or go on after the end that was announced.
        """
        return self._show(self.guards, snapshot, is_calm=False)

    def follow(
        self, snapshot: Snapshot, news: Collection[str] = (), *, is_calm: bool = False
    ) -> list[Change]:
        """
        The same for a candle of which not all guards can learn.

        Parameters
        ----------
        news : collection of str
            Guards for whom it brings some (see `news`, `due` and `of_trades`).
        is_calm : bool
            Whether those that follow equity are not asked beside them (see `calm`).
        """
        others = _NOBODY if is_calm else self._follow_equity
        if not news:
            return self._show(others, snapshot, is_calm=is_calm)
        asked = {n: g for n, g in self.guards.items() if n in news or n in others}
        return self._show(asked, snapshot, is_calm=is_calm)

    def _show(
        self, guards: Mapping[str, Guard], snapshot: Snapshot, *, is_calm: bool
    ) -> list[Change]:
        self.snapshot = None
        self._answered, self._floor = (None, {}), (None, None)
        for guard in guards.values():
            guard.observe(snapshot)
        objections = {name: self._objection(name, g, snapshot) for name, g in guards.items()}
        self._objections.update(objections)
        self.beginnings = self.beginnings.followed_by(objections)
        changes = self._changes(snapshot, objections)
        if not self._may_flatten.keys().isdisjoint(guards):
            may_flatten = self._may_flatten.items()
            self.flattens = next((name for name, g in may_flatten if g.flattens), None)
        self.snapshot = snapshot
        if not is_calm:
            self._followed, self._calm = snapshot, None
        return changes

    def calm(self) -> Calm:
        """
        Where a candle that brings no news may be shown later, or, where another one follows, never:
        no guard that follows equity would learn more from it than the latest and highest figure.
        """
        if self.snapshot is None or self._followed is None:
            return NOT_CALM
        if self._calm is None:
            self._calm = all_of(g.calm(self._followed) for g in self._follow_equity.values())
        return self._calm

    def news(self, market: CrossSection) -> dict[str, np.ndarray]:
        """By guard and candle of the axis, whether it may say something new for candles' sake."""
        following = {name: guard for name, guard in self.guards.items() if guard.follows_candles}
        return {name: guard.news(market) for name, guard in following.items()}

    def due(self, now: datetime) -> list[str] | None:
        """
        Guards of whose blocks the end has come, the announced one or their own; None (all) where
        nothing was seen.
        """
        if self.snapshot is None:
            return None
        if self._first_end > now:
            return []
        return [guard for (guard, _), end in self._ends.items() if end <= now]

    def flowed(self, factor: float) -> None:
        """Money came or went: what guards remember in quote currency is multiplied by `factor`."""
        for guard in self.guards.values():
            guard.flowed(factor)
        self._calm = None
        self._answered, self._floor = (None, {}), (None, None)
        self._objections = dict.fromkeys(self.guards, _NOT_KNOWN)

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
            return Verdict(Reason.GUARDS_SILENT, age_s, 0.0, 0.0)
        return self._answer(seen, pair)

    def last_verdict(self, pair: str) -> Verdict | None:
        """The same after the candle that the guards were shown last; None before the first."""
        return None if self.snapshot is None else self._answer(self.snapshot, pair)

    def _answer(self, seen: Snapshot, pair: str) -> Verdict:
        if self._answered[0] is not seen:
            self._answered = (seen, {})
        answers = self._answered[1]
        if pair not in answers:
            # Asked when an entry is sized, and again when it is sent.
            answers[pair] = self._strictest(seen, pair)
        return answers[pair]

    def _strictest(self, seen: Snapshot, pair: str) -> Verdict:
        asked = self._objecting(pair) if pair in seen.pairs else self.guards
        verdicts = {name: guard.verdict(seen, pair) for name, guard in asked.items()}
        strictest = compose(verdicts.values())
        if strictest.multiplier == 1:
            return strictest
        name = next(name for name, verdict in verdicts.items() if verdict is strictest)
        return self.beginnings.dated(name, pair, strictest)

    def _objecting(self, pair: str) -> dict[str, Guard]:
        """Guards that objected when they were asked last: the others have learnt nothing since."""
        guards = self.guards
        return {
            name: guards[name]
            for name, said in self._objections.items()
            if said and (ALL_PAIRS in said or pair in said)
        }

    def said(self, pairs: Iterable[str]) -> dict[str, dict[str, Verdict]]:
        """By pair, the present verdict of every guard by name; nothing before the first candle."""
        seen = self.snapshot
        if seen is None:
            return {pair: {} for pair in pairs}
        common = self.standing()
        single = {name: guard.pair_verdicts(seen) for name, guard in self.guards.items()}
        known = frozenset(seen.pairs)

        def of(name: str, pair: str) -> Verdict:
            if pair not in known:
                return self.beginnings.dated(name, pair, self.guards[name].verdict(seen, pair))
            own = single[name].get(pair)
            if own is None:
                return common[name]
            return compose((self.beginnings.dated(name, pair, own), common[name]))

        return {pair: {name: of(name, pair) for name in self.guards} for pair in pairs}

    def standing(self) -> dict[str, Verdict]:
        """Present verdict of every guard on the market as a whole, by name; for display."""
        if self.snapshot is None:
            return {}
        return {
            name: self.beginnings.dated(name, ALL_PAIRS, guard.market_verdict(self.snapshot))
            for name, guard in self.guards.items()
        }

    def heat_left(self, equity: float) -> float | None:
        """
        What all open positions together may lose at their stops, quote currency; None where no
        guard limits it.
        """
        if self.snapshot is None or self._floor[0] is not self.snapshot:
            floors = [guard.floor for guard in self._limit_heat.values()]
            known = [floor for floor in floors if floor is not None]
            self._floor = self.snapshot, max(known, default=None)
        floor = self._floor[1]
        return None if floor is None else equity - floor

    def recall(self, ends: Mapping[tuple[str, str], datetime]) -> None:
        """Take up what an earlier run announced: ends of blocks by guard and pair."""
        self._announced.update(ends)
        self._note_ends({})

    def forget(self) -> None:
        """Begin anew, as if nothing had ever been observed."""
        for guard in self.guards.values():
            guard.memory = type(guard.memory)()
        self._announced, self._ends, self._first_end = {}, {}, NEVER
        self.beginnings = Beginnings()
        self.snapshot = self._followed = self._calm = None
        self._objections = dict.fromkeys(self.guards, _NOT_KNOWN)
        self.flattens = None
        self.lifted = []

    def _changes(
        self, snapshot: Snapshot, objections: Mapping[str, Mapping[str, Verdict]]
    ) -> list[Change]:
        """Blocks of the guards asked that are not covered by what was announced before."""
        blocks = {
            (name, pair): verdict
            for name, verdicts in objections.items()
            for pair, verdict in verdicts.items()
            if verdict.blocks
        }
        known = self._announced
        # Not those of guards that have been switched off since: nobody else lifts them.
        unasked = self.guards.keys() - objections.keys()
        if not blocks and all(k[0] in unasked and end > snapshot.now for k, end in known.items()):
            self.lifted = []
            return []
        self._announced, self.lifted = {}, []
        for key, end in known.items():
            if end > snapshot.now and (key in blocks or key[0] in unasked):
                self._announced[key] = end
            elif end > snapshot.now:
                self.lifted.append(key)
        changes = []
        for key, verdict in blocks.items():
            if key not in self._announced:
                self._announced[key] = verdict.until or snapshot.now + UNTIL_LIFTED
                changes.append(Change(*key, self.beginnings.dated(*key, verdict)))
        self._note_ends(blocks)
        return changes

    def _note_ends(self, blocks: Mapping[tuple[str, str], Verdict]) -> None:
        """Of what is announced, when it ends by the blocks of the guards asked now."""
        before = self._ends
        self._ends = {
            key: min(end, blocks[key].until or end) if key in blocks else before.get(key, end)
            for key, end in self._announced.items()
        }
        self._first_end = min(self._ends.values(), default=NEVER)

    def _objection(self, name: str, guard: Guard, snapshot: Snapshot) -> Mapping[str, Verdict]:
        common = guard.market_verdict(snapshot)
        if common.blocks:
            return {ALL_PAIRS: common}
        single = guard.pair_verdicts(snapshot) if name in self._judge_pairs else _NOTHING
        return single if common.multiplier == 1 else {**single, ALL_PAIRS: common}


def _overriding(guards: Mapping[str, Guard], method: str) -> dict[str, Guard]:
    """Guards with a method of their own."""
    base = getattr(Guard, method)
    return {name: g for name, g in guards.items() if getattr(type(g), method) is not base}
