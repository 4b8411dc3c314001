"""A foreign strategy that adjusts its positions: reductions are its own, additions are held.

Whatever it asks for, the whole position loses no more at its stop than one trade may.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

import pytest

from ballast import StopRules
from ballast.core.sentences import what
from ballast.journal.reader import Reader
from ballast.strategy import reductions
from tests.behaviour.mini import COSTS, PAIR, Story, play, quiet, reasons, signal
from tests.behaviour.test_fail_closed_live import lost
from tests.behaviour.wishes import Wishes, held
from tests.engine import BacktestOutcome

BUDGET = 50.0  # half a percent of 10,000
FILLED = (100.9, 101.4, 100.4, 100.45)
# Bought at 100.9 in row 3; its stop is four ATR below the signal, at 96.9.
BOUGHT: Story = [*quiet(2), signal(), FILLED, *quiet(6, 100.4)]


class Adding(Wishes):
    """Begins with `first` and wants `more` at the opening of each of the hours."""

    position_adjustment_enable = True
    first: ClassVar[float] = 300.0
    more: ClassVar[float] = 9_000.0
    hours: ClassVar[tuple[int, ...]] = (5, 6, 7)

    def custom_stake_amount(self, **_: Any) -> float:
        return self.first

    def adjust_trade_position(self, current_time: Any, **_: Any) -> Any:
        return (self.more, "more") if current_time.hour in self.hours else None


def wanting(**wishes: Any) -> Any:
    return type("Wanting", (Adding,), wishes)


def played(theirs: type[Wishes], story: Story = BOUGHT, most: int = 2, **more: Any) -> Any:
    ballast = {"additions": {"most": most}, "costs": {"enabled": False}, **more}
    return play(story, held(theirs), ballast=ballast)


def entries(outcome: BacktestOutcome) -> list[Any]:
    (trade,) = outcome.closed_trades
    return [order for order in trade.orders if order.ft_order_side == "buy"]


def loss_at(stop: float, orders: list[Any]) -> float:
    """What all of them lose where the position leaves at its stop, worked out anew."""
    return sum(o.amount * (o.ft_price - stop + o.ft_price * COSTS) for o in orders)


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    marks = ("entry refused, ",)
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("ballast")]
    return [line.partition(marks[0])[2] for line in lines if marks[0] in line]


def test_addition_is_refused_by_name_unless_it_is_allowed(caplog: pytest.LogCaptureFixture) -> None:
    """Told once a trade: theirs asks again at every candle."""
    with caplog.at_level(logging.INFO):
        assert len(entries(played(Adding, most=0))) == 1
    assert told(caplog) == ["ADDITIONS 1 entry (limit 0 entries) (ballast.additions.most)"]


def test_whole_position_loses_no_more_than_one_trade_may() -> None:
    outcome = played(Adding)
    orders = entries(outcome)
    assert [order.ft_order_tag.split(" ")[0] for order in orders] == ["theirs", "more"]
    stop = outcome.closed_trades[0].stop_loss
    assert loss_at(stop, orders) == pytest.approx(BUDGET, rel=0.01)
    assert loss_at(stop, orders) <= BUDGET


def test_averaging_down_ends_where_one_trades_loss_is_reached() -> None:
    """The first entry has taken all of it: price that falls towards the stop frees nothing."""
    falling = [*BOUGHT[:5], *quiet(5, 98.4)]
    assert len(entries(played(wanting(first=9_000.0), falling))) == 1


def test_additions_are_no_more_than_allowed_and_than_theirs_allows() -> None:
    little: Any = wanting(more=50.0)
    assert [len(entries(played(little, most=most))) for most in (1, 2, 5)] == [2, 3, 4]
    modest = type("Modest", (little,), {"max_entry_position_adjustment": 1})
    assert len(entries(played(modest, most=5))) == 2


def test_guard_that_blocks_entries_blocks_additions(caplog: pytest.LogCaptureFixture) -> None:
    """Freqtrade asks neither its locks nor any callback about an addition."""
    shocked = [*BOUGHT[:5], (100.4, 108.5, 100.4, 108), *quiet(4, 108)]
    with caplog.at_level(logging.INFO):
        assert len(entries(played(wanting(hours=(6,)), shocked))) == 1
    assert any(line.startswith("VOLATILITY ") for line in told(caplog))
    assert len(entries(played(wanting(hours=(5,)), shocked))) == 2


def test_addition_does_not_loosen_the_stop() -> None:
    """Its fill is an entry for Freqtrade, and is no beginning of a new plan."""
    rules = StopRules(initial_atr=4, chandelier_atr=4)
    risen = [(p, p + 0.6, p - 0.4, p + 0.45) for p in (100.5 + n / 2 for n in range(8))]
    story = [*BOUGHT[:4], *risen, (104.4, 104.9, 104, 104.5), (104, 104, 95, 96), *quiet(2, 96)]
    ballast = {"additions": {"most": 2}, "costs": {"enabled": False}}

    def left(theirs: type[Wishes]) -> BacktestOutcome:
        return play(story, held(theirs, stops=rules), ballast=ballast)

    added, alone = left(wanting(hours=(11,))), left(wanting(hours=()))
    assert [len(entries(outcome)) for outcome in (added, alone)] == [2, 1]
    (one,), (other,) = added.trades.itertuples(), alone.trades.itertuples()
    assert one.close_rate == other.close_rate > 100


def test_price_of_theirs_buys_no_addition_higher_than_it_was_sized() -> None:
    class Pricing(Adding):
        def custom_entry_price(self, trade: Any, proposed_rate: float, **_: Any) -> float:
            return proposed_rate if trade is None else 1.004 * proposed_rate

    orders = entries(played(Pricing))
    assert len(orders) == 2
    assert orders[1].ft_price == pytest.approx(100.4, abs=0.15)


def test_additions_count_among_the_entries_of_a_candle() -> None:
    """Two pairs that are added to at once, where one entry is allowed."""
    later = [*quiet(1), *BOUGHT[:-1]]
    allowed = {"risk": {"entries_per_candle": 1}, "additions": {"most": 2}}
    outcome = play(
        {PAIR: BOUGHT, "SOL/USDT": later},
        held(wanting(more=50.0, hours=(6,))),
        ballast={**allowed, "costs": {"enabled": False}},
    )
    assert sorted(len(t.select_filled_orders("buy")) for t in outcome.closed_trades) == [1, 2]


@pytest.mark.parametrize("answer", ["high", [101.0], (101.0, 1), 1j])
def test_a_price_of_theirs_that_is_no_number_is_none_and_the_addition_counts(answer: Any) -> None:
    """A word left it uncounted, what is no number at all ended the backtest, and the bot."""

    class Pricing(wanting(more=50.0, hours=(6,))):  # type: ignore[misc]
        def custom_entry_price(self, **_: Any) -> Any:
            return answer

    later = [*quiet(1), *BOUGHT[:-1]]
    allowed = {"risk": {"entries_per_candle": 1}, "additions": {"most": 2}}
    outcome = play(
        {PAIR: BOUGHT, "SOL/USDT": later},
        held(Pricing),
        ballast={**allowed, "costs": {"enabled": False}},
    )
    assert sorted(len(t.select_filled_orders("buy")) for t in outcome.closed_trades) == [1, 2]
    causes = outcome.strategy._ballast.incidents.counts
    assert any(cause.startswith("custom_entry_price: ") for cause in causes)


class Reducing(Wishes):
    """Sells a share of the position at hour 5."""

    position_adjustment_enable = True
    share: ClassVar[float] = 0.5

    def adjust_trade_position(self, trade: Any, current_time: Any, **_: Any) -> Any:
        if current_time.hour != 5 or trade.nr_of_successful_exits:
            return None
        return -self.share * trade.stake_amount, "some"


def test_reduction_is_theirs_and_the_rest_keeps_its_stop() -> None:
    story = [*BOUGHT, (100.4, 100.4, 90, 91), *quiet(2, 91)]
    outcome = played(Reducing, story)
    (trade,) = outcome.closed_trades
    sales = [order for order in trade.orders if order.ft_order_side == "sell"]
    assert sales[0].amount == pytest.approx(sales[1].amount, rel=1e-6)
    assert sales[0].ft_order_tag == "some"
    assert sales[1].ft_price == pytest.approx(96.9, abs=0.02)
    assert reasons(outcome) == ["stop_loss"]


def test_a_reduction_that_cannot_be_worked_out_is_not_sold_and_the_stop_stays() -> None:
    story = [*BOUGHT, (100.4, 100.4, 90, 91), *quiet(2, 91)]
    with patch.object(reductions, "whole_or_part", lost):
        outcome = played(Reducing, story)
    (trade,) = outcome.closed_trades
    (sale,) = [order for order in trade.orders if order.ft_order_side == "sell"]
    assert sale.amount == pytest.approx(trade.amount)
    assert reasons(outcome) == ["stop_loss"]
    assert any("reduction" in cause for cause in outcome.strategy._ballast.incidents.counts)


def test_reduction_is_told_as_a_part_and_not_as_the_end(tmp_path: Path) -> None:
    story = [*BOUGHT, (100.4, 100.4, 90, 91), *quiet(2, 91)]
    ballast = {"costs": {"enabled": False}, "journal": {"backtest": True}}
    play(story, held(Reducing), ballast=ballast, config={"user_data_dir": tmp_path})
    _, events = Reader(tmp_path / "ballast_journal.backtest.sqlite").life(1)
    told = [what(event) for event in events if event.code in ("PART_SOLD", "stop_loss")]
    assert len(told) == 2
    assert told[0].startswith("PART_SOLD by some, sell of ")
    assert told[1].startswith("left by stop_loss with ")


def test_rest_too_small_to_be_sold_is_left_with_it() -> None:
    """Freqtrade drops such a reduction without a word; with it the rest could have no stop."""
    most = type("Most", (Reducing,), {"share": 0.999})
    trade = played(most).closed_trades[0]
    (sale,) = [order for order in trade.orders if order.ft_order_side == "sell"]
    assert sale.amount == pytest.approx(trade.amount)
    assert trade.close_date.hour == 5


def test_strategy_that_adjusts_nothing_cannot_be_added_to(caplog: pytest.LogCaptureFixture) -> None:
    """Switched on by a configuration it would open `/forceenter` on an open pair."""
    outcome = play(BOUGHT, held(Wishes), config={"position_adjustment_enable": True})
    assert outcome.strategy.position_adjustment_enable is False
    assert outcome.strategy.config["position_adjustment_enable"] is False
