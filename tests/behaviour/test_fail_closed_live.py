"""The same refusals where Freqtrade is at its most lenient: in its bot, paper trading.

The bot keeps an old frame when a new one cannot be had or analysed, and would trade its signal.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from ballast.core.guards.loss_limits import LossLimit
from ballast.core.refusals import EntryRefused
from ballast.core.verdict import Verdict
from ballast.execution.exchange_view import ExchangeView
from ballast.execution.intents import Intents
from ballast.execution.order_watch import OrderWatch
from ballast.execution.pre_trade import PreTradeChecks
from ballast.execution.stop_watch import StopWatch
from ballast.risk.engine import RiskEngine
from ballast.risk.portfolio import Portfolio
from ballast.risk.sizer import PositionSizer
from ballast.risk.state_store import StateStore
from ballast.risk.stop_manager import StopManager
from ballast.runtime.exits import ExitChecks
from ballast.strategy.decisions import Decisions
from ballast.strategy.guarded import GuardedStrategy
from tests.behaviour.mini import LEADER, PAIR, Mini, at, quiet, signal, told
from tests.behaviour.paper import Paper, paper
from tests.engine import candle_frame

STORY = [*quiet(2), signal(), *quiet(3, 101), (101, 101.2, 90, 95), *quiet(3, 95)]

Fault = Callable[[], AbstractContextManager[Any]]


def lost(*_args: Any, **_kwargs: Any) -> Any:
    raise KeyError("the data is gone")


def refused(*_args: Any, **_kwargs: Any) -> Any:
    raise EntryRefused(Verdict("TEST", 1, 0, 0.0), "for the sake of the test")


@pytest.fixture(autouse=True)
def quiet_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)


@contextmanager
def started(folder: Path, **settings: Any) -> Iterator[Paper]:
    """A bot that has seen the story up to the candle before its signal."""
    stories = {LEADER: [], PAIR: STORY}
    frames = {p: candle_frame(told(s, len(STORY)), "1h") for p, s in stories.items()}
    with paper(Mini, frames, folder, at(0), **settings) as bot:
        bot.step(at(1))
        bot.step(at(2))
        yield bot


FAULTS: dict[str, Fault] = {
    "analysis raises": lambda: patch.object(GuardedStrategy, "populate_indicators", lost),
    "rules raise": lambda: patch.object(Mini, "entry_rules", lost),
    "guards are not asked": lambda: patch.object(RiskEngine, "on_candle", lost),
    "a guard raises": lambda: patch.object(LossLimit, "observe", lost),
    "a verdict raises": lambda: patch.object(LossLimit, "market_verdict", lost),
    "the account is unknown": lambda: patch.object(Portfolio, "worth", lost),
    "equity is no number": lambda: patch.object(Portfolio, "worth", lambda *_: math.nan),
    "the sizer raises": lambda: patch.object(PositionSizer, "propose", lost),
    "the last check raises": lambda: patch.object(PositionSizer, "confirm", lost),
    "the order watch raises": lambda: patch.object(OrderWatch, "on_loop", lost),
    "the order watch is not asked": lambda: patch.object(Decisions, "watch", lost),
    "its verdict raises": lambda: patch.object(OrderWatch, "verdict", lost),
    "the stops cannot be looked at": lambda: patch.object(StopWatch, "look", lost),
    "the entry cannot be written down": lambda: patch.object(Intents, "note", lost),
    "the gate raises": lambda: patch.object(PreTradeChecks, "check", lost),
    "the order book is gone": lambda: patch.object(ExchangeView, "quote", lost),
    "the balance is gone": lambda: patch.object(ExchangeView, "free", lost),
    "the balance is no number": lambda: patch.object(ExchangeView, "free", lambda *_: math.nan),
    "memories cannot be saved": lambda: patch.object(StateStore, "save", lost),
    "no candle comes": lambda: patch.object(Paper, "deliver", lambda *_: None),
}


def test_the_signal_is_bought_when_nothing_is_broken(tmp_path: Path) -> None:
    with started(tmp_path) as bot:
        bot.step(at(3))
        (trade,) = bot.trades
        assert trade.pair == PAIR
        assert trade.open_rate == pytest.approx(101.101)
        assert trade.stop_loss == pytest.approx(96.884, abs=0.001)
        assert not bot.bot.strategy.incidents.counts


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_nothing_is_bought_while_something_is_broken(fault: Fault, tmp_path: Path) -> None:
    with started(tmp_path) as bot:
        with fault():
            bot.step(at(3))
        assert bot.trades == []


@pytest.mark.parametrize("missing", [LEADER, PAIR])
def test_nothing_is_bought_while_a_frame_is_missing(missing: str, tmp_path: Path) -> None:
    with started(tmp_path) as bot:
        stale = bot.bot.exchange._klines.copy()
        key = next(key for key in stale if key[0] == missing)
        deliver = bot.deliver

        def delivering(moment: Any) -> None:
            deliver(moment)
            bot.bot.exchange._klines[key] = stale[key]

        with patch.object(bot, "deliver", delivering):
            bot.step(at(3))
        assert bot.trades == []


@pytest.mark.parametrize("callback", ["populate_indicators", "populate_entry_trend"])
def test_an_old_signal_is_not_traded_when_the_new_frame_cannot_be_analysed(
    callback: str, tmp_path: Path
) -> None:
    """Freqtrade keeps the frame on which the signal is the newest candle, an hour later."""
    with started(tmp_path) as bot:
        # Freqtrade's own limit of age, out of the way: what refuses is ours.
        bot.bot.strategy.ignore_buying_expired_candle_after = 0
        with patch.object(PositionSizer, "confirm", refused):
            bot.step(at(3))
        with patch.object(GuardedStrategy, callback, lost):
            bot.step(at(4))
        assert bot.trades == []


@pytest.mark.parametrize(("late", "bought"), [(100, 1), (130, 0)])
def test_a_signal_is_traded_for_two_minutes(late: int, bought: int, tmp_path: Path) -> None:
    """Whatever kept the order back, its price is another one by then."""
    with started(tmp_path) as bot:
        with patch.object(PositionSizer, "confirm", refused):
            bot.step(at(3))
        bot.loop(at(3) + timedelta(seconds=late))
        assert len(bot.trades) == bought


@pytest.mark.parametrize(
    "fault",
    [
        lambda: patch.object(StopManager, "stop", lost),
        lambda: patch.object(StopManager, "stop", lambda *_: math.nan),
        lambda: patch.object(StopManager, "stop", lambda *_: 1.0),
        lambda: patch.object(ExitChecks, "reason", lost),
        lambda: patch.object(StopManager, "through_market", lost),
        lambda: patch.object(StopWatch, "reason_to_leave", lost),
        lambda: patch.object(GuardedStrategy, "populate_indicators", lost),
        lambda: patch.object(Paper, "deliver", lambda *_: None),
        nullcontext,
    ],
)
def test_a_stop_stays_where_it_is_and_is_taken(fault: Fault, tmp_path: Path) -> None:
    with started(tmp_path) as bot:
        bot.step(at(3))
        (trade,) = bot.trades
        before = trade.stop_loss
        with fault():
            for row in (4, 5):
                bot.step(at(row))
                assert bot.trades[0].stop_loss >= before
            bot.prices[PAIR] = 95.0
            bot.loop(at(5) + timedelta(minutes=30))
        (trade,) = bot.trades
        assert not trade.is_open
        assert trade.exit_reason.startswith("stoploss_on_exchange")
