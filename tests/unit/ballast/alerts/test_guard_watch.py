"""A guard that changes the size of entries is told once for each change."""

from ballast.alerts.guard_watch import GuardWatch
from ballast.core.guard_set import GuardSet
from ballast.core.verdict import Verdict


class Standing(GuardSet):
    """A guard set that says what a test wants."""

    def __init__(self) -> None:
        super().__init__({})
        self.says: dict[str, Verdict] = {}

    def standing(self) -> dict[str, Verdict]:
        return self.says


def test_each_cut_of_the_size_and_its_return_are_told_once() -> None:
    guard_set, told = Standing(), list[str]()
    watch = GuardWatch(guard_set, told.append)
    for multiplier in (1.0, 0.78, 0.78, 0.56, 1.0, 1.0):
        guard_set.says = {"DrawdownLadder": Verdict("DRAWDOWN", 2.1, 2.0, multiplier)}
        watch.look()
    assert [text.partition(": DRAWDOWN")[0] for text in told] == [
        "DrawdownLadder: entries are cut to 78 % of their size",
        "DrawdownLadder: entries are cut to 56 % of their size",
        "DrawdownLadder: entries have their full size again",
    ]
    assert "DRAWDOWN 2.1 % (limit 2 %)" in told[0]


def test_a_block_is_not_told_again() -> None:
    """It is a lock and a message of its own."""
    guard_set, told = Standing(), list[str]()
    guard_set.says = {"DailyLossLimit": Verdict("DAILY_LOSS", 3.1, 3.0, 0.0)}
    GuardWatch(guard_set, told.append).look()
    assert told == []
