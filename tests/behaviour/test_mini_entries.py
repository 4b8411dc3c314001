"""How much is bought, how often, and what candles are not bought on: through the backtester."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.behaviour.mini import (
    COSTS,
    LEADER,
    OTHER,
    PAIR,
    Mini,
    Story,
    at,
    play,
    quiet,
    seen,
    signal,
    told,
)
from tests.behaviour.paper import paper
from tests.engine import BacktestOutcome, Row, candle_frame, run_backtest

THIRD = "XRP/USDT"
BOUGHT: list[Row] = [*quiet(2), signal(), (101, 101.4, 100.8, 101.2), *quiet(3, 101)]
# One percent a trade, and no cap in the way but that of heat.
BOLD = {"per_trade_pct": 1.0, "position_cap_pct": 100.0, "exposure_cap_pct": 100.0}
FALL: list[Row] = [*BOUGHT, (101, 101.2, 90, 91), *quiet(2, 91)]


def bound(outcome: BacktestOutcome) -> tuple[str, float]:
    """The constraint that decided the stake of the one trade, and the stake."""
    proposal = outcome.strategy.session.proposals.last(PAIR)
    assert proposal is not None
    (trade,) = outcome.trades.itertuples()
    assert trade.stake_amount == pytest.approx(proposal.sized.stake, rel=1e-3)
    return proposal.sized.binding, trade.stake_amount


def test_stake_is_the_risk_over_the_distance_to_the_stop_with_costs() -> None:
    outcome = play(BOUGHT)
    stop = 100.9 - 4 * seen(outcome, 2)["atr"]
    expected = 10_000 * 0.005 / ((101 - stop) / 101 + COSTS)
    assert bound(outcome) == ("RISK_AT_STOP", pytest.approx(expected, rel=1e-3))


@pytest.mark.parametrize("risk_pct", [0.25, 0.5, 1.0])
def test_no_more_than_the_budget_is_lost_at_the_stop_fees_included(risk_pct: float) -> None:
    ballast = {"risk": {**BOLD, "per_trade_pct": risk_pct}}
    outcome = play(FALL, ballast=ballast, fee=0.001)
    (trade,) = outcome.trades.itertuples()
    assert trade.exit_reason == "stop_loss"
    # What is left of the budget is the allowance for slippage and gaps, which this market lacks.
    assert 0.85 < -trade.profit_abs / (10_000 * risk_pct / 100) <= 1.0


@pytest.mark.parametrize(
    ("risk", "binding", "stake"),
    [
        ({"position_cap_pct": 5.0}, "POSITION_CAP", 500.0),
        ({"turnover_share_pct": 0.0005}, "LIQUIDITY", 500.0),
        ({"daily_volatility_pct": 0.05}, "VOLATILITY_TARGET", 500.0),
    ],
)
def test_the_smallest_cap_binds_and_is_recorded(
    risk: Mapping[str, float], binding: str, stake: float
) -> None:
    found, bought = bound(play(BOUGHT, ballast={"risk": dict(risk)}))
    assert found == binding
    assert bought == pytest.approx(stake, rel=0.02)


def test_no_more_than_the_free_balance_is_bought() -> None:
    """However much more was given to the bot."""
    outcome = play(BOUGHT, config={"available_capital": 10_000, "dry_run_wallet": 500})
    assert bound(outcome) == ("FREE_BALANCE", pytest.approx(500.0, rel=0.01))


@pytest.mark.parametrize(("minimum", "bought"), [(900.0, 1), (1_100.0, 0)])
def test_a_stake_below_the_exchanges_minimum_is_no_trade(minimum: float, bought: int) -> None:
    """Freqtrade would raise it by up to 30 % to the minimum: never sized up."""
    assert len(play(BOUGHT, min_notional=minimum).trades) == bought


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_no_more_than_so_many_entries_are_made_on_one_candle(limit: int) -> None:
    stories = dict.fromkeys((PAIR, OTHER, THIRD), BOUGHT)
    outcome = play(stories, ballast={"risk": {"entries_per_candle": limit}})
    assert (outcome.trades["open_date"] == at(3)).sum() == limit


def test_heat_refuses_the_third() -> None:
    """Two trades that risk nine tenths of a percent each leave no room for another of its kind."""
    stories = dict.fromkeys((PAIR, OTHER, THIRD), BOUGHT)
    risk = {**BOLD, "entries_per_candle": 20}
    free = play(stories, ballast={"risk": risk, "guards": {"off": ["PortfolioHeat"]}})
    held = play(stories, ballast={"risk": risk}, min_notional=600.0)
    assert len(free.trades) == 3
    assert sorted(held.trades["pair"]) == sorted((PAIR, OTHER))


def test_open_trades_together_never_lose_more_than_the_heat_limit() -> None:
    stories = dict.fromkeys((PAIR, OTHER, THIRD, "ADA/USDT", "LTC/USDT"), FALL)
    risk = {**BOLD, "entries_per_candle": 20}
    outcome = play(stories, ballast={"risk": risk}, fee=0.001)
    together = outcome.trades[outcome.trades["open_date"] == at(3)]
    assert len(together) > 2
    assert -together["profit_abs"].sum() <= 0.02 * 10_000


def test_positions_together_are_never_worth_more_than_the_exposure_cap() -> None:
    """What a gap of the whole market costs, which jumps every stop, is its depth times this."""
    stories = dict.fromkeys((PAIR, OTHER, THIRD), BOUGHT)
    risk = {"entries_per_candle": 20, "exposure_cap_pct": 15.0}
    outcome = play(stories, ballast={"risk": risk})
    together = outcome.trades[outcome.trades["open_date"] == at(3)]
    assert len(together) == 2
    assert together["stake_amount"].sum() == pytest.approx(1_500.0, rel=5e-3)


HOLE = [None] * 4
# Opens where the signal closed, and gives no signal of its own.
SETTLES: Story = [(100.9, 101, 99.9, 100), *quiet(2)]


@pytest.mark.parametrize(
    ("story", "bought"),
    [
        ([*quiet(2), None, signal(), *SETTLES], True),
        ([*quiet(2), None, None, None, signal(), *SETTLES], False),
        ([*quiet(2), *HOLE, *quiet(3), signal(), *SETTLES], True),
        ([*quiet(2), *HOLE, *quiet(2), signal(), *SETTLES], False),
        ([*quiet(2), (100, 130, 99.9, 129), *quiet(3, 129)], False),
        ([*quiet(2), (100, 107, 99.9, 106.9), *quiet(3, 107)], True),
        ([*quiet(2), (100, 100.2, 60, 100), signal(), *SETTLES], False),
    ],
    ids=[
        "one filled candle is no hole",
        "straight after a hole",
        "recovered from a hole",
        "one candle short of recovery",
        "absurd bar",
        "large bar",
        "bad tick",
    ],
)
def test_an_entry_needs_trusted_candles(story: Story, bought: bool) -> None:
    """The guards are off: what refuses is that the signal is not given."""
    off = ["VolatilityCooldown", "DataOutageHalt"]
    outcome = play(story, ballast={"guards": {"off": off}})
    assert bool(len(outcome.trades)) is bought


def test_a_hole_in_the_leaders_candles_refuses_every_pair() -> None:
    leader: Story = [*quiet(1), *HOLE, *quiet(4)]
    story: Story = [*quiet(5), signal(), *quiet(3, 101)]
    off = {"guards": {"off": ["DataOutageHalt"]}}
    assert play({LEADER: leader, PAIR: story}, ballast=off).trades.empty
    assert len(play(story, ballast=off).trades) == 1


def test_nothing_is_bought_before_the_windows_are_full() -> None:
    """Signals on every candle from the first on."""
    frame = candle_frame(told([], 0), "1h").assign(close=101.0, high=102.0)
    frame["close"] += np.arange(len(frame)) % 2 * 0.1
    story = play({PAIR: [], LEADER: []}, Mini)
    warm = story.strategy.startup_candle_count
    outcome = play_frames({PAIR: frame, LEADER: candle_frame(told([], 0), "1h")})
    first = outcome.trades["open_date"].min()
    assert first >= frame["date"].iloc[warm]


def play_frames(frames: Mapping[str, pd.DataFrame]) -> BacktestOutcome:
    prices = {"price_side": "other", "use_order_book": False}
    config = {"stake_amount": "unlimited", "entry_pricing": prices, "exit_pricing": prices}
    return run_backtest(Mini, dict(sorted(frames.items())), config=config, protections=True)


DEFECTS: dict[str, Any] = {
    "sound": lambda frame: frame,
    "duplicate": lambda frame: pd.concat([frame, frame.tail(1)], ignore_index=True),
    "step back": lambda frame: pd.concat([frame, frame.iloc[[-3]]], ignore_index=True),
    "high below low": lambda frame: changed(frame, high=90.0),
    "close above high": lambda frame: changed(frame, close=101.5),
    "no close": lambda frame: changed(frame, close=math.nan),
    "infinite": lambda frame: changed(frame, high=math.inf),
    "price of zero": lambda frame: changed(frame, low=0.0),
    "negative volume": lambda frame: changed(frame, volume=-1.0),
    "too short": lambda frame: frame.tail(200).reset_index(drop=True),
    "stale": lambda frame: frame.iloc[:-1],
}


def changed(frame: pd.DataFrame, **values: float) -> pd.DataFrame:
    frame = frame.copy()
    for name, value in values.items():
        frame.loc[frame.index[-1], name] = value
    return frame


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_paper_bot_buys_on_sound_candles_alone(defect: str, tmp_path: Path) -> None:
    """What reaches a bot has not been cleaned the way files of a backtest are."""
    stories: dict[str, Story] = {LEADER: [], PAIR: BOUGHT}
    frames = {p: candle_frame(told(s, len(BOUGHT)), "1h") for p, s in stories.items()}
    with paper(Mini, frames, tmp_path, at(0)) as bot:
        bot.step(at(2))
        klines = bot.bot.exchange._klines
        bot.deliver(at(3))
        (key,) = (key for key in klines if key[0] == PAIR)
        klines[key] = DEFECTS[defect](klines[key])
        bot.prices[PAIR] = 101.0
        bot.loop(at(3) + pd.Timedelta(seconds=3))
        assert len(bot.trades) == (defect == "sound")
