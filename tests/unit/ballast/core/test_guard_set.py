"""The guard set keeps the strictest answer, and a guard that fails leaves entries refused."""

import math
from collections.abc import Callable, Mapping
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.core.guard_set import GuardSet
from ballast.core.guards.base import Guard
from ballast.core.guards.loss_streak_backoff import LossStreakBackoff
from ballast.core.reasons import Reason
from ballast.core.snapshot import Snapshot
from ballast.core.verdict import ALL_PAIRS, ALLOW, Verdict
from tests.unit.ballast.core.made import moment, seen, trade

PAIR = "A/USDT"
FIRST = seen(1)


class Fixed(Guard):
    """Answers what it was told to."""

    code = Reason.DRAWDOWN

    def __init__(
        self,
        multiplier: float = 1.0,
        until: datetime | None = None,
        pairs: Mapping[str, float] | None = None,
    ) -> None:
        self.multiplier, self.until, self.pairs = multiplier, until, pairs or {}
        self.value, self.limit = 1.0, 0.0
        self.fails = False
        self.closes = False

    def observe(self, snapshot: Snapshot) -> None:
        if self.fails:
            raise RuntimeError("broken")

    def market_verdict(self, snapshot: Snapshot) -> Verdict:
        return Verdict(self.code, self.value, self.limit, self.multiplier, self.until)

    def pair_verdicts(self, snapshot: Snapshot) -> Mapping[str, Verdict]:
        numbers = (self.value, self.limit)
        return {p: Verdict(self.code, *numbers, m, self.until) for p, m in self.pairs.items()}

    @property
    def flattens(self) -> bool:
        return self.closes


def guard_set(*guards: Guard) -> GuardSet:
    return GuardSet({f"guard{i}": guard for i, guard in enumerate(guards)})


def allowed(*guards: Guard, pair: str = PAIR) -> float:
    """Size that guards allow."""
    stop_manager = guard_set(*guards)
    stop_manager.observe(FIRST)
    verdict = stop_manager.entry_verdict(pair, moment(1))
    return 0.0 if verdict.blocks else verdict.multiplier


def test_guards_that_allow_let_a_pair_in_at_full_size() -> None:
    assert allowed(Fixed(), Fixed()) == 1.0


def test_no_guards_allow_once_a_candle_was_seen() -> None:
    assert allowed() == 1.0


def test_the_strictest_guard_decides() -> None:
    assert allowed(Fixed(0.5), Fixed(0.3), Fixed()) == 0.3
    assert allowed(Fixed(0.5), Fixed(0.0)) == 0.0


def test_a_verdict_on_a_pair_binds_that_pair_alone() -> None:
    guards = Fixed(0.9, pairs={PAIR: 0.0}), Fixed(pairs={"B/USDT": 0.5})
    assert allowed(*guards) == 0.0
    assert allowed(*guards, pair="B/USDT") == 0.5
    assert allowed(*guards, pair="C/USDT") == 0.9


GUARDS = st.builds(
    Fixed,
    st.floats(0, 1) | st.just(math.nan),
    pairs=st.dictionaries(st.sampled_from([PAIR, "B/USDT"]), st.floats(0, 1)),
)


@settings(max_examples=500)
@given(st.lists(GUARDS, max_size=6), GUARDS)
def test_another_guard_never_raises_the_size(guards: list[Fixed], further: Fixed) -> None:
    assert allowed(*guards, further) <= allowed(*guards)
    assert allowed(*guards, further) == allowed(*reversed(guards), further)


def test_entries_are_blocked_before_the_first_candle_was_seen() -> None:
    verdict = guard_set(Fixed()).entry_verdict(PAIR, moment(1))
    assert verdict.blocks
    assert (verdict.code, verdict.value) == ("GUARDS_SILENT", math.inf)


@pytest.mark.parametrize("hours", [0.999, 1.001, 2.0, -5.0])
def test_entries_are_blocked_on_any_candle_but_the_one_seen_last(hours: float) -> None:
    stop_manager = guard_set(Fixed())
    stop_manager.observe(seen(1))
    verdict = stop_manager.entry_verdict(PAIR, moment(hours))
    assert verdict.blocks
    assert verdict.code == "GUARDS_SILENT"
    assert verdict.value == pytest.approx(3600 * (hours - 1))


