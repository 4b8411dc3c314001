"""The same candles, in a backtest and in a paper-trading bot: the same decisions, guard by guard.

One long run with something of everything, and the story of each guard. What `recording` writes down
is compared.
"""

from __future__ import annotations

import json
import math
import sqlite3
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest

from ballast.core.stops import StopRules
from ballast.journal.reader import Reader
from tests.behaviour.guard_stories import CASES, THIRD
from tests.behaviour.mini import (
    LEADER,
    OTHER,
    PAIR,
    Mini,
    Story,
    at,
    quiet,
    signal,
)
from tests.behaviour.recording import Record, backtested, traded_on_paper

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


@pytest.fixture(scope="module")
def backtest(tmp_path_factory: pytest.TempPathFactory) -> Record:
    return backtested(STORIES, Everything, BALLAST, tmp_path_factory.mktemp("backtest"))


@pytest.fixture(scope="module", params=[None, 574], ids=["all candles", "started in the middle"])
def on_paper(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Record:
    """A bot with all candles there are, and one with no more than its start-up asks for."""
    folder = tmp_path_factory.mktemp("paper")
    return traded_on_paper(STORIES, Everything, BALLAST, folder, newest=request.param)


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


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_story_of_each_guard_goes_alike(name: str, tmp_path: Path) -> None:
    """Those that the long run has nothing of: cascades, limits of loss, outages."""
    case = CASES[name]
    ballast = {"guards": {name: dict(case.settings), "off": list(case.also_off)}}
    stories = {LEADER: [], **case.stories}
    backtest = backtested(stories, Mini, ballast)
    # A candle that is late is waited for, then the rest is judged without it.
    on_paper = traded_on_paper(stories, Mini, ballast, tmp_path, look_again_s=40)
    common = backtest.guards.keys() & on_paper.guards.keys()
    assert {border for _, border in common} >= {at(row) for row in range(1, case.entry[1] + 1)}
    assert {key: backtest.guards[key] for key in common} == {
        key: on_paper.guards[key] for key in common
    }
    pair, row = case.entry
    common_word, of_pairs = on_paper.guards[(name, at(row))]
    assert " x0 " in of_pairs.get(pair, common_word)
    # Where a lock stands Freqtrade does not even ask.
    assert on_paper.entries.get((pair, at(row))) == backtest.entries.get((pair, at(row)))
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


def rows_of(journal: Path) -> pd.DataFrame:
    with sqlite3.connect(journal) as connection:
        rows = pd.read_sql("SELECT * FROM decisions", connection)
    candle = pd.to_datetime(rows["candle"], utc=True)
    return rows.assign(candle=candle).set_index(["candle", "pair"]).sort_index()


def test_the_journals_hold_the_same_rows(backtest: Record, on_paper: Record) -> None:
    tested, live = rows_of(backtest.journal), rows_of(on_paper.journal)
    common = tested.index.intersection(live.index)
    # A backtest's last candle has no next one to be acted on in.
    common = common[common.get_level_values(0) < at(LENGTH - 2)]
    assert len(common) >= 4 * LENGTH
    tested, live = tested.loc[common], live.loc[common]
    assert set(tested["outcome"]) >= {"ENTERED", "HOLDING", "LEFT", "NO_SIGNAL", "REFUSED"}
    for column in ("outcome", "code", "trust", "setup", "rules", "stop_code"):
        differing = tested[column] != live[column]
        assert not differing.any(), (column, tested[differing][column], live[differing][column])
    pd.testing.assert_series_equal(tested["stop"], live["stop"], rtol=1e-6)
    for one, other in zip(tested["guards"], live["guards"], strict=True):
        assert json.loads(one).keys() == json.loads(other).keys()
    entered = tested["outcome"] == "ENTERED"
    for one, other in zip(tested[entered]["sizing"], live[entered]["sizing"], strict=True):
        mine, bots = json.loads(one), json.loads(other)
        assert mine["binding"] == bots["binding"]
        # Where a trade left through its stop the two accounts differ by a step of the stop.
        assert mine["stake"] == pytest.approx(bots["stake"], rel=2e-3)
        assert mine["caps"].keys() == bots["caps"].keys()


def test_every_candle_of_the_bot_has_a_row_for_every_pair(on_paper: Record) -> None:
    rows = rows_of(on_paper.journal)
    candles = rows.index.get_level_values(0)
    assert len(rows) == 4 * len(pd.date_range(candles.min(), candles.max(), freq="1h"))
    assert rows.index.is_unique


def test_the_bots_events_tell_the_life_of_each_trade(on_paper: Record) -> None:
    reader = Reader(on_paper.journal)
    rows = rows_of(on_paper.journal)
    trades = rows[rows["outcome"] == "LEFT"]["trade_id"].astype(int)
    assert len(trades) == len(on_paper.exits) >= 3
    for trade in trades:
        decisions, events = reader.life(trade)
        codes = [event.code for event in events]
        assert codes[0] == "RISK_AT_STOP"
        assert codes.index("ENTRY_CONFIRMED") < codes.index("ENTRY_FILLED")
        assert codes.index("ENTRY_FILLED") < codes.index("EXIT_FILLED")
        assert decisions[0].decision.outcome == "ENTERED"
    reader.close()
