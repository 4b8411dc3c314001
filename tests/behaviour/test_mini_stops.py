"""Each way out of a position, in a handful of candles, through Freqtrade's own backtester.

Bought at row 3 of every story, for 101 after a signal candle that closed at 100.9 with an ATR of 1.
"""

from __future__ import annotations

import random

import pytest

from ballast.core.stops import StopRules
from ballast.strategy.guarded import GuardedStrategy
from tests.behaviour.mini import (
    LEADER,
    PAIR,
    Mini,
    at,
    play,
    quiet,
    reasons,
    seen,
    signal,
    stops_watched,
)
from tests.engine import BacktestOutcome, Row, flat

BOUGHT: list[Row] = [*quiet(2), signal(), (101, 101.4, 100.8, 101.2)]
# Half a dollar a candle, from 101.2 to 111.2, with a true range of 1.
RISE: list[Row] = [(101.2 + n / 2, 101.9 + n / 2, 100.9 + n / 2, 101.7 + n / 2) for n in range(20)]


class InitialStop(Mini):
    pass


class Disaster(Mini):
    stops = StopRules(initial_atr=20)


class Chandelier(Mini):
    stops = StopRules(initial_atr=4, chandelier_atr=3, chandelier_slack_atr=2)


class BreakEven(Mini):
    stops = StopRules(initial_atr=4, break_even_r=1)


class TimeStop(Mini):
    stops = StopRules(initial_atr=4, time_stop="1d")


def first(outcome: BacktestOutcome, row: int) -> tuple[str, float]:
    """Reason and price of the first trade, which must have closed on `row`."""
    trade = outcome.trades.iloc[0]
    assert trade.open_date == at(3)
    assert trade.close_date == at(row)
    return trade.exit_reason, trade.close_rate


def level(outcome: BacktestOutcome, row: int, price: float, atrs: float) -> float:
    """A price so many ATR below another, with the ATR that was known at the end of a row."""
    return price - atrs * seen(outcome, row)["atr"]


def test_entry_is_at_the_open_after_the_signal_and_says_why() -> None:
    outcome = play(BOUGHT + quiet(3, 101))
    (trade,) = outcome.trades.itertuples()
    assert trade.pair == PAIR
    assert (trade.open_date, trade.open_rate) == (at(3), 101)
    assert trade.enter_tag == "Mini: high"


def test_no_signal_no_trade() -> None:
    assert play([*quiet(2), signal(100.4), *quiet(3)]).trades.empty


def test_first_stop_lies_below_the_close_of_the_signal_and_fills_at_its_level() -> None:
    outcome = play([*BOUGHT, (101.2, 101.3, 95, 96), *quiet(3, 96)])
    reason, price = first(outcome, 4)
    assert reason == "stop_loss"
    assert price == pytest.approx(level(outcome, 2, 100.9, 4), abs=1e-3)


def test_first_stop_is_exported_with_the_tag_of_the_entry_order() -> None:
    outcome = play([*BOUGHT, (101.2, 101.3, 95, 96), *quiet(3, 96)])
    tags = [order["ft_order_tag"] for order in outcome.trades.iloc[0]["orders"]]
    name, _, stop = tags[0].rpartition("=")
    assert name == "Mini: high initial_stop"
    assert float(stop) == pytest.approx(level(outcome, 2, 100.9, 4))
    assert tags[1] == "stop_loss"


def test_first_stop_holds_on_the_candle_of_the_entry() -> None:
    outcome = play([*quiet(2), signal(), (101, 101.4, 95, 96), *quiet(3, 96)])
    reason, price = first(outcome, 3)
    assert reason == "stop_loss"
    assert price == pytest.approx(level(outcome, 2, 100.9, 4), abs=1e-3)


def test_one_tick_above_the_first_stop_stays() -> None:
    near = 100.9 - 4 * 1.005 + 0.02
    assert not reasons(play([*BOUGHT, (101.2, 101.3, near, 98), *quiet(3, 98)]))


def test_a_gap_through_the_stop_leaves_at_the_open() -> None:
    outcome = play([*BOUGHT, (94, 94.5, 92, 93), *quiet(3, 93)])
    reason, price = first(outcome, 4)
    assert reason in ("stop_through_market", "stop_loss")
    assert price == 94


def test_a_wide_stop_is_held_by_the_disaster_stop() -> None:
    outcome = play([*BOUGHT, (101.2, 101.3, 80, 82), *quiet(3, 82)], Disaster)
    reason, price = first(outcome, 4)
    assert reason == "stop_loss"
    assert price == pytest.approx(101 * 0.9, abs=0.11)
    assert price >= 101 * 0.9 - 1e-6