@pytest.mark.parametrize("position", [0, 1])
def test_a_guard_that_fails_blocks_until_it_works_again(position: int) -> None:
    guards = [Fixed(), Fixed()]
    stop_manager = guard_set(*guards)
    stop_manager.observe(seen(1))
    guards[position].fails = True
    with pytest.raises(RuntimeError):
        stop_manager.observe(seen(2))
    for hours in (1, 2):
        assert stop_manager.entry_verdict(PAIR, moment(hours)).code == "GUARDS_SILENT"
    assert stop_manager.standing() == {}
    guards[position].fails = False
    stop_manager.observe(seen(3))
    assert not stop_manager.entry_verdict(PAIR, moment(3)).blocks


class Counting(Fixed):
    """Counts how often it is asked about entries."""

    asked = 0

    def verdict(self, snapshot: Snapshot, pair: str) -> Verdict:
        self.asked += 1
        return super().verdict(snapshot, pair)


def test_an_entry_that_was_sized_asks_no_guard_again_when_it_is_sent() -> None:
    guard = Counting(0.5)
    guards = guard_set(guard)
    guards.observe(seen(1))
    assert guards.entry_verdict(PAIR, moment(1)) == guards.entry_verdict(PAIR, moment(1))
    assert guard.asked == 1
    guards.entry_verdict("B/USDT", moment(1))
    assert guard.asked == 2


@pytest.mark.parametrize(
    "happens",
    [
        lambda guards: guards.observe(seen(2)),
        lambda guards: guards.follow(seen(2)),
        lambda guards: guards.observe(guards.snapshot),
        lambda guards: guards.flowed(0.5),
    ],
    ids=["all see a candle", "some see a candle", "they see it again", "money leaves"],
)
def test_nothing_that_guards_learn_leaves_an_older_answer(
    happens: Callable[[GuardSet], object],
) -> None:
    guard = Fixed()
    guards = guard_set(guard)
    guards.observe(seen(1))
    assert not guards.entry_verdict(PAIR, moment(1)).blocks
    guard.multiplier = 0.0
    happens(guards)
    assert guards.snapshot is not None
    assert guards.entry_verdict(PAIR, guards.snapshot.now).blocks


def test_a_block_is_told_when_it_begins_and_again_when_it_outlasts_its_end() -> None:
    guard = Fixed(0.0, moment(3))
    stop_manager = guard_set(guard)
    first = stop_manager.observe(seen(1))
    (change,) = first
    assert (change.guard, change.pair, change.verdict.until) == ("guard0", ALL_PAIRS, moment(3))
    assert stop_manager.observe(seen(2)) == []
    guard.until = moment(5)
    assert [change.verdict.until for change in stop_manager.observe(seen(3))] == [moment(5)]


def test_a_block_without_an_end_is_told_once_a_day() -> None:
    stop_manager = guard_set(Fixed(0.0))
    assert [len(stop_manager.observe(seen(h))) for h in (1, 2, 24, 25, 26)] == [1, 0, 0, 1, 0]


def test_a_smaller_size_is_no_block_to_be_told() -> None:
    assert guard_set(Fixed(0.5)).observe(seen(1)) == []


def test_blocks_of_pairs_are_told_by_pair_and_covered_by_one_of_the_market() -> None:
    guard = Fixed(pairs={PAIR: 0.0, "B/USDT": 0.0}, until=moment(9))
    stop_manager = guard_set(guard)
    assert [change.pair for change in stop_manager.observe(seen(1))] == [PAIR, "B/USDT"]
    guard.multiplier = 0.0
    assert [change.pair for change in stop_manager.observe(seen(2))] == [ALL_PAIRS]


def test_guards_are_told_apart() -> None:
    stop_manager = guard_set(Fixed(0.0, moment(9)), Fixed(0.0, moment(9)))
    assert [change.guard for change in stop_manager.observe(seen(1))] == ["guard0", "guard1"]


def test_standing_gives_every_guards_verdict_on_the_market() -> None:
    stop_manager = guard_set(Fixed(0.5), Guard())
    assert stop_manager.standing() == {}
    stop_manager.observe(seen(1))
    standing = stop_manager.standing()
    assert standing["guard0"].multiplier == 0.5
    assert standing["guard1"] is ALLOW


def test_a_guard_that_flattens_is_named() -> None:
    one, other = Fixed(), Fixed()
    stop_manager = guard_set(one, other)
    assert stop_manager.flattens is None
    other.closes = True
    stop_manager.observe(seen(1))
    assert stop_manager.flattens == "guard1"


