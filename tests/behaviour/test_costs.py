"""Costs on every fill of a backtest: what is charged, what stays as it was, and what is left alone.

The quiet candles of `mini` have a turnover of 2.4 billion a day, so that a pair is a major one.
"""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import pytest
from freqtrade.enums import RunMode

from ballast.config.costs import CostSettings
from ballast.core.candles import Candles
from ballast.core.market import Market
from ballast.core.rules import Rule, below
from ballast.execution.costs import FillCosts
from ballast.strategy.guarded import GuardedStrategy
from sandbox.candles import TIMEFRAMES_MS, aggregate
from tests.behaviour.market import source
from tests.behaviour.mini import PAIR, Mini, at, play, quiet, seen, signal
from tests.behaviour.paper import paper
from tests.engine import BacktestOutcome, Row, candle_frame, run_backtest

Rows = tuple[Row, ...]
FALL: Rows = (signal(), *quiet(2, 101), (101, 101, 90, 91), *quiet(3, 91))
FREE = {"impact_factor": 0.0, "major_half_spread_bps": 0.0}
MONEY_GUARDS = ["LossStreakBackoff", "DailyLossLimit", "WeeklyLossLimit", "DrawdownLadder"]
DECIDED = ["pair", "open_date", "close_date", "exit_reason", "enter_tag"]


class Leaving(Mini):
    """Leaves when a candle closes below 100.5."""

    def exit_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        return {"low": below(pair.close, 100.5)}


@cache
def charged(story: Rows, strategy: type[GuardedStrategy] = Mini, **costs: Any) -> BacktestOutcome:
    return play(story, strategy, ballast={"costs": costs})


def only(outcome: BacktestOutcome) -> Any:
    (trade,) = outcome.trades.itertuples()
    return trade


def parts(outcome: BacktestOutcome, row: int, value: float) -> float:
    """Spread and impact that an order at the open of the row after `row` is to pay."""
    state = seen(outcome, row)
    law = state["volatility"] * (value / (24 * state["turnover"])) ** 0.5
    return 0.0001 * (5 if state["cooldown"] > 0 else 1) + float(law)


def test_an_entry_pays_half_the_spread_and_impact() -> None:
    plain, paid = only(charged(FALL, enabled=False)), charged(FALL)
    cost = parts(paid, 0, plain.amount * plain.open_rate)
    assert only(paid).amount == plain.amount
    assert only(paid).stake_amount / plain.stake_amount - 1 == pytest.approx(cost, rel=1e-6)
    assert only(paid).open_rate == pytest.approx(plain.open_rate * (1 + cost), abs=1e-4)


def test_an_exit_by_rule_pays_half_the_spread_and_impact() -> None:
    story = (signal(), *quiet(4, 101), (101, 101, 100, 100.2), *quiet(3))
    plain, paid = only(charged(story, Leaving, enabled=False)), charged(story, Leaving)
    cost = parts(paid, 5, plain.amount * plain.close_rate)
    assert plain.exit_reason == only(paid).exit_reason == "Leaving: low"
    assert 1 - only(paid).close_rate / plain.close_rate == pytest.approx(cost, rel=1e-6)


def test_a_stop_pays_a_quarter_of_the_way_to_the_low_too() -> None:
    plain, paid = only(charged(FALL, enabled=False)), only(charged(FALL))
    slipped = plain.close_rate - 0.25 * (plain.close_rate - 90)
    assert plain.exit_reason == paid.exit_reason == "stop_loss"
    # The fall itself is a shock: five times the spread.
    assert slipped * (1 - 0.01) < paid.close_rate < slipped * (1 - 0.0005)


@pytest.mark.parametrize(("level", "share"), [("stressed", 0.5), ("worst", 1.0)])
def test_a_stop_pays_more_at_harder_levels(level: str, share: float) -> None:
    plain, paid = only(charged(FALL, enabled=False)), only(charged(FALL, Mini, level=level, **FREE))
    slipped = plain.close_rate - share * (plain.close_rate - 90)
    assert paid.close_rate == pytest.approx(slipped, rel=1e-5)  # up to half a tick