def test_a_close_below_the_chandelier_leaves_at_the_next_open() -> None:
    story = [*BOUGHT, *RISE, (111.2, 111.4, 107.4, 107.6), (107.7, 108, 107.4, 107.5)]
    outcome = play([*story, *quiet(2, 107)], Chandelier)
    # A range of 4 raises the ATR only a little: 3 ATR below 111.2 is still above 107.6.
    assert level(outcome, 24, 111.2, 3) > 107.6 > level(outcome, 23, 111.2, 5)
    assert first(outcome, 25) == ("chandelier_exit", 107.7)


def test_a_wick_below_the_chandelier_is_left_alone() -> None:
    story = [*BOUGHT, *RISE, (111.2, 111.4, 107.6, 110.6), *quiet(3, 110.6)]
    assert not reasons(play(story, Chandelier))


def test_the_resting_stop_trails_with_slack_and_fills_at_its_level() -> None:
    story = [*BOUGHT, *RISE, (111.2, 111.4, 106, 111), *quiet(3, 111)]
    outcome = play(story, Chandelier)
    reason, price = first(outcome, 24)
    assert reason == "trailing_stop_loss"
    assert price == pytest.approx(level(outcome, 23, 111.2, 5), abs=1e-3)


def test_a_deep_wick_fills_at_the_stop_of_the_candle_before() -> None:
    """Freqtrade moves no stop on a candle that reaches the old one: a backtest is a step behind."""
    story = [*BOUGHT, *RISE, (111.2, 111.4, 104, 111), *quiet(3, 111)]
    outcome = play(story, Chandelier)
    reason, price = first(outcome, 24)
    assert reason == "trailing_stop_loss"
    assert price == pytest.approx(level(outcome, 22, 110.7, 5), abs=1e-3)


def test_after_one_r_the_stop_pays_for_the_costs() -> None:
    story = [*BOUGHT, *RISE[:9], (105.7, 105.8, 100, 101.5), *quiet(3, 101.5)]
    outcome = play(story, BreakEven)
    reason, price = first(outcome, 13)
    assert reason == "trailing_stop_loss"
    assert price == pytest.approx(101 * (1 + 2 * 0.0015), abs=1e-3)


def test_before_one_r_the_stop_stays_at_the_beginning() -> None:
    story = [*BOUGHT, *RISE[:4], (103.2, 103.3, 100, 101.5), *quiet(3, 101.5)]
    assert not reasons(play(story, BreakEven))


def test_a_wanted_stop_already_through_the_market_leaves_at_the_open() -> None:
    """The close was one R above the entry, the open after it is below the entry and its costs."""
    story = [*BOUGHT, *RISE[:9], (101.1, 101.2, 100.6, 101), *quiet(3, 101)]
    assert first(play(story, BreakEven), 13) == ("stop_through_market", 101.1)


def test_a_trade_that_goes_nowhere_is_left_when_its_time_is_up() -> None:
    outcome = play(BOUGHT + quiet(40, 101.5), TimeStop)
    assert first(outcome, 3 + 24)[0] == "time_stop"


def test_a_trade_that_has_earned_one_r_is_given_more_time() -> None:
    assert not reasons(play([*BOUGHT, *RISE, *quiet(20, 111)], TimeStop))


@pytest.mark.parametrize("seed", range(6))
def test_no_stop_loosens_over_the_life_of_any_trade(seed: int) -> None:
    """Whatever the market does: candles at random, wild ones among them."""

    class Everything(Mini):
        stops = StopRules(4, chandelier_atr=3, chandelier_slack_atr=2, break_even_r=1)

    walk, close, story = random.Random(seed), 101.0, [*quiet(2), signal()]
    for _ in range(120):
        opened, close = close, close * (1 + walk.gauss(0.001, walk.choice((0.004, 0.02))))
        high, low = max(opened, close) * 1.003, min(opened, close) * 0.997
        story.append((opened, high, low, close))
    with stops_watched() as moves:
        outcome = play(story, Everything)
    assert len(outcome.trades)
    assert moves
    assert all(after >= before for before, after in moves)
    # A position is never left below where its stop was, gaps aside: there are none here.
    for trade in outcome.trades.itertuples():
        assert trade.close_rate >= trade.stop_loss_abs - 1e-6 or trade.exit_reason == "force_exit"


def test_settings_override_the_strategys_own_stops() -> None:
    story = [*BOUGHT, (101.2, 101.3, 98, 98.5), *quiet(3, 98.5)]
    assert not reasons(play(story))
    outcome = play(story, ballast={"stops": {"initial_atr": 2.0}})
    reason, price = first(outcome, 4)
    assert reason == "stop_loss"
    assert price == pytest.approx(level(outcome, 2, 100.9, 2), abs=1e-3)


def test_a_backtest_leaves_the_class_its_stop_on_the_exchange() -> None:
    """Freqtrade's backtest switches it off in the strategy it was given, in place."""
    play({LEADER: flat(1)})
    assert GuardedStrategy.order_types["stoploss_on_exchange"] is True
