"""A strategy that runs stays what was let start: nothing is hung on it, nor on its class."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import pytest
from freqtrade.data.dataprovider import DataProvider
from freqtrade.exceptions import OperationalException

from ballast.core.candles import Candles
from ballast.core.market import Market
from ballast.core.rules import Rule
from ballast.strategy.overrides import is_trusted
from tests.behaviour.mini import LEADER, PAIR, Mini, at, play, quiet, signal, told
from tests.behaviour.paper import paper
from tests.behaviour.wishes import Wishes, held
from tests.engine import candle_frame

FALLING = [*quiet(2), signal(), (101, 101.4, 100.8, 101.2), (101, 101, 90, 91), *quiet(3, 91)]
STOPS = ["open_date", "stake_amount", "initial_stop_loss_abs", "stop_loss_abs"]
YES = {"custom_stoploss": lambda *_, **__: -0.99, "confirm_trade_entry": lambda *_, **__: True}


class Hanging(Wishes):
    """Hangs a yes on itself, and a stop that is none, once it trades."""

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        self.looped = True
        for name, callback in YES.items():
            setattr(self, name, callback)


def test_nothing_is_hung_on_a_strategy_of_theirs_while_it_runs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    hung = play(FALLING, held(Hanging)).trades[STOPS]
    assert "Hanging sets custom_stoploss on itself while it runs" in caplog.text
    pd.testing.assert_frame_equal(hung, play(FALLING, held(Wishes)).trades[STOPS])
    assert len(hung) == 1


class OwnHanging(Mini):
    """The same by a strategy of rules, whose own code is asked at its analysis alone."""

    def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        if self.session is not None:
            self.custom_stoploss = YES["custom_stoploss"]
        return super().entry_rules(pair, market)


def test_nor_on_one_of_rules() -> None:
    """It was taken without a word."""
    with pytest.raises(OperationalException, match="OwnHanging sets custom_stoploss on itself"):
        play(FALLING, OwnHanging)


class OnItsClass(Wishes):
    """Hangs them on its class instead."""

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        if current_time >= at(1):
            for name, callback in YES.items():
                setattr(type(self), name, callback)


class OnTheirs(Wishes):
    """On the class behind the layer, which had no such callback when it was put there."""

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        if current_time >= at(1):
            OnTheirs.leverage = lambda *_, **__: 5.0


class PastItself(Wishes):
    """On itself, past what sees that it is set."""

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        if current_time >= at(1):
            self.__dict__.update(YES)


THEIRS = [held(OnItsClass), held(OnTheirs), held(PastItself)]


@pytest.mark.parametrize("strategy", THEIRS, ids=lambda strategy: strategy.__name__)
def test_what_is_hung_on_a_class_is_taken_off_and_nothing_is_bought_from_then_on(
    strategy: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A stop of -99 % was heard from the next candle on."""
    caplog.set_level(logging.INFO)
    assert play(FALLING, strategy).trades.empty
    assert "while it runs, where the risk controls live: taken off again" in caplog.text
    assert "entry refused, STRATEGY_FAILED" in caplog.text
    theirs = [owner for owner in strategy.__mro__ if not is_trusted(owner)]
    assert not any(vars(owner).keys() & {*YES, "leverage"} for owner in theirs)


def own_on_its_class() -> type[Mini]:
    """A strategy of rules, on its class; a new one each time."""

    class OnClass(Mini):
        def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
            if self.session is not None:
                type(self).should_exit = lambda *_, **__: []  # type: ignore[method-assign]
            return super().entry_rules(pair, market)

    return OnClass


def test_a_backtest_of_rules_is_refused_before_it_trades() -> None:
    with pytest.raises(OperationalException, match="OnClass redefines should_exit"):
        play(FALLING, own_on_its_class())


@pytest.mark.parametrize("strategy", [*THEIRS, own_on_its_class()], ids=lambda s: s.__name__)
def test_and_a_bot_tells_it(strategy: Any, tmp_path: Path) -> None:
    frames = {LEADER: candle_frame(told([], 6), "1h"), PAIR: candle_frame(told(FALLING, 6), "1h")}
    sent: list[str] = []
    with (
        patch.object(DataProvider, "send_msg", lambda _, text, **__: sent.append(text)),
        paper(strategy, frames, tmp_path, at(0)) as bot,
    ):
        for row in range(5):
            bot.step(at(row))
        assert not bot.trades
        assert "should_exit" not in vars(strategy)
    assert "taken off again, and nothing is bought until" in " ".join(sent)


class InAnExit(Wishes):
    """On itself, past what sees it, all that could be asked about the next entry."""

    def custom_exit(self, **kwargs: Any) -> str:
        stake = {"custom_stake_amount": lambda *_, **__: 9_000.0}
        self.__dict__.update({**YES, **stake})
        return "enough"


def test_what_is_hung_on_it_in_an_exit_is_taken_off_at_the_next_candle(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where both size and confirmation were replaced nothing looked: nine tenths were bought."""
    story = [*quiet(2), signal(), *quiet(3), signal(), *quiet(4, 101)]
    trades = play(story, held(InAnExit)).trades
    assert len(trades) == 1
    assert "taken off again" in caplog.text


class Counting(Wishes):
    """Keeps what it counts on itself and on its class, which is its own affair."""

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        setattr(self, f"looped_{current_time:%H}", True)
        setattr(type(self), f"seen_{current_time:%H}", True)


def test_what_a_strategy_keeps_on_its_class_is_its_own() -> None:
    assert len(play(FALLING, held(Counting)).trades) == 1
