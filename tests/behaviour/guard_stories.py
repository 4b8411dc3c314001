"""A story for every guard: it ends in an entry which that guard refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.behaviour.mini import LEADER, OTHER, PAIR, Story, quiet, signal
from tests.engine import Row

THIRD = "XRP/USDT"
# Bought at row 3 and stopped out on row 4, for a loss of one R.
STOPPED_OUT: list[Row] = [
    *quiet(2),
    signal(),
    (101, 101.4, 100.8, 101.2),
    (101.2, 101.3, 96, 96.5),
    *quiet(4, 96.5),
]


@dataclass(frozen=True)
class Case:
    """
    A story that ends in an entry which the guard refuses.

    Parameters
    ----------
    entry : pair and row at which it is bought without the guard.
    locked : the pair that is locked, '*' for all.
    until : row before which the lock ends; None where it is renewed candle by candle, or ends by a
        person alone.
    """

    stories: Mapping[str, Story]
    entry: tuple[str, int]
    code: str
    locked: str
    until: int | None
    settings: Mapping[str, Any] = field(default_factory=dict)
    also_off: tuple[str, ...] = ()


LATER: list[Row] = [*quiet(8), signal(), *quiet(3, 101)]
HOLE: list[Row] = [*quiet(4), *[None] * 6, *quiet(3)]

CASES: dict[str, Case] = {
    "VolatilityCooldown": Case(
        {PAIR: [*quiet(2), (100, 103, 97, 100), *quiet(5), signal(), *quiet(3, 101)]},
        entry=(PAIR, 9),
        code="VOLATILITY",
        locked=PAIR,
        until=3 + 48,
    ),
    "MarketShockHalt": Case(
        {LEADER: [*quiet(6), (99.9, 100, 92.5, 93), *quiet(6, 93)], PAIR: LATER},
        entry=(PAIR, 9),
        code="MARKET_SHOCK",
        locked="*",
        until=None,
    ),
    "StopCascadeHalt": Case(
        {PAIR: STOPPED_OUT, OTHER: STOPPED_OUT, THIRD: LATER},
        entry=(THIRD, 9),
        code="STOP_CASCADE",
        locked="*",
        until=4 + 12,
        settings={"losses": 2},
    ),
    "LossStreakBackoff": Case(
        {PAIR: [*STOPPED_OUT, (96.5, 101, 96.4, 100.9), *quiet(3, 101)]},
        entry=(PAIR, 10),
        code="LOSS_STREAK",
        locked=PAIR,
        until=4 + 12,
        settings={"pair_losses": 1},
        also_off=("VolatilityCooldown",),
    ),
    "DailyLossLimit": Case(
        {PAIR: STOPPED_OUT, THIRD: LATER},
        entry=(THIRD, 9),
        code="DAILY_LOSS",
        locked="*",
        until=24,
        settings={"reducing_pct": 0.3},
    ),
    "WeeklyLossLimit": Case(
        {PAIR: STOPPED_OUT, THIRD: LATER},
        entry=(THIRD, 9),
        code="WEEKLY_LOSS",
        locked="*",
        # Row 0 is a Friday: the week ends three days later.
        until=72,
        settings={"reducing_pct": 0.3},
    ),
    "DrawdownLadder": Case(
        {PAIR: STOPPED_OUT, THIRD: LATER},
        entry=(THIRD, 9),
        code="DRAWDOWN",
        locked="*",
        until=5 + 7 * 24,
        settings={"steps": [], "halt_pct": 0.3},
    ),
    "DrawdownLimit": Case(
        {PAIR: STOPPED_OUT, THIRD: LATER},
        entry=(THIRD, 9),
        code="DRAWDOWN_LIMIT",
        locked="*",
        until=None,
        settings={"limit_pct": 0.6, "near_pct": 0.1, "least_pct": 0.4},
    ),
    "RollingDrawdownLimit": Case(
        {PAIR: STOPPED_OUT, THIRD: LATER},
        entry=(THIRD, 9),
        code="ROLLING_DRAWDOWN",
        locked="*",
        until=None,
        settings={"limit_pct": 0.6, "least_pct": 0.4},
    ),
    "DataOutageHalt": Case(
        {OTHER: HOLE, THIRD: HOLE, PAIR: LATER},
        entry=(PAIR, 9),
        code="DATA_OUTAGE",
        locked="*",
        until=None,
    ),
}
