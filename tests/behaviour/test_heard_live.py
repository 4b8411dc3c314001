"""A foreign strategy under the layer, live on an exchange: what it delays, breaks and adds."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest
from freqtrade.exceptions import OperationalException
from freqtrade.rpc import RPC

from ballast import StopRules
from ballast.journal.explanations import why
from sandbox.orders import Order, Side
from tests.behaviour.live_story import LostAnswers, Told, story_run
from tests.behaviour.mini import COSTS, Story, quiet, signal
from tests.behaviour.test_additions import BUDGET
from tests.behaviour.test_heard_frames import Renaming
from tests.behaviour.test_partial_exits import NoSales
from tests.behaviour.wishes import Wishes, held
from tests.engine import resolvable
from tests.exchange import PAIR

CALM = (100.9, 101.4, 100.4, 100.45)
BOUGHT: Story = [*quiet(2), signal(), CALM, *quiet(6, 100.4)]
STOP_PRICE = 96.88


def stops(told: Told) -> list[Order]:
    """Every stop order that the exchange has been sent, oldest first."""
    return [order for order in told.run.exchange.orders if order.request.stop_price]


def rests(told: Told) -> bool:
    """Whether a stop that would sell all that is held waits on the exchange."""
    waiting = [order for order in stops(told) if order.waits_for_trigger]
    return bool(waiting) and sum(o.remaining for o in waiting) / 1e8 == pytest.approx(
        told.coins, abs=0.002
    )


class Delaying(Wishes):
    """Wants to leave from the close of the candle that it was bought on, and says no until told."""

    asked: ClassVar[list[str]] = []
    willing: ClassVar[bool] = False

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe.loc[dataframe["close"].between(100.4, 100.5), ["exit_long", "exit_tag"]] = (
            1,
            "enough",
        )
        return dataframe

    def confirm_trade_exit(self, exit_reason: str, **_: Any) -> bool:
        self.asked.append(exit_reason)
        return self.willing


def test_exit_that_theirs_delays_never_takes_the_stop_off(tmp_path: Path) -> None:
    """Freqtrade cancels the stop, and asks then: a delay of an hour would be one without a stop."""
    strategy = held(Delaying)
    with story_run(tmp_path, BOUGHT, strategy) as told:
        told.loops(3)
        assert rests(told)
        told.hours(1)
        told.loops(10)
        assert len(strategy.asked) > 5
        assert set(strategy.asked) == {"enough"}
        assert told.trade.is_open
        assert len(stops(told)) == 1
        assert rests(told)
        strategy.willing, before = True, len(strategy.asked)
        told.loops(2)
        assert (told.trade.exit_reason, told.trade.is_open) == ("enough", False)
        assert len(strategy.asked) == before + 1
        assert told.run.differences() == []


class Failing(Wishes):
    """Cannot work out its indicators any more once the switch is on."""

    broken: ClassVar[bool] = False

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        if self.broken:
            raise KeyError("what is this")
        return dataframe


def test_pair_that_theirs_cannot_analyse_is_not_bought(tmp_path: Path) -> None:
    """Freqtrade keeps the frame of before, and buys on it."""
    strategy = held(type("Broken", (Failing,), {}))
    with story_run(tmp_path, [*quiet(3), signal(), CALM, *quiet(4)], strategy) as told:
        told.loops(2)
        strategy.broken = True
        told.hours(1)
        told.loops(10)
        assert told.run.trades == []
        causes = told.run.bot.strategy._ballast.incidents.counts
        assert any("populate_indicators: " in cause for cause in causes)
        strategy.broken = False
        # Analysed again, its signal is too old by now.
        told.loops(30)
        assert told.run.trades == []


def test_a_pair_that_theirs_renames_in_its_metadata_is_bought_and_covered(tmp_path: Path) -> None:
    """Live one dictionary goes through all three methods."""
    with story_run(tmp_path, BOUGHT, held(Renaming)) as told:
        told.loops(3)
        assert told.trade.pair == PAIR
        assert rests(told)


def test_what_is_held_is_left_by_stop_and_by_the_layer_while_theirs_is_broken(
    tmp_path: Path,
) -> None:
    strategy = held(type("BrokenLater", (Failing,), {}))
    falling = [*BOUGHT[:4], (100.45, 100.5, 95, 95.5), *quiet(3, 95)]
    with story_run(tmp_path, falling, strategy) as told:
        told.loops(3)
        strategy.broken = True
        assert rests(told)
        told.hours(2)
        assert told.trade.exit_reason == "stoploss_on_exchange"
        assert told.run.differences() == []


def test_stop_is_not_loosened_by_a_restart_with_a_wider_class_stop(tmp_path: Path) -> None:
    """Freqtrade puts a stop that never moved back to the class stop of the file as it is now."""
    tight: Any = type("Tight", (Wishes,), {"stoploss": -0.02})
    strategy = held(tight)
    with story_run(tmp_path, BOUGHT, strategy) as told:
        told.loops(3)
        before = told.trade.stop_loss
        assert before == pytest.approx(0.98 * told.trade.open_rate, rel=1e-4)
        told.run.killed()
        tight.stoploss = -0.2
        told.run.started()
        told.loops(2)
        assert told.trade.stop_loss == before
        assert rests(told)


def test_a_strategy_says_whose_positions_it_takes_over_and_keeps_their_stops(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Freqtrade keeps trades of all strategies in one database, and says nothing."""
    said = "takes over open positions of another strategy (1 of GuardedWishes)"
    other = held(type("Later", (Wishes,), {}), stops=StopRules(initial_atr=8))
    with story_run(tmp_path, BOUGHT, held(Wishes)) as told:
        told.loops(3)
        before = told.trade.stop_loss
        told.run.stopped()
        told.run.started()
        assert said not in caplog.text
        told.run.stopped()
        with resolvable(other) as names:
            told.run.config |= names
            told.run.started()
        told.loops(3)
        assert f"GuardedLater {said}" in caplog.text
        assert told.trade.stop_loss == before
        assert rests(told)


