"""Pre-trade checks in Freqtrade's own bot, paper trading: each refusal with code and limit."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from freqtrade.exceptions import TemporaryError

from ballast.core.events import Event, EventKind
from tests.behaviour.mini import LEADER, PAIR, Mini, at, quiet, signal, told
from tests.behaviour.paper import Paper, paper
from tests.engine import candle_frame

STORY = [*quiet(2), signal(), *quiet(3, 101)]


@contextmanager
def started(folder: Path, **settings: Any) -> Iterator[tuple[Paper, list[Event]]]:
    """A bot that has seen the story up to the candle before its signal, and its events."""
    stories = {LEADER: [], PAIR: STORY}
    frames = {p: candle_frame(told(s, len(STORY)), "1h") for p, s in stories.items()}
    with paper(Mini, frames, folder, at(0), **settings) as bot:
        events: list[Event] = []
        bot.bot.strategy.events.listen(events.append)
        bot.step(at(1))
        bot.step(at(2))
        yield bot, events


def refusals(events: list[Event]) -> list[tuple[str, str]]:
    return [(event.pair, event.code) for event in events if event.kind is EventKind.REFUSED]


def book(bid: float, ask: float, amount: float = 1e9) -> Any:
    sides = {"bids": [[bid, amount]], "asks": [[ask, amount]]}
    return lambda *_args, **_kwargs: sides


def unanswered(*_args: Any, **_kwargs: Any) -> Any:
    raise TemporaryError("late")


def test_an_order_that_passes_says_by_which_numbers(tmp_path: Path) -> None:
    with started(tmp_path) as (bot, events):
        bot.step(at(3))
        assert len(bot.trades) == 1
        (passed,) = [event for event in events if event.kind is EventKind.GATE]
        assert (passed.code, passed.pair, passed.limit) == ("PASSED", PAIR, 0.5)
        # The signal closed at 100.9, the next candle opened a tenth of an ATR above.
        assert passed.value == pytest.approx(0.2, abs=0.05)
        assert passed.facts["age_s"] == pytest.approx(3.0)
        assert passed.facts["spread_bps"] == 0.0


def test_each_check_refuses_with_its_numbers_and_stands_in_nobodys_way_later(
    tmp_path: Path,
) -> None:
    """One signal, refused for one cause after the other, and bought once there is none left."""
    with started(tmp_path) as (bot, events):
        exchange, wallets = bot.bot.exchange, bot.bot.wallets
        read = "fetch_l2_order_book"
        backoff = bot.bot.strategy.session.execution.checks._backoff
        causes: list[tuple[str, float, Callable[[], AbstractContextManager[Any]]]] = [
            ("SPREAD_WIDE", 20.79, lambda: patch.object(exchange, read, book(100.9, 101.11))),
            ("SPREAD_WIDE", math.nan, lambda: patch.object(exchange, read, book(101, 100))),
            ("DEPTH_THIN", 101.0, lambda: patch.object(exchange, read, book(101, 101.1, 1.0))),
            ("BALANCE_SHORT", 12.5, lambda: patch.object(wallets, "get_free", lambda _: 12.5)),
            ("EXCHANGE_ERROR", 1, lambda: patch.object(exchange, read, unanswered)),
            ("PRICE_MOVED", 0.6, lambda: patch.dict(bot.prices, {PAIR: 101.5})),
        ]
        bot.deliver(at(3))
        bot.prices[PAIR] = 101.0
        for second, (code, value, cause) in enumerate(causes, start=3):
            events.clear()
            with cause():
                bot.loop(at(3) + timedelta(seconds=second))
            assert bot.trades == []
            (event,) = [event for event in events if event.kind is EventKind.REFUSED]
            assert (event.pair, event.code) == (PAIR, code)
            assert event.value == pytest.approx(value, rel=0.05, nan_ok=True)
        backoff.failed(PAIR, at(3))
        events.clear()
        bot.loop(at(3) + timedelta(seconds=29))
        assert refusals(events) == [(PAIR, "BACKOFF")]
        bot.loop(at(3) + timedelta(seconds=30))
        assert len(bot.trades) == 1


def test_a_late_signal_is_refused_and_says_so(tmp_path: Path) -> None:
    """Whatever kept the order back, its price is another one by then."""
    with started(tmp_path) as (bot, events):
        bot.deliver(at(3))
        bot.prices[PAIR] = 101.0
        bot.loop(at(3) + timedelta(seconds=121))
        assert refusals(events) == [(PAIR, "SIGNAL_OLD")]
        # Freqtrade's own limit, which says nothing, comes later.
        bot.loop(at(3) + timedelta(seconds=180))
        assert len(refusals(events)) == 2
        bot.loop(at(3) + timedelta(seconds=181))
        assert len(refusals(events)) == 2
        assert bot.trades == []


def test_the_age_that_is_allowed_is_one_setting(tmp_path: Path) -> None:
    with started(tmp_path, ballast={"gate": {"signal_age_s": 300.0}}) as (bot, _):
        bot.deliver(at(3))
        bot.prices[PAIR] = 101.0
        bot.loop(at(3) + timedelta(seconds=290))
        assert len(bot.trades) == 1
