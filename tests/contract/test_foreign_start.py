"""When a strategy's attributes become final, and who reads which of them how late.

A layer that replaces a stop or an order type has to do it after the last that sets it and before
the first that reads it.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar
from unittest.mock import patch

import pytest
from freqtrade.enums import RunMode
from freqtrade.resolvers import StrategyResolver

from tests.contract.live_bot import enter, live_bot
from tests.engine import ScriptedStrategy, flat, run_backtest

PAIR = "BTC/USDT"
SOURCE = """
from freqtrade.strategy import IntParameter, IStrategy

LOG = []


class Starting(IStrategy):
    timeframe = "1h"
    stoploss = -0.1
    minimal_roi = {"0": 1}
    buy_rows = IntParameter(1, 9, default=3, space="buy")

    def __init__(self, config):
        super().__init__(config)
        self.log = [f"init {self.stoploss}"]

    def __setattr__(self, name, value):
        if name in ("stoploss", "trailing_stop"):
            self.log.append(f"{name} {value}")
        super().__setattr__(name, value)

    def bot_start(self, **kwargs):
        self.log.append(f"bot_start {self.stoploss} rows {self.buy_rows.value}")

    def populate_indicators(self, dataframe, metadata):
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe
"""
FILE = {
    "strategy_name": "Starting",
    "params": {
        "buy": {"buy_rows": 7},
        "stoploss": {"stoploss": -0.2},
        "trailing": {"trailing_stop": True},
    },
}


def load(folder: Path, source: str = SOURCE, **settings: Any) -> Any:
    (folder / "strategies").mkdir(exist_ok=True)
    (folder / "strategies" / "Starting.py").write_text(source, encoding="utf-8")
    (folder / "strategies" / "Starting.json").write_text(json.dumps(FILE), encoding="utf-8")
    config = {"strategy": "Starting", "user_data_dir": folder, "runmode": RunMode.OTHER}
    return StrategyResolver.load_strategy(config | settings)


def test_attributes_are_set_by_file_then_configuration_then_parameters(tmp_path: Path) -> None:
    """The end of `ft_bot_start` is the first moment at which all of them are in force."""
    strategy = load(tmp_path, stoploss=-0.3)
    strategy.ft_bot_start()
    file = ["stoploss -0.2", "trailing_stop True"]
    configuration, normalised = "stoploss -0.3", "stoploss -0.3"
    started = "bot_start -0.3 rows 3"
    assert strategy.log == ["init -0.1", *file, configuration, normalised, started]
    assert strategy.buy_rows.value == 7


def test_configuration_leaves_a_property_alone_and_the_parameter_file_does_not(
    tmp_path: Path,
) -> None:
    """A stop as a property without a setter would stop the bot as soon as hyperopt has run."""
    getter = "    @property\n    def stoploss(self):\n        return -0.15\n"
    with pytest.raises(AttributeError, match="stoploss"):
        load(tmp_path, SOURCE.replace("    stoploss = -0.1\n", getter))
    ignored = getter + "\n    @stoploss.setter\n    def stoploss(self, value):\n        pass\n"
    source = SOURCE.replace("    stoploss = -0.1\n", ignored)
    assert load(tmp_path, source, stoploss=-0.3).stoploss == -0.15


def test_startup_count_is_read_before_bot_start() -> None:
    """A layer's own windows must be in it when the strategy has been built."""

    class Late(ScriptedStrategy):
        startup_candle_count = 2

        def bot_start(self, **_: Any) -> None:
            self.startup_candle_count = 5

    outcome = run_backtest(Late, {PAIR: flat(8)})
    assert len(outcome.frames[PAIR]) == 6


def test_shorting_is_refused_where_it_is_not_switched_off_before_the_end_of_init() -> None:
    """A long and short strategy runs long on spot markets if the layer says so in time."""

    class Both(ScriptedStrategy):
        can_short = True

    class Long(Both):
        def __init__(self, config: dict[str, Any]) -> None:
            super().__init__(config)
            self.can_short = False

    with pytest.raises(ImportError, match="Short strategies cannot run in spot markets"):
        run_backtest(Both, {PAIR: flat(4)})
    assert len(run_backtest(Long, {PAIR: flat(4)}).trades) == 1