def test_a_block_that_ends_before_its_time_is_lifted_once_and_told_anew_if_it_returns() -> None:
    guard = Fixed(0.0, moment(9))
    stop_manager = guard_set(guard)
    stop_manager.observe(seen(1))
    assert stop_manager.lifted == []
    guard.multiplier = 1.0
    assert stop_manager.observe(seen(2)) == []
    assert stop_manager.lifted == [("guard0", ALL_PAIRS)]
    stop_manager.observe(seen(3))
    assert stop_manager.lifted == []
    guard.multiplier = 0.0
    assert len(stop_manager.observe(seen(4))) == 1


def test_a_block_that_ends_with_its_time_is_not_lifted() -> None:
    guard = Fixed(0.0, moment(3))
    stop_manager = guard_set(guard)
    stop_manager.observe(seen(1))
    guard.multiplier = 1.0
    stop_manager.observe(seen(3))
    assert stop_manager.lifted == []


def test_a_guard_whose_block_has_become_shorter_is_due_at_its_own_end() -> None:
    guard = Fixed(0.0, until=moment(10))
    guards = guard_set(guard, Fixed())
    guards.observe(seen(1))
    guard.until = moment(4)
    guards.observe(seen(2))
    guards.follow(seen(3), ["guard1"], is_calm=True)
    assert guards.due(moment(3)) == []
    assert guards.due(moment(4)) == ["guard0"]


def test_a_block_told_before_a_restart_is_not_told_again_until_its_end() -> None:
    stop_manager = guard_set(Fixed(0.0, moment(3)))
    stop_manager.recall({("guard0", ALL_PAIRS): moment(3)})
    assert stop_manager.observe(seen(2)) == []
    assert len(stop_manager.observe(seen(3))) == 1


def test_a_block_told_before_a_restart_that_is_over_is_lifted() -> None:
    stop_manager = guard_set(Fixed())
    stop_manager.recall({("guard0", ALL_PAIRS): moment(9)})
    stop_manager.observe(seen(2))
    assert stop_manager.lifted == [("guard0", ALL_PAIRS)]


def test_to_begin_anew_forgets_memories_and_what_was_told() -> None:
    guard = LossStreakBackoff(1, 9, loss_r=0.5, pause_hours=9, longest_hours=9)
    stop_manager = guard_set(guard)
    assert len(stop_manager.observe(seen(1, closed=[trade(1, -1.0)]))) == 1
    stop_manager.forget()
    assert guard.memory == type(guard.memory)()
    assert stop_manager.observe(seen(0)) == []
    assert stop_manager.lifted == []


def test_to_begin_anew_blocks_until_the_first_candle_is_seen() -> None:
    stop_manager = guard_set(Fixed())
    stop_manager.observe(seen(1))
    stop_manager.forget()
    assert stop_manager.entry_verdict(PAIR, moment(1)).blocks


def test_a_block_remembers_the_value_it_began_with() -> None:
    """Under hysteresis the present value is below the limit, and says nothing by itself."""
    guard = Fixed(0.0)
    guards = guard_set(guard)
    guard.value = 1.6
    (change,) = guards.observe(seen(1))
    assert change.verdict.began == 1.6
    guard.value = 0.62
    guards.observe(seen(2))
    for verdict in (
        guards.standing()["guard0"],
        guards.said([PAIR])[PAIR]["guard0"],
        guards.entry_verdict(PAIR, moment(2)),
    ):
        assert (verdict.began, verdict.value) == (1.6, 0.62)


def test_a_block_of_a_pair_that_ends_is_forgotten() -> None:
    guard = Fixed(pairs={PAIR: 0.0})
    guards = guard_set(guard)
    guard.value = 1.6
    guards.observe(seen(1))
    guard.pairs = {}
    guards.observe(seen(2))
    guard.pairs, guard.value = {PAIR: 0.0}, 1.2
    guards.observe(seen(3))
    assert guards.said([PAIR])[PAIR]["guard0"].began == 1.2


def test_a_step_to_another_limit_begins_anew() -> None:
    guard = Fixed(0.5)
    guards = guard_set(guard)
    guard.value = 2.1
    guards.observe(seen(1))
    guard.value, guard.limit = 3.3, 3.0
    guards.observe(seen(2))
    assert guards.standing()["guard0"].began == 3.3