def test_forced_entries_are_refused_where_theirs_adjusts_positions(tmp_path: Path) -> None:
    """One on an open pair would be an addition about which Freqtrade asks nobody."""
    wishes = {"adjust_trade_position": lambda *_, **__: None, "position_adjustment_enable": True}
    adjusting: Any = type("Adjusting", (Wishes,), wishes)
    with (
        pytest.raises(OperationalException, match="force_entry_enable is True: expected False"),
        story_run(tmp_path, BOUGHT, held(adjusting), force_entry_enable=True),
    ):
        pass


class Adding(Wishes):
    """Begins with 300 and adds once when told to."""

    position_adjustment_enable = True
    more: ClassVar[float] = 0.0

    def custom_stake_amount(self, **_: Any) -> float:
        return 300.0

    def adjust_trade_position(self, trade: Any, **_: Any) -> Any:
        if not self.more or trade.has_open_orders:
            return None
        return self.more, "more"


def bought(told: Told) -> list[Order]:
    return [order for order in told.run.exchange.orders if order.side is Side.BUY]


def whole_loss(told: Told) -> float:
    """What the position loses at its stop, from what the exchange has sold it for."""
    units = sum(order.executed for order in bought(told)) / 1e8
    paid = sum(order.quote_executed for order in bought(told)) / 1e8
    return float(paid - units * told.trade.stop_loss + paid * COSTS)


ADDITIONS = {"additions": {"most": 1}}
# Of the two entries and the third that is not allowed: Freqtrade tells of an addition's fill twice.
ONCE = ("ENTRY_FILLED", "ENTRY_FILLED", "ADDITIONS")


