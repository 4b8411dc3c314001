"""What `adopt` says of a strategy is what its class really has."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import pandas as pd
import pytest
from freqtrade.enums import CandleType
from freqtrade.resolvers import StrategyResolver
from freqtrade.strategy import IntParameter, IStrategy

from ballast import guarded
from ballast.strategy.heard import Heard, Hearing, heard
from tests.behaviour.theirs import Theirs, Version2
from tests.engine import base_config, resolvable

PAIRS = ("BTC/USDT",)


class Plain(IStrategy):
    """As little as Freqtrade asks for."""

    timeframe = "1h"
    stoploss = -0.05
    minimal_roi: ClassVar[dict[Any, float]] = {0: 0.1}
    startup_candle_count = 1000

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        return dataframe

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        return dataframe

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        return dataframe


def told(theirs: type[IStrategy], most_additions: int = 0) -> dict[str, Heard]:
    with TemporaryDirectory() as folder, resolvable(type("Under", (guarded(theirs),), {})) as names:
        config = {**base_config(Path(folder), PAIRS), "candle_type_def": CandleType.SPOT}
        strategy = StrategyResolver.load_strategy({**config, **names})
    return {each.what: each for each in heard(strategy, most_additions)}


def variant(**attributes: Any) -> type[IStrategy]:
    return type("Variant", (Plain,), attributes)


def test_nothing_is_said_of_what_a_strategy_has_not() -> None:
    expected = {"entry signals", "exit signals", "stoploss", "minimal_roi", "order_types"}
    assert set(told(Plain)) == expected


@pytest.mark.parametrize(
    ("what", "how"),
    [
        ("custom_stake_amount", Hearing.CAPPED),
        ("confirm_trade_entry", Hearing.KEPT),
        ("confirm_trade_exit", Hearing.CAPPED),
        ("custom_entry_price", Hearing.CAPPED),
        ("custom_exit_price", Hearing.REPLACED),
        ("adjust_entry_price", Hearing.CAPPED),
        ("custom_stoploss", Hearing.CAPPED),
        ("custom_exit", Hearing.KEPT),
        ("order_filled", Hearing.KEPT),
        ("bot_start", Hearing.KEPT),
        ("bot_loop_start", Hearing.KEPT),
        ("stoploss", Hearing.REPLACED),
        ("order_types", Hearing.REPLACED),
        ("startup_candle_count", Hearing.REPLACED),
        ("minimal_roi", Hearing.KEPT),
        ("protections", Hearing.KEPT),
        ("@informative", Hearing.KEPT),
        ("hyperopt parameters", Hearing.KEPT),
        ("adjust_trade_position: reductions", Hearing.KEPT),
        ("adjust_trade_position: additions", Hearing.REFUSED),
    ],
)
def test_each_thing_is_told_with_what_becomes_of_it(what: str, how: Hearing) -> None:
    found = told(Theirs)
    assert found[what].how is how
    assert all(each.why for each in found.values())
    assert len(found) == 22


def test_additions_are_capped_where_the_settings_allow_them() -> None:
    found = told(Theirs, 2)["adjust_trade_position: additions"]
    assert found.how is Hearing.CAPPED
    assert "at most 2" in found.why


def test_values_are_theirs() -> None:
    found = told(Theirs)
    assert found["stoploss"].value == "-20 %"
    assert found["startup_candle_count"].value == "60"
    assert found["minimal_roi"].value == "12 %, 3 %"
    assert found["order_types"].value == "exit limit, stoploss_on_exchange False"
    assert found["protections"].value == "CooldownPeriod"
    former = {"buy": "limit", "sell": "limit", "stoploss": "market", "stoploss_on_exchange": True}
    assert told(variant(order_types=former))["order_types"].value == "exit limit"


@pytest.mark.parametrize(
    ("attributes", "what", "how"),
    [
        ({"can_short": True}, "short signals", Hearing.REFUSED),
        ({"trailing_stop": True}, "trailing_stop", Hearing.CAPPED),
        ({"process_only_new_candles": False}, "process_only_new_candles", Hearing.REPLACED),
        ({"stoploss": -0.02}, "stoploss", Hearing.CAPPED),
        ({"rsi": IntParameter(1, 9, default=3, space="buy")}, "hyperopt parameters", Hearing.KEPT),
        ({"plot_config": {"main_plot": {"ema": {}}}}, "plot_config", Hearing.KEPT),
        ({"leverage": lambda self, **_: 3.0}, "leverage", Hearing.REFUSED),
        ({"custom_sell": lambda self, **_: None}, "custom_sell", Hearing.KEPT),
        ({"check_buy_timeout": lambda self, **_: True}, "check_buy_timeout", Hearing.KEPT),
    ],
)
def test_what_is_set_is_told(attributes: dict[str, Any], what: str, how: Hearing) -> None:
    assert told(variant(**attributes))[what].how is how


def test_exit_signals_that_are_off_are_told_as_off() -> None:
    assert told(variant(use_exit_signal=False))["exit signals"].value == "use_exit_signal is off"


def test_interface_version_2_is_read_too() -> None:
    assert told(Version2)["stoploss"].value == "-10 %"