def test_a_stop_that_the_open_has_jumped_is_an_exit_at_the_open() -> None:
    story = (signal(), *quiet(2, 101), (92, 101, 88, 91), *quiet(3, 91))
    paid = only(charged(story, Mini, **FREE))
    assert paid.exit_reason == "stop_through_market"
    assert paid.close_rate == pytest.approx(92, rel=1e-4)


def test_the_plan_of_a_trade_starts_from_the_price_asked() -> None:
    """Stops are decided from the same candles and the same price."""
    plain, paid = only(charged(FALL, enabled=False)), only(charged(FALL, level="worst"))
    assert plain.stop_loss_abs == paid.stop_loss_abs


def test_the_price_asked_is_kept_in_the_tag_of_the_order() -> None:
    entry, leave = only(charged(FALL)).orders
    assert entry["ft_order_tag"].endswith(f"asked={only(charged(FALL, enabled=False)).open_rate}")
    assert leave["ft_order_tag"].startswith("stop_loss asked=")


@pytest.mark.parametrize("costs", [{"enabled": False}, {"level": "none"}])
def test_off_is_freqtrades_own_result_to_the_last_digit(costs: dict[str, Any]) -> None:
    """All that Freqtrade exports, against a run that has no cost model at all."""
    with (
        patch.object(FillCosts, "of", lambda *_: None),
        patch.object(FillCosts, "charge", side_effect=AssertionError),
    ):
        without = charged.__wrapped__(FALL)
    off = charged(FALL, **costs)
    pd.testing.assert_frame_equal(off.trades, without.trades, check_exact=True)
    assert off.final_balance == without.final_balance
    # And a fill without costs is at Freqtrade's price: the open, the stop.
    assert only(off).open_rate == pd.DataFrame(FALL)[0][1]
    assert only(off).close_rate == only(off).stop_loss_abs


@pytest.mark.parametrize("mode", list(RunMode))
def test_only_backtests_and_hyperopt_are_charged(mode: RunMode) -> None:
    costs = FillCosts.of(CostSettings(level="worst"), mode, lambda pair: None, "1h")
    assert (costs is not None) is (mode in (RunMode.BACKTEST, RunMode.HYPEROPT))


def test_paper_trading_is_never_touched(tmp_path: Path) -> None:
    story = [*quiet(600), signal(), *quiet(30, 101)]
    frames = {pair: candle_frame(rows, "1h") for pair, rows in _with_leader(story).items()}
    with paper(Mini, frames, tmp_path, at(-2), ballast={"costs": {"level": "worst"}}) as bot:
        for row in range(-1, 4):
            bot.step(at(row))
            bot.loop(at(row) + timedelta(seconds=10))
        (trade,) = bot.trades
        order = trade.orders[0]
        running = frames[PAIR].set_index("date").loc[at(1)]
        assert bot.bot.strategy.session.costs is None
        assert trade.open_rate == order.safe_price == running["open"]
        assert not any("asked" in (each.ft_order_tag or "") for each in trade.orders)


def _with_leader(story: list) -> dict[str, list]:
    return {PAIR: story, "BTC/USDT": quiet(len(story))}


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    market = source(90)
    pairs = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT")
    return {p: aggregate(market.candles(p), TIMEFRAMES_MS["1h"]).to_frame() for p in pairs}


def traded(frames: dict[str, pd.DataFrame], **costs: Any) -> BacktestOutcome:
    prices = {"price_side": "other", "use_order_book": False}
    config = {
        "stake_amount": "unlimited",
        "entry_pricing": prices,
        "exit_pricing": prices,
        "ballast": {"costs": costs, "guards": {"off": MONEY_GUARDS}},
    }
    return run_backtest(
        "strategies/RisingMarket.py", frames, config=config, fee=0.001, protections=True
    )


def test_same_trades_and_same_decisions_where_no_guard_counts_money(
    frames: dict[str, pd.DataFrame],
) -> None:
    """Entries, exits, their times and reasons are those of a run without costs; profits are not."""
    plain, paid = traded(frames, enabled=False), traded(frames)
    assert len(plain.trades) > 10
    pd.testing.assert_frame_equal(plain.trades[DECIDED], paid.trades[DECIDED])
    assert paid.final_balance < plain.final_balance
    assert not paid.strategy.incidents.counts