@pytest.mark.parametrize("lost", [None, LostAnswers(0, "BUY")])
def test_addition_is_sized_covered_and_known_again_if_its_answer_is_lost(
    lost: LostAnswers | None, tmp_path: Path
) -> None:
    strategy = held(type("Added", (Adding,), {}))
    with story_run(tmp_path, BOUGHT, strategy, ballast=ADDITIONS, lost=lost) as told:
        told.loops(3)
        assert rests(told)
        if lost is not None:
            lost.times = 1
        # Two orders of one moment could not be told apart.
        told.run.clock.shift(30)
        strategy.more = 9_000.0
        told.loops(6)
        assert len(bought(told)) == 2
        assert told.trade.nr_of_successful_entries == 2
        assert whole_loss(told) == pytest.approx(BUDGET, rel=0.05)
        assert whole_loss(told) <= BUDGET
        # Freqtrade keeps its ratio to the average price, where that is higher.
        assert told.trade.stop_loss >= STOP_PRICE
        assert rests(told)
        assert told.run.differences() == []
        told.hours(1)
        assert len(bought(told)) == 2
        assert [event.code for event in told.events if event.code in ONCE] == list(ONCE)


def test_reduction_leaves_the_rest_covered(tmp_path: Path) -> None:
    halving: Any = type(
        "Halving",
        (Adding,),
        {
            "adjust_trade_position": lambda self, trade, **_: (
                -trade.stake_amount / 2 if self.more and not trade.nr_of_successful_exits else None
            )
        },
    )
    strategy = held(halving)
    with story_run(tmp_path, BOUGHT, strategy) as told:
        told.loops(3)
        strategy.more = 1.0
        held_before = told.coins
        told.loops(2)
        assert told.coins == pytest.approx(held_before / 2, abs=0.002)
        assert rests(told)
        # Freqtrade keeps its ratio to what was paid, fees in coins counted.
        assert STOP_PRICE <= told.trade.stop_loss < STOP_PRICE + 0.1
        assert told.run.differences() == []


def test_a_reduction_too_small_to_be_sold_takes_no_stop_off(tmp_path: Path) -> None:
    """Freqtrade cancels the stop first: refused each time, the position had none between loops."""
    tiny: Any = type("Tiny", (Adding,), {"adjust_trade_position": lambda self, **_: -5.0})
    with story_run(tmp_path, BOUGHT, held(tiny)) as told:
        told.loops(1)
        for _ in range(3):
            told.loops(1)
            assert rests(told)
        small = [event for event in told.events if event.code == "PART_TOO_SMALL"]
        assert [event.facts["detail"] for event in small] == ["reduction"]


def test_a_reduction_that_the_exchange_refuses_is_tried_once_a_candle(tmp_path: Path) -> None:
    """Each attempt takes the stop off the exchange: in every loop, nothing would ever rest."""
    halving: Any = type(
        "Refused",
        (Adding,),
        {"adjust_trade_position": lambda self, trade, **_: -trade.stake_amount / 2},
    )
    with story_run(tmp_path, BOUGHT, held(halving), hooks=NoSales()) as told:
        told.loops(3)
        bare = 0
        for _ in range(30):
            told.loops(1)
            bare += not rests(told)
        assert bare <= 1
        assert rests(told)
        causes = told.run.bot.strategy._ballast.incidents.counts
        assert [n for cause, n in causes.items() if "reduction was not sold" in cause] == [1]


def test_telegram_and_frequi_are_told_what_holds(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Freqtrade copied theirs into its configuration, which is what it shows."""
    drawing: Any = type("Drawing", (Wishes,), {"plot_config": {"main_plot": {"ema": {}}}})
    with caplog.at_level(logging.INFO), story_run(tmp_path, BOUGHT, held(drawing)) as told:
        told.loops(3)
        bot = told.run.bot
        rpc = RPC(bot)
        shown = RPC._rpc_show_config(bot.config, "running", bot.strategy.version())
        assert (shown["stoploss"], shown["stoploss_on_exchange"]) == (-0.10, True)
        assert set(rpc._rpc_plot_config()["main_plot"]) == {"ema", "ballast_first_stop"}
        history = rpc._rpc_analysed_dataframe(PAIR, "1h", 50, None)
        assert {"ballast_first_stop", "ballast_regime", "enter_long"} <= set(history["columns"])
        assert history["annotations"] is not None
        answer = why(bot.strategy._ballast.decisions.session.recorder, [PAIR], "AAA")
        assert "entered, trade 1" in answer
        assert "their signal is 1" in answer
