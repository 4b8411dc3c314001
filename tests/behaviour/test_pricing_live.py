"""Orders that wait, where they do: how far they follow, and when they are given up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from ballast.execution.open_entries import OpenEntries
from tests.behaviour.live_story import Shy, Told, story_run
from tests.behaviour.mini import Story, quiet, signal
from tests.behaviour.test_fail_closed_live import lost as broken

# An hour after the signal price stands a third of an ATR above its close.
RISES: Story = [*quiet(2), signal(), (101, 101.3, 100.8, 101.2), *quiet(4, 101.25)]
RUNS_AWAY: Story = [*quiet(2), signal(), (101, 101.7, 100.8, 101.6), *quiet(4, 101.6)]
# Something else than the risk of the trade bounds its size, so that it may follow.
SMALL = {"risk": {"position_cap_pct": 5.0}}


@contextmanager
def waiting(folder: Path, story: Story, **ballast: Any) -> Iterator[Told]:
    """An entry that nobody fills, at the candle after the one it was sent in."""
    ballast = {"pricing": {"entry_timeout_s": 86_400.0}, **ballast}
    no_other = {"entry": 1440, "exit": 1440, "unit": "minutes"}
    shy = Shy(buy=0.0)
    with story_run(folder, story, hooks=shy, ballast=ballast, unfilledtimeout=no_other) as told:
        told.loops(1)
        # Longer than any setting allows: hourly candles stand in for those of a minute.
        entries: OpenEntries = told.run.bot.strategy.session.execution.open_entries
        entries._gate = entries._gate.model_copy(update={"signal_age_s": 10_000.0})
        told.run.clock.shift(3_600)
        # Both candles signal: what is given up is not to be bought anew here.
        with patch.object(told.run.bot, "enter_positions", lambda _slots: 0):
            yield told


def limits(told: Told) -> list[float]:
    return [order.price / 1e8 for order in told.run.exchange.open_orders()]


def test_an_entry_follows_the_market_a_little_and_its_order_is_known(tmp_path: Path) -> None:
    with waiting(tmp_path, RISES, **SMALL) as told:
        assert limits(told) == [101.01]
        told.loops(1)
        (limit,) = limits(told)
        assert 101.2 < limit <= 101.4
        told.loops(3)
        assert told.codes() == []
        assert len(told.trade.orders) == 2
        assert told.run.differences() == []


@pytest.mark.parametrize(("story", "ballast"), [(RISES, {}), (RUNS_AWAY, SMALL)])
def test_an_entry_that_would_risk_too_much_or_chase_too_far_is_given_up(
    story: Story, ballast: dict[str, Any], tmp_path: Path
) -> None:
    with waiting(tmp_path, story, **ballast) as told:
        # Given up in one loop, cancelled in the next.
        told.loops(2)
        assert told.codes() == ["CHASE_ENDED"]
        assert limits(told) == []
        assert told.run.trades == []


def test_an_entry_that_cannot_be_priced_is_cancelled(tmp_path: Path) -> None:
    with waiting(tmp_path, RISES, **SMALL) as told:
        with patch.object(OpenEntries, "follow", broken):
            told.loops(1)
        told.loops(1)
        assert limits(told) == []
        assert told.run.trades == []


def test_an_exit_that_hangs_is_sent_anew(tmp_path: Path) -> None:
    """A market order that stays open: Freqtrade alone waits for it for ever."""
    with story_run(tmp_path) as told:
        told.loops(3)
        exchange = told.run.bot.exchange
        with patch.object(exchange, "create_order", side_effect=hanging(told)):
            told.leave()
        assert told.trade.has_open_orders
        told.loops(7)
        assert not told.trade.has_open_orders
        told.loops(1)
        # Still wanted: the stop is back at once, and the next reason to leave sells.
        assert told.trade.is_open
        assert told.trade.has_open_sl_orders


def hanging(told: Told) -> Any:
    sent = told.run.bot.exchange.create_order

    def far_away(**order: Any) -> Any:
        return sent(**{**order, "ordertype": "limit", "rate": 150.0})

    return far_away
