"""What Freqtrade keeps stops by stays as it was let start, whatever a strategy sets while it runs.

Nothing of it was noticed: the stop on the exchange stayed where it was first placed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from freqtrade.persistence import Trade

from ballast.core.candles import Candles
from ballast.core.market import Market
from ballast.core.rules import Rule
from ballast.core.stops import StopRules
from sandbox.units import UNIT
from tests.behaviour.live_story import Told, story_run
from tests.behaviour.mini import Mini, quiet, signal
from tests.behaviour.wishes import Wishes, held

STOPS = StopRules(initial_atr=4, chandelier_atr=4)
RISING = [*quiet(2), signal(), *quiet(1, 101), *quiet(6, 108)]

Change = Callable[[Any], None]


def lower(_: Any) -> None:
    for trade in Trade.get_open_trades():
        trade.stop_loss, trade.stop_loss_pct = 1.0, -0.99
    Trade.commit()


CHANGES: dict[str, Change] = {
    "order_types.stoploss_on_exchange": lambda s: s.order_types.update(stoploss_on_exchange=False),
    "order_types.stoploss_on_exchange_interval": lambda s: setattr(
        s, "order_types", {**s.order_types, "stoploss_on_exchange_interval": 10**9}
    ),
    "order_types.exit": lambda s: s.order_types.clear(),
    "use_custom_stoploss": lambda s: setattr(s, "use_custom_stoploss", False),
    "config.use_custom_stoploss": lambda s: s.config.update(use_custom_stoploss=False),
    "config.dry_run": lambda s: s.config.update(dry_run=True),
    "stop_loss of AAA/USDT": lower,
}


def in_the_loop(change: Change) -> type[Any]:
    class InLoop(Wishes):
        def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
            change(self)

    return held(InLoop, stops=STOPS)


def in_the_analysis(change: Change) -> type[Any]:
    class InAnalysis(Wishes):
        def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
            change(self)
            return super().populate_exit_trend(dataframe, metadata)

    return held(InAnalysis, stops=STOPS)


def in_an_exit(change: Change) -> type[Any]:
    class InExit(Wishes):
        def custom_exit(self, **kwargs: Any) -> None:
            change(self)

    return held(InExit, stops=STOPS)


def in_a_rule(change: Change) -> type[Any]:
    class InRule(Mini):
        stops = STOPS

        def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
            if self.session is not None:
                change(self)
            return super().entry_rules(pair, market)

    return InRule


def rests_where_it_should(told: Told) -> bool:
    """Whether the plan rests on the exchange, to a tick."""
    (stop,) = told.run.exchange.open_orders()
    session = told.run.bot.strategy._ballast.decisions.session
    plan = session.stop_manager.stop(told.trade, told.run.now)
    rests = stop.request.stop_price / UNIT
    return plan > 100 and abs(rests - plan) <= 0.01 and stop.amount / UNIT == told.trade.amount


# Every change in one place, and one of each kind in every other.
PLACES = (in_the_analysis, in_an_exit, in_a_rule)
KINDS = ("order_types.exit", "use_custom_stoploss", "stop_loss of AAA/USDT")
CASES = [(in_the_loop, what) for what in CHANGES] + [(p, what) for p in PLACES for what in KINDS]


@pytest.mark.parametrize(("where", "what"), CASES)
def test_stops_are_kept_as_before_and_it_is_told(
    where: Callable[[Change], type[Any]], what: str, tmp_path: Path
) -> None:
    with story_run(tmp_path, RISING, where(CHANGES[what])) as told:
        told.loops(3)
        told.hours(2)
        told.loops(2)
        assert rests_where_it_should(told)
        causes = told.run.bot.strategy._ballast.incidents.counts
        assert any("OverrideRefused" in cause and what in cause for cause in causes)


def test_a_strategy_opens_no_more_positions_than_the_configuration_says(tmp_path: Path) -> None:
    strategy = in_the_loop(lambda s: s.config.update(max_open_trades=99))
    with story_run(tmp_path, RISING, strategy, max_open_trades=0) as told:
        told.loops(3)
        assert told.run.trades == []
        assert told.run.bot.config["max_open_trades"] == 0


def test_less_is_its_own_affair(tmp_path: Path) -> None:
    """Fewer positions, and how entries are ordered."""

    def less(strategy: Any) -> None:
        strategy.config["max_open_trades"] = 1
        strategy.order_types["entry"] = "market"

    with story_run(tmp_path, RISING, in_the_loop(less), max_open_trades=2) as told:
        told.loops(3)
        assert told.run.bot.config["max_open_trades"] == 1
        (order, *_) = told.run.exchange.orders
        assert order.request.type.value == "MARKET"
        assert not told.run.bot.strategy._ballast.incidents.counts
