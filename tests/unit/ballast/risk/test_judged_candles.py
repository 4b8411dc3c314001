"""Candles that guards are not shown, or shown later: what they say and remember is the same."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from ballast.config.guards import GuardSettings
from ballast.core.columns import CandleColumns, ColumnsByPair
from ballast.core.guard_set import Change, GuardSet
from ballast.core.guards.rolling_drawdown_limit import RollingMemory
from ballast.core.snapshot import ClosedTrade, Snapshot
from ballast.core.verdict import Verdict
from ballast.data.market_view import MARKET, MarketView
from ballast.risk.judged_candles import JudgedCandles

START, HOUR = datetime(2024, 1, 3, tzinfo=UTC), timedelta(hours=1)
COUNT = 24 * 60
PAIR = "A/USDT"
# By guard: settings that are met by an account that moves by half a percent an hour.
GUARDS: dict[str, dict[str, Any]] = {
    "DailyLossLimit": {"reducing_pct": 1.5, "halted_pct": 3.0},
    "WeeklyLossLimit": {"reducing_pct": 3.0, "halted_pct": 6.0},
    "DrawdownLadder": {"halt_days": 2.0},
    "DrawdownLimit": {"limit_pct": 30.0, "near_pct": 12.0},
    "RollingDrawdownLimit": {"limit_pct": 8.0, "window_days": 5},
    "StopCascadeHalt": {"losses": 2, "window_hours": 120.0},
    "LossStreakBackoff": {"pair_losses": 1, "all_losses": 2},
}


class Told:
    """Locks and announcements, in order."""

    def __init__(self) -> None:
        self.said: list[tuple[Any, ...]] = []

    def add(self, change: Change, now: datetime) -> None:
        self.said.append((now, change))

    def lift(self, keys: Iterable[tuple[str, str]], now: datetime) -> None:
        self.said += [(now, key) for key in keys]


def guard_set(*names: str) -> GuardSet:
    settings = GuardSettings.model_validate({name: GUARDS[name] for name in names})
    built = settings.build(60)
    return GuardSet({name: built[name] for name in names})


def market() -> MarketView:
    """One pair, the leader too, of which every candle is sound."""
    dates = np.array([int(START.timestamp()) + 3600 * at for at in range(-1, COUNT)]) * 10**9
    calm = {name: np.zeros(COUNT + 1) for name in ("trust", "cooldown", "intensity", "fall")}
    known = ColumnsByPair()
    known[MARKET] = known[PAIR] = CandleColumns(dates, "1h", calm)
    return MarketView(known, lambda: [PAIR])


class Account:
    """Candle by candle: spells of holding something, and the equity, which moves in them alone."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.equity, self.held = 1_000.0, False

    def next(self, now: datetime) -> tuple[bool, float, tuple[ClosedTrade, ...]]:
        """Whether something is held, the equity (at times unknown), and what has closed."""
        random, closed = self.random, list[ClosedTrade]()
        if self.held:
            self.equity *= float(np.exp(0.006 * random.standard_normal()))
        # Spells of some hours to some days.
        if random.random() < (0.1 if self.held else 0.03):
            if self.held:
                # Or two: a win, and a loss that begins a shorter pause than the one that holds.
                for _ in range(random.integers(1, 3)):
                    closed.append(ClosedTrade(PAIR, now, float(random.normal())))
            self.held = not self.held
        known = self.equity if not self.held or random.random() > 0.002 else np.nan
        return self.held, float(known), tuple(closed)


def remembered(guards: GuardSet) -> list[Any]:
    """What guards know; of the days of flat spells the newest alone is kept of a high."""
    memories = [guard.memory for guard in guards.guards.values()]
    return [
        (m.drawdown_pct, max(m.highs.values())) if isinstance(m, RollingMemory) else m
        for m in memories
    ]


def decided(verdict: Verdict) -> Verdict:
    """What an entry gets; the figure that a cut is told with may be that of an earlier candle."""
    return verdict if verdict.blocks else replace(verdict, value=0.0)


