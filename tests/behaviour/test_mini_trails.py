"""Each way in which a stop follows the price, through Freqtrade's own backtester and live.

Bought at row 3 of every story, for 101 after a signal candle that closed at 100.9 with an ATR of 1:
the first stop is four ATR below that signal.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ballast.core.events import Event, EventKind
from ballast.core.reasons import Reason
from ballast.core.stops import StopRules
from ballast.core.trails import ParabolicSar
from ballast.journal.reader import Reader
from ballast.strategy.guarded import GuardedStrategy
from tests.behaviour.live_story import Told, story_run
from tests.behaviour.mini import Mini, Story, at, play, quiet, seen, signal
from tests.engine import BacktestOutcome
from tests.journals import journal_in

BOUGHT: Story = [*quiet(2), signal(), (101, 101.4, 100.8, 101.2)]
# Up in steps with a pause every few hours, so that there are swing lows; then down.


def _level(hour: int) -> float:
    return 101.2 + 0.5 * hour - (1.6 if hour % 6 in (4, 5) else 0)


PATH = [(_level(hour), _level(hour + 1)) for hour in range(24)]
RISE: Story = [
    (opens, max(opens, ends) + 0.3, min(opens, ends) - 0.3, ends) for opens, ends in PATH
]
FALL: Story = [(113.2, 113.3, 110.6, 110.8), (110.8, 110.9, 104, 104.4), (104.4, 104.5, 95, 96)]
STORY: Story = [*BOUGHT, *RISE, *FALL, *quiet(2, 96)]

STEP = 0.005
RULES: dict[str, dict[str, Any]] = {
    Reason.ATR_TRAIL: {"trail_atr": 3},
    Reason.PERCENT_TRAIL: {"trail_pct": 3},
    Reason.PARABOLIC_SAR: {"sar_step": STEP},
    Reason.SWING_LOW: {"swing_low": "2h"},
}
Moves = list[tuple[datetime, float, str]]


def trailing(code: str) -> type[GuardedStrategy]:
    class Trailing(Mini):
        stops = StopRules(initial_atr=4, **RULES[code])

    return Trailing


def moves(events: Sequence[Event]) -> Moves:
    """When the stop went where, and by what; to the hour, as candles tell it."""
    told = [event for event in events if event.kind is EventKind.STOP]
    # The journal keeps ten digits.
    return [
        (e.at.replace(minute=0, second=0, microsecond=0), round(e.value, 5), e.code) for e in told
    ]


def backtested(code: str, folder: Path) -> tuple[BacktestOutcome, Moves]:
    outcome = play(
        STORY,
        trailing(code),
        ballast={"journal": {"backtest": True}},
        config={"user_data_dir": folder},
    )
    _, events = Reader(folder / "ballast_journal.backtest.sqlite").life(1)
    return outcome, moves(events)


def expected(code: str, outcome: BacktestOutcome) -> dict[int, float]:
    """By row, where its formula would have the stop when the row has completed."""
    rows = {n: seen(outcome, n) for n in range(-1, len(STORY) - 2)}
    first = float(rows[2]["close"] - 4 * rows[2]["atr"])
    sar, highest, levels = ParabolicSar(first, 101.0, STEP), 101.0, dict[int, float]()
    for n in range(3, len(STORY) - 2):
        row, before = rows[n], rows[n - 1]
        highest = max(highest, row["close"])
        around = [rows[m]["low"] for m in range(n - 4, n + 1)]
        is_swing = around[2] == min(around)
        of: dict[str, float] = {
            Reason.ATR_TRAIL: row["close"] - 3 * row["atr"],
            Reason.PERCENT_TRAIL: highest * 0.97,
            Reason.PARABOLIC_SAR: sar.advance(row["high"], min(row["low"], before["low"]), STEP),
            Reason.SWING_LOW: around[2] if is_swing else 0.0,
        }
        levels[n] = of[code]
    return levels


@pytest.mark.parametrize("code", RULES)
def test_the_stop_stands_where_its_formula_has_it_after_every_candle(
    code: str, tmp_path: Path
) -> None:
    outcome, told = backtested(code, tmp_path)
    (first, *raised), levels = told, expected(code, outcome)
    assert (first[2], first[0]) == (Reason.FIRST_STOP, at(3))
    assert len(raised) >= 3
    assert {by for *_, by in raised} == {code}
    stop, found = first[1], {moment: level for moment, level, _ in raised}
    end = outcome.trades.iloc[0].close_date
    for row, level in levels.items():
        if at(row + 1) < end:
            assert found.get(at(row + 1), stop) == pytest.approx(max(stop, level), abs=1e-5), row
            stop = max(stop, level)
    (trade,) = outcome.trades.itertuples()
    assert trade.exit_reason == "trailing_stop_loss"
    # On a candle that reaches the old stop Freqtrade moves none.
    assert trade.close_rate >= raised[0][1]


def lived(told: Told, hours: int) -> Moves:
    told.loops(3)
    told.hours(hours)
    return moves(told.events)


def test_a_bot_moves_the_stop_as_its_backtest_does_across_a_restart(tmp_path: Path) -> None:
    """By the trail that remembers most: the others follow from the candles."""
    code = Reason.PARABOLIC_SAR
    _, in_backtest = backtested(code, tmp_path / "backtest")
    hours = 20
    with story_run(tmp_path / "bot", STORY, trailing(code)) as told:
        lived(told, hours // 2)
        told.run.killed()
        told.run.started()
        told.listen()
        live = lived(told, hours // 2)
        ends = at(3 + hours - 1)
        tick = 0.01
        until = [(moment, by) for moment, _, by in in_backtest if moment <= ends]
        assert len(until) >= 4
        assert [(moment, by) for moment, _, by in live if moment <= ends] == until
        levels = [level for moment, level, _ in live if moment <= ends]
        assert levels == pytest.approx([m[1] for m in in_backtest[: len(levels)]], abs=tick)
        drawn = told.run.bot.rpc._rpc._rpc_analysed_dataframe(told.trade.pair, "1h", 50, None)
        steps = [round(line["y_start"], 5) for line in drawn["annotations"] if "y_start" in line]
        assert set(levels) <= set(steps)
        _, kept = Reader(journal_in(tmp_path / "bot")).life(told.trade.id)
        assert moves(kept) == live
