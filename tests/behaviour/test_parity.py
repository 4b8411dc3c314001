"""The same candles, in a backtest and in a paper-trading bot: the same decisions, guard by guard.

Both are Freqtrade's own. What is written down on the way is compared: what every guard said of
every pair at every candle, how each entry was sized or why it was refused, where each stop stood,
and how each trade ended.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

import pytest
from freqtrade.persistence import LocalTrade

from ballast.core.stops import StopRules
from ballast.core.warden import Warden
from ballast.entries import EntryDesk, EntryRefused
from ballast.exits import StopKeeper
from ballast.oversight import Oversight
from ballast.strategy import GuardedStrategy
from tests.behaviour.mini import (
    LEADER,
    OTHER,
    PAIR,
    WARM_UP,
    Mini,
    Story,
    at,
    play,
    quiet,
    signal,
    told,
)
from tests.behaviour.paper import FEE, Paper, paper
from tests.engine import candle_frame

THIRD = "XRP/USDT"
LENGTH = 44
RISE: Story = [(101.2 + n / 2, 101.9 + n / 2, 100.9 + n / 2, 101.7 + n / 2) for n in range(20)]
STORIES: dict[str, Story] = {
    # A hard fall at row 30: nothing is entered for twelve hours.
    LEADER: [*quiet(30), (99.9, 100, 92.5, 93), *quiet(LENGTH - 31, 93)],
    # Bought, carried far up, left by a close below the chandelier; bought again until the end.
    PAIR: [
        *quiet(2),
        signal(),
        (101, 101.4, 100.8, 101.2),
        *RISE,
        (111.2, 111.4, 107.4, 107.6),
        (107.7, 108, 107.4, 107.5),
        *quiet(LENGTH - 26, 107),
    ],
    # Bought, stopped out, and refused when it signals again: a shock and a loss.
    OTHER: [
        *quiet(6),
        signal(),
        (101, 101.4, 100.8, 101.2),
        (101.2, 101.3, 96, 96.5),
        *quiet(9, 96.5),
        (96.5, 101, 96.4, 100.9),
        *quiet(LENGTH - 19),
    ],
    # Signals after the others' loss, at a smaller size; left when its time is up.
    THIRD: [*quiet(12), signal(), (100.8, 100.9, 99.8, 100), *quiet(LENGTH - 14)],
}
BALLAST: dict[str, Any] = {
    "guards": {"LossStreakBackoff": {"pair_losses": 1}, "DrawdownLadder": {"steps": [[0.2, 0.5]]}}
}


class Everything(Mini):
    stops: ClassVar[StopRules] = StopRules(
        4, chandelier_atr=3, chandelier_slack_atr=2, break_even_r=1, time_stop="15h"
    )


@dataclass
class Record:
    """
    Decisions of a run by pair and candle border.

    Parameters
    ----------
    guards : by guard and border, what it said of all pairs and of single ones.
    entries : what was asked for: a refusal's text, or the cap that bound and the numbers.
    stops : the stop after the border's candle.
    exits : reasons and borders of closed trades by pair, in order.
    """

    guards: dict[tuple[str, datetime], tuple[str, dict[str, str]]] = field(default_factory=dict)
    entries: dict[tuple[str, datetime], tuple[Any, ...]] = field(default_factory=dict)
    stops: dict[tuple[str, datetime], float] = field(default_factory=dict)
    exits: list[tuple[str, datetime, datetime, str]] = field(default_factory=list)


def border(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


@contextmanager
def recorded() -> Iterator[Record]:
    """Write down what is decided meanwhile; nothing is changed by it."""
    record = Record()
    observe, propose, stop = Warden.observe, EntryDesk.propose, StopKeeper.stop

    def observing(self: Warden, snapshot: Any) -> Any:
        changes = observe(self, snapshot)
        for name, guard in self.guards.items():
            pairs = guard.pair_verdicts(snapshot)
            of_pairs = {pair: said(verdict) for pair, verdict in pairs.items()}
            common = said(guard.market_verdict(snapshot))
            record.guards[(name, snapshot.now)] = (common, of_pairs)
        return changes

    def proposing(self: EntryDesk, pair: str, now: datetime, *args: Any, **kwargs: Any) -> Any:
        key = (pair, border(now))
        try:
            ticket = propose(self, pair, now, *args, **kwargs)
        except EntryRefused as refusal:
            record.entries[key] = (refusal.verdict.code, refusal.detail)
            raise
        numbers = (ticket.stop, ticket.sized.stake, ticket.verdict.multiplier)
        record.entries[key] = (ticket.setup, ticket.sized.binding, *numbers)
        return ticket

    def stopping(self: StopKeeper, trade: LocalTrade, now: datetime) -> float:
        price = stop(self, trade, now)
        record.stops[(trade.pair, border(now))] = price
        return price

    with (
        patch.object(Warden, "observe", observing),
        patch.object(EntryDesk, "propose", proposing),
        patch.object(StopKeeper, "stop", stopping),
    ):
        yield record


def said(verdict: Any) -> str:
    """A verdict without its value, which follows the account to the cent."""
    return f"{verdict.code} limit={verdict.limit:g} x{verdict.multiplier:g} until={verdict.until}"


@pytest.fixture(scope="module")
def backtest() -> Record:
    # Live the guards are shown every candle.
    with recorded() as record, patch.object(Oversight, "_may_sleep", lambda *_: False):
        outcome = play(STORIES, Everything, ballast=BALLAST, fee=FEE)
    trades = outcome.trades.sort_values(["open_date", "pair"])
    record.exits = [
        (
            trade.pair,
            trade.open_date.to_pydatetime(),
            trade.close_date.to_pydatetime(),
            trade.exit_reason,
        )
        for trade in trades.itertuples()
        if trade.exit_reason != "force_exit"
    ]
    assert not outcome.strategy.incidents.counts
    return record


def traded_on_paper(folder: Path, newest: int | None = None) -> Record:
    """The same candles one by one; within each, the price goes to a stop that its low reaches."""
    frames = {p: candle_frame(told(s, LENGTH), "1h") for p, s in sorted(STORIES.items())}
    # As in a backtest: a stop is filled at its level, not at a limit below.
    orders = {**GuardedStrategy.order_types, "stoploss_on_exchange": False}
    settings = {"ballast": BALLAST, "order_types": orders}
    with (
        recorded() as record,
        paper(Everything, frames, folder, at(-8), newest=newest, **settings) as bot,
    ):
        for row in range(-7, LENGTH):
            bot.step(at(row))
            bot.loop(at(row) + timedelta(seconds=10))
            reach_stops(bot, row)
        assert not bot.bot.strategy.incidents.counts
        closed = [trade for trade in bot.trades if not trade.is_open]
        dated = [(trade, border(trade.open_date_utc)) for trade in closed]
        record.exits = [
            (trade.pair, opened, border(trade.close_date_utc), trade.exit_reason)
            for trade, opened in sorted(dated, key=lambda item: (item[1], item[0].pair))
        ]
    return record


def reach_stops(bot: Paper, row: int) -> None:
    """By the clock of a backtest, which has every stop of a candle reached at its open."""
    for trade in [trade for trade in bot.trades if trade.is_open]:
        frame = bot.frames[trade.pair]
        low = float(frame["low"].iloc[WARM_UP + row])
        if low <= trade.stop_loss:
            bot.prices[trade.pair] = trade.stop_loss
    bot.loop(at(row))


@pytest.fixture(scope="module", params=[None, 574], ids=["all candles", "started in the middle"])
def on_paper(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Record:
    """A bot with all candles there are, and one with no more than its start-up asks for."""
    return traded_on_paper(tmp_path_factory.mktemp("paper"), request.param)


def test_every_guard_says_the_same_of_every_candle(backtest: Record, on_paper: Record) -> None:
    common = backtest.guards.keys() & on_paper.guards.keys()
    assert len(common) >= 8 * (LENGTH - 2)
    differing = {
        key: (backtest.guards[key], on_paper.guards[key])
        for key in common
        if backtest.guards[key] != on_paper.guards[key]
    }
    assert not differing


def test_every_entry_is_sized_or_refused_alike(backtest: Record, on_paper: Record) -> None:
    last = at(LENGTH - 1)
    asked = {key: value for key, value in on_paper.entries.items() if key[1] < last}
    assert asked.keys() == backtest.entries.keys()
    for key, (*codes, stop, stake, multiplier) in (
        (key, value if len(value) > 1 else (*value, 0.0, 0.0, 0.0)) for key, value in asked.items()
    ):
        expected = backtest.entries[key]
        assert codes == list(expected[:2] if len(expected) > 1 else expected), key
        if len(expected) > 1:
            assert stop == pytest.approx(expected[2], rel=1e-6), key
            # Where a trade left through its stop the two accounts differ by a step of the stop.
            assert stake == pytest.approx(expected[3], rel=2e-3), key
            assert multiplier == expected[4], key


def test_every_stop_stands_at_the_same_price_at_every_candle(
    backtest: Record, on_paper: Record
) -> None:
    common = backtest.stops.keys() & on_paper.stops.keys()
    assert len(common) > 40
    for key in common:
        assert math.isclose(backtest.stops[key], on_paper.stops[key], rel_tol=1e-6), key


def test_every_trade_ends_at_the_same_candle_for_the_same_reason(
    backtest: Record, on_paper: Record
) -> None:
    assert on_paper.exits == backtest.exits


def test_the_stories_hold_something_of_everything(backtest: Record) -> None:
    """Two runs in which nothing happened would be alike as well."""
    reasons = {reason for *_, reason in backtest.exits}
    assert reasons >= {"chandelier_exit", "time_stop"}
    assert reasons & {"stop_loss", "trailing_stop_loss"}
    objecting = {name for (name, _), words in backtest.guards.items() if _object(*words)}
    assert objecting >= {"VolatilityCooldown", "MarketShockHalt"}
    assert objecting >= {"LossStreakBackoff", "DrawdownLadder"}
    assert {entry[-1] for entry in backtest.entries.values() if len(entry) > 1} >= {1.0, 0.5}


def _object(common: str, pairs: dict[str, str]) -> bool:
    return any(" x1 " not in text for text in (common, *pairs.values()))