def played(names: tuple[str, ...], seed: int) -> tuple[list[tuple[Any, ...]], int]:
    """What was told of an account, once it is seen to be right, and how many candles were calm."""
    every, some, told, expected = guard_set(*names), guard_set(*names), Told(), Told()
    view = market()
    judged = JudgedCandles(some, view, told, lambda _: None, lambda _: 0)  # type: ignore[arg-type]
    account, asks, calm, was_held = Account(seed), np.random.default_rng(seed), 0, False
    for at in range(COUNT):
        now = START + at * HOUR
        held, equity, closed = account.next(now)
        left = every.heat_left(equity)
        changes = every.observe(Snapshot(now, equity, closed, view.row(now), (PAIR,), 0, 0.0))
        expected.said += [(now, said) for said in (*every.lifted, *changes)]
        due = some.due(now)
        news = None if due is None else due + (some.of_trades if closed else [])
        if news == [] and not closed and (not held or judged.is_calm(equity, now)):
            judged.defer(now, equity if held else None)
            calm += 1
        else:
            judged.closed(closed)
            judged.catch_up_before(equity, now)
            # Stops are held before the guards are shown the candle.
            assert not (held and equity == equity) or some.heat_left(equity) == left
            judged.show(equity, now, news)
        # Who enters asks; so does, now and then, who does not.
        entered, was_held = held and not was_held, held
        if entered or asks.random() < 0.2:
            if equity == equity:
                assert judged.heat_left(equity) == every.heat_left(equity)
            assert decided(judged.entry_verdict(PAIR, now)) == decided(
                every.entry_verdict(PAIR, now)
            )
        if asks.random() < 0.1:
            judged.catch_up()
            assert some.standing() == every.standing()
            assert remembered(some) == remembered(every)
            assert some.beginnings == every.beginnings
        # Stops are held to it while something is open.
        if held and equity == equity:
            assert some.heat_left(equity) == every.heat_left(equity)
    assert sorted(map(str, told.said)) == sorted(map(str, expected.said))
    return told.said, calm


@pytest.mark.parametrize("names", [*((name,) for name in GUARDS), tuple(GUARDS)])
def test_guards_say_and_know_the_same_as_if_they_had_been_shown_every_candle(
    names: tuple[str, ...],
) -> None:
    stories = [played(names, seed) for seed in range(6)]
    assert any(said for said, _ in stories)
    assert min(calm for _, calm in stories) > COUNT / 2


def judged_by(*names: str) -> tuple[GuardSet, JudgedCandles]:
    guards = guard_set(*names)
    return guards, JudgedCandles(guards, market(), Told(), lambda _: None, lambda _: 0)  # type: ignore[arg-type]


def test_a_high_that_was_not_shown_counts_though_the_next_equity_is_not_known() -> None:
    guards, judged = judged_by("RollingDrawdownLimit")
    judged.show(1_000.0, START, None)
    judged.show(900.0, START + timedelta(days=1), None)
    judged.defer(START + timedelta(days=1, hours=1), 990.0)
    judged.catch_up_before(np.nan, START + timedelta(days=1, hours=2))
    judged.show(np.nan, START + timedelta(days=1, hours=2), [])
    judged.show(950.0, START + timedelta(days=1, hours=3), [])
    assert list(guards.guards["RollingDrawdownLimit"].memory.highs.values()) == [1_000.0, 990.0]


def test_a_high_that_was_not_shown_counts_though_the_next_candle_fails() -> None:
    guards, judged = judged_by("RollingDrawdownLimit")
    judged.show(1_000.0, START, None)
    judged.show(900.0, START + timedelta(days=1), None)
    judged.defer(START + timedelta(days=1, hours=1), 990.0)
    judged.silence()
    last = START + timedelta(days=1, hours=3)
    judged.catch_up_before(950.0, last)
    judged.show(950.0, last, None)
    assert list(guards.guards["RollingDrawdownLimit"].memory.highs.values()) == [1_000.0, 990.0]


def test_a_high_that_was_not_shown_counts_though_a_guard_fails_where_it_is_shown() -> None:
    guards, judged = judged_by("DailyLossLimit", "RollingDrawdownLimit")
    judged.show(1_000.0, START, None)
    judged.show(900.0, START + timedelta(days=1), None)
    judged.defer(START + timedelta(days=1, hours=1), 990.0)
    with (
        patch.object(guards.guards["DailyLossLimit"], "observe", side_effect=MemoryError),
        pytest.raises(MemoryError),
    ):
        judged.show(940.0, START + timedelta(days=1, hours=2), None)
    judged.silence()
    judged.show(950.0, START + timedelta(days=1, hours=3), None)
    assert list(guards.guards["RollingDrawdownLimit"].memory.highs.values()) == [1_000.0, 990.0]


def test_a_day_begins_with_what_it_began_with_though_the_next_candle_fails() -> None:
    """An entry rested over midnight: the candle there is not shown, and the one after fails."""
    guards, judged = judged_by("DailyLossLimit")
    judged.show(1_000.0, START, None)
    judged.defer(START + timedelta(days=1))
    judged.silence()
    last = START + timedelta(days=1, hours=2)
    judged.catch_up_before(980.0, last)
    judged.show(980.0, last, None)
    assert guards.guards["DailyLossLimit"].memory.start_equity == 1_000.0
    assert judged.entry_verdict(PAIR, last).blocks


@pytest.mark.parametrize("asks_heat", [False, True])
def test_a_candle_that_failed_after_it_was_deferred_is_none_to_enter_on(asks_heat: bool) -> None:
    _, judged = judged_by("DailyLossLimit")
    judged.show(1_000.0, START, None)
    judged.defer(START + HOUR)
    judged.silence()
    if asks_heat:
        judged.heat_left(1_000.0)
    assert judged.entry_verdict(PAIR, START + HOUR).blocks
