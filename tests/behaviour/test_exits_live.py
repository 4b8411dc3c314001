"""A failure in one place that looks after a position silences none of the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from ballast.execution.bot import BotHandle
from ballast.execution.intents import Intents
from ballast.execution.last_look import LastLook
from ballast.execution.latency import LatencyLog
from ballast.execution.open_entries import OpenEntries
from ballast.execution.reconciliation import Reconciliation
from ballast.execution.resting_stops import RestingStops
from ballast.execution.stop_watch import StopWatch
from ballast.risk.planned_exits import PlannedExits
from ballast.risk.stop_manager import StopManager
from tests.behaviour.live_story import Shy, story_run
from tests.behaviour.mini import Story, quiet, signal
from tests.behaviour.test_fail_closed_live import lost as broken
from tests.behaviour.test_stop_watch_live import JUMPS, NoStops
from tests.behaviour.waiting_entry import PLAN, fill, resting, waiting

FALLS: Story = [*quiet(2), signal(), (101, 101.2, 95, 95.5), *quiet(4, 95.5)]
PLAN_CHECKS = [
    *((StopManager, name) for name in ("through_market", "closed_below", "overdue")),
    *((PlannedExits, name) for name in ("rule_met", "sale_due")),
]


@pytest.mark.parametrize(("owner", "check"), PLAN_CHECKS)
def test_the_stop_watch_leaves_a_bare_position_whatever_check_breaks(
    owner: type, check: str, tmp_path: Path
) -> None:
    with story_run(tmp_path, hooks=NoStops()) as told:
        told.loops(2)
        with patch.object(owner, check, broken):
            told.loops(14)
        assert told.trade.exit_reason == "stop_missing"


def test_the_stop_watch_leaves_a_jumped_stop_although_the_plan_breaks(tmp_path: Path) -> None:
    with story_run(tmp_path, JUMPS, hooks=Shy(stop=0.0)) as told:
        told.loops(3)
        told.run.clock.shift(45 * 60)
        with patch.object(StopManager, "_advanced", broken):
            told.loops(4)
        assert told.trade.exit_reason == "stop_jumped"


def test_a_plan_that_cannot_be_advanced_is_left_at_its_last_stop(tmp_path: Path) -> None:
    """The stop was raised above the market, and did not reach the exchange."""
    with story_run(tmp_path) as told:
        told.loops(3)
        session = told.run.bot.strategy.session
        session.stop_manager.tighten(told.trade, 105.0, "PORTFOLIO_HEAT", told.run.now)
        with patch.object(StopManager, "_advanced", broken):
            told.loops(1)
        assert told.trade.exit_reason == "stop_through_market"


def test_a_kill_file_sells_although_the_stop_watch_breaks(tmp_path: Path) -> None:
    with story_run(tmp_path) as told:
        told.loops(3)
        (Path(told.run.config["user_data_dir"]) / "KILL").touch()
        with patch.object(StopWatch, "reason_to_leave", broken):
            told.loops(1)
        assert told.trade.exit_reason == "flatten: KILL_FILE"


LOOKS: list[Callable[[], Any]] = [
    lambda: patch.object(Intents, "resolve", broken),
    lambda: patch.object(OpenEntries, "withdraw_kept", broken),
    lambda: patch.object(StopWatch, "look", broken),
    lambda: patch.object(StopWatch, "tell", broken),
    lambda: patch.object(Reconciliation, "look", broken),
    lambda: patch.object(LatencyLog, "received", broken),
    lambda: patch.object(LatencyLog, "settle", broken),
]


@pytest.mark.parametrize("fault", LOOKS)
def test_no_look_at_the_loops_beginning_waits_for_another_to_succeed(
    fault: Callable[[], Any], tmp_path: Path
) -> None:
    """The stop is back before Freqtrade would place its own; nothing is bought meanwhile."""
    with story_run(tmp_path) as told:
        told.loops(2)
        bot = told.run.bot
        bot.cancel_stoploss_on_exchange(told.trade)
        assert resting(told) == []
        with fault(), patch.object(bot, "exit_positions", lambda _: 0):
            told.loops(1)
        assert resting(told) == [PLAN]
        assert bot.strategy.session.execution.checks.watched is None


@pytest.mark.parametrize(
    "fault",
    [
        lambda: patch.object(RestingStops, "after_fill", broken),
        lambda: patch.object(BotHandle, "place_stop", broken),
        lambda: patch.object(StopManager, "stop", broken),
        lambda: patch.object(StopManager, "opened", broken),
    ],
)
def test_a_stop_that_could_not_be_placed_with_its_fill_rests_a_moment_later(
    fault: Callable[[], Any], tmp_path: Path
) -> None:
    with waiting(tmp_path) as (told, _):
        fill(told)
        with fault():
            told.loops(1)
        told.loops(2)
        assert resting(told) == [PLAN]
        assert told.run.differences() == []


def test_a_sale_that_fails_where_the_fill_is_booked_is_tried_again(tmp_path: Path) -> None:
    with waiting(tmp_path, FALLS) as (told, _):
        fill(told)
        told.run.clock.shift(58 * 60)
        with patch.object(BotHandle, "leave", broken):
            told.loops(1)
        told.loops(1)
        assert not told.trade.is_open
        assert told.coins < 0.01


@pytest.mark.parametrize(
    "fault",
    [
        lambda: patch.object(LastLook, "at_end", broken),
        lambda: patch.object(BotHandle, "withdraw", broken),
        lambda: patch.object(RestingStops, "restore", broken),
        lambda: patch.object(BotHandle, "send_queued", broken),
    ],
)
def test_the_process_ends_whatever_the_last_look_meets(
    fault: Callable[[], Any], tmp_path: Path
) -> None:
    with waiting(tmp_path) as (told, _):
        fill(told, 0.003)
        told.loops(1)
        bot = told.run.bot
        close = bot.exchange.close
        with fault(), patch.object(bot.exchange, "close", side_effect=close) as closed:
            told.run.stopped()
        closed.assert_called_once()