@pytest.mark.parametrize(("in_init", "moved"), [(True, True), (False, False)])
def test_exchange_stop_moves_only_if_custom_stops_were_on_when_the_strategy_was_loaded(
    in_init: bool, moved: bool, tmp_path: Path
) -> None:
    """Freqtrade asks its configuration, which the resolver copies from the attribute at load."""

    class Layered(ScriptedStrategy):
        def __init__(self, config: dict[str, Any]) -> None:
            super().__init__(config)
            if in_init:
                self.use_custom_stoploss = True

        def bot_start(self, **_: Any) -> None:
            self.use_custom_stoploss = True

    with live_bot(Layered, tmp_path) as bot:
        (trade,) = enter(bot)
        with patch.object(bot, "handle_trailing_stoploss_on_exchange") as moves:
            bot.manage_trade_stoploss_orders(trade, [{"id": "1", "status": "open"}])
        assert moves.called is moved


def test_hyperopt_sets_stop_and_trailing_after_the_start_of_the_strategy() -> None:
    """Of its own spaces, at every epoch: what a layer put there at the start is gone."""
    pytest.importorskip("optuna", reason="hyperopt needs optuna; `make test` installs it")
    from freqtrade.optimize.hyperopt.hyperopt_auto import HyperOptAuto
    from freqtrade.optimize.hyperopt.hyperopt_optimizer import HyperOptimizer

    strategy = ScriptedStrategy({"runmode": RunMode.HYPEROPT})
    optimizer = HyperOptimizer.__new__(HyperOptimizer)
    optimizer.config = {"spaces": ["stoploss", "trailing"], "timeframe": "1h"}
    optimizer.backtesting = SimpleNamespace(strategy=strategy)
    optimizer.custom_hyperopt = HyperOptAuto(optimizer.config)
    optimizer.custom_hyperopt.strategy = strategy
    optimizer.data_pickle_file = Path("/the/frames/come/next")
    trailing = {"trailing_stop": True, "trailing_stop_positive": 0.01}
    trailing |= {"trailing_stop_positive_offset_p1": 0.01, "trailing_only_offset_is_reached": True}
    with pytest.raises(FileNotFoundError):
        optimizer.generate_optimizer({"stoploss": -0.33, **trailing})
    assert (strategy.stoploss, strategy.trailing_stop) == (-0.33, True)


def test_attribute_put_back_at_the_start_of_a_loop_holds_for_the_first_entry() -> None:
    """The one hook after hyperopt's values and before any trade."""

    class PutBack(ScriptedStrategy):
        stoploss = -0.5

        def bot_loop_start(self, **_: Any) -> None:
            self.stoploss = -0.1

    outcome = run_backtest(PutBack, {PAIR: [*flat(3), (100, 100, 80, 82), *flat(2, 82)]})
    (trade,) = outcome.trades.itertuples()
    assert (trade.initial_stop_loss_abs, trade.close_rate) == (90, 90)


def test_every_attribute_is_asked_for_before_parameters_are_loaded() -> None:
    """Also private ones and properties, by FreqUI before the start: none of a layer may raise."""

    class Watched(ScriptedStrategy):
        asked: ClassVar[list[str]] = []

        @property
        def _state(self) -> None:
            self.asked.append("_state")

        @property
        def plot_config(self) -> dict[str, Any]:
            self.asked.append("plot_config")
            return {}

    Watched({"runmode": RunMode.OTHER}).ft_load_hyper_params()
    assert Watched.asked == ["_state", "plot_config"]


def test_open_stops_are_put_back_to_the_class_stop_at_a_start(tmp_path: Path) -> None:
    """Adopting a strategy that has positions: one that never moved gets the new class stop."""
    with live_bot(ScriptedStrategy, tmp_path) as bot:
        (trade,) = enter(bot)
        assert trade.stop_loss_pct == pytest.approx(-0.1)
        bot.strategy.stoploss = -0.05
        bot.startup()
        assert trade.stop_loss == pytest.approx(95)
