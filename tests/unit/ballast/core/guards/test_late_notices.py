"""Trades that are noticed in another order than they closed in leave every guard as it would be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.config.guards import GuardSettings
from ballast.core.guards.base import Guard
from ballast.core.guards.edge_decay import DecayMemory, EdgeDecaySettings
from ballast.core.guards.loss_streak_backoff import Streak, StreakMemory
from tests.unit.ballast.core.made import restarted, seen, trade

SETTINGS = GuardSettings(EdgeDecay=EdgeDecaySettings(mean_r=2.0, sd_r=0.5, trades=500))
NAMES = ("StopCascadeHalt", "LossStreakBackoff", "EdgeDecay")
# Quarters of an hour since the start, and results in R. Over no more time than a halt of a cascade
# lasts: what is noticed later than that blocks nothing any more.
CLOSED = st.lists(
    st.tuples(st.integers(0, 47), st.sampled_from([-1.0, -1.0, -1.0, -0.1, 0.5, 3.0])),
    min_size=2,
    max_size=15,
)


def shown(name: str, closed: list[tuple[int, float]], *, restart: int = -1) -> Guard:
    """A guard that has been shown these trades, one at a candle."""
    guard = SETTINGS.build(60)[name]
    for number, (quarters, r) in enumerate(closed):
        if number == restart:
            guard = restarted(guard, SETTINGS.build(60)[name])
        guard.observe(seen(20 + number, closed=[trade(quarters / 4, r)]))
    return guard


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=300, deadline=None)
@given(CLOSED, st.randoms(use_true_random=False), st.integers(0, 14))
def test_the_order_in_which_trades_are_noticed_does_not_matter(
    name: str, closed: list[tuple[int, float]], random: object, restart: int
) -> None:
    mixed = list(closed)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert shown(name, mixed, restart=restart).memory == shown(name, sorted(closed)).memory


def test_a_stop_that_is_noticed_late_does_not_shorten_the_halt_of_a_cascade() -> None:
    """Four stops fill at 05:00, 05:10, 05:30 and 05:34; the third is heard of last."""
    at = (5.0, 5 + 1 / 6, 5 + 34 / 60, 5.5)
    guard = SETTINGS.build(60)["StopCascadeHalt"]
    for hours in at:
        guard.observe(seen(6, closed=[trade(hours, -1.0)]))
    until = guard.market_verdict(seen(6)).until
    assert until == seen(5 + 34 / 60 + 12).now


def test_a_loss_before_a_win_that_is_noticed_after_it_begins_no_streak() -> None:
    guard = SETTINGS.build(60)["LossStreakBackoff"]
    for hours, r in ((1.0, -1.0), (2.0, -1.0), (4.0, 1.0), (3.0, -1.0)):
        guard.observe(seen(5, closed=[trade(hours, r)]))
    assert guard.memory.all.losses == 0
    assert not guard.verdict(seen(5), "A/USDT").blocks


def test_memories_from_before_the_order_was_kept_go_on() -> None:
    streak = SETTINGS.build(60)["LossStreakBackoff"]
    streak.memory = StreakMemory(pairs={"A/USDT": Streak(losses=2)})
    streak.observe(seen(2, closed=[trade(1, -1.0)]))
    assert streak.verdict(seen(2), "A/USDT").value == 3
    decay = SETTINGS.build(60)["EdgeDecay"]
    decay.memory = DecayMemory(score=2.5, step=1, trades=70)
    decay.observe(seen(2, closed=[trade(1, -1.0)]))
    assert decay.memory.score > 2.5
    assert decay.memory.trades == 71
