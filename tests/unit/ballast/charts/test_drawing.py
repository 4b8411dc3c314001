"""Charts show prices and first stops over the candles; regimes, shocks and rules below them."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ballast.charts.drawing import add_columns, plot_config, stop_path
from ballast.core import stops
from ballast.core.rules import holds
from ballast.core.signals import Setup, add_signals
from ballast.core.stops import StopRules
from tests.engine import START


def setup(name: str, **flags: list[bool]) -> Setup:
    entry = {rule: holds(pd.Series(met)) for rule, met in flags.items()}
    return Setup(name, entry, StopRules(initial_atr=2))


def test_lines_are_drawn_over_the_candles_and_rules_below() -> None:
    config = plot_config(["channel"], [setup("A", up=[True]), setup("B", calm=[False])])
    assert list(config["main_plot"]) == ["first_stop", "channel"]
    assert list(config["subplots"]["rules"]) == ["met_up", "met_calm"]


def test_a_rule_that_two_setups_share_is_drawn_once() -> None:
    config = plot_config([], [setup("A", up=[True, False]), setup("B", up=[True, False])])
    assert list(config["subplots"]["rules"]) == ["met_up"]


def test_one_name_for_two_rules_is_refused() -> None:
    with pytest.raises(ValueError, match="'up'"):
        plot_config([], [setup("A", up=[True, False]), setup("B", up=[False, True])])


def test_every_column_has_a_colour() -> None:
    config = plot_config([f"line{n}" for n in range(9)], [])
    colours = [column["color"] for column in config["main_plot"].values()]
    assert np.all([colour.startswith("#") for colour in colours])


def signalled(first: list[bool], second: list[bool]) -> tuple[pd.DataFrame, list[Setup]]:
    """Candles on which two setups with different stops signal."""
    count = len(first)
    frame = pd.DataFrame(
        {
            "date": pd.date_range(START, periods=count, freq="1h"),
            "close": np.linspace(100.0, 110.0, count),
            "atr": [np.nan, *np.linspace(1.0, 3.0, count - 1)],
            "trust": 0,
        }
    )
    setups = [
        Setup("A", {"a": holds(pd.Series(first))}, StopRules(initial_atr=2)),
        Setup("B", {"b": holds(pd.Series(second))}, StopRules(initial_atr=4)),
    ]
    add_signals(frame, setups)
    return frame, setups


def test_the_first_stop_is_that_of_the_setup_that_signals() -> None:
    frame, setups = signalled([False] * 6, [False, True] * 3)
    add_columns(frame, setups, 0.1)
    for row in frame.iloc[1:].itertuples():
        rules = setups[1 if row.setup == 1 else 0].stops
        assert row.first_stop == stops.initial_stop(row.close, row.atr, rules, 0.1)
    assert np.isnan(frame["first_stop"].iloc[0])


def test_rules_are_drawn_in_lanes_that_do_not_touch() -> None:
    frame, setups = signalled([True, False] * 3, [False, False, True] * 2)
    add_columns(frame, setups, 0.1)
    assert frame["met_a"].tolist() == pytest.approx([1.7, 1.0] * 3)
    assert frame["met_b"].tolist() == pytest.approx([0.0, 0.0, 0.7] * 2)


def test_what_is_drawn_does_not_change_with_candles_to_come() -> None:
    first, second = [True, False, False, True] * 3, [False, True, True] * 4
    whole, setups = signalled(first, second)
    add_columns(whole, setups, 0.1)
    for count in range(2, len(whole)):
        part, part_setups = signalled(first[:count], second[:count])
        part["close"], part["atr"] = whole["close"][:count], whole["atr"][:count]
        add_columns(part, part_setups, 0.1)
        for name in ("first_stop", "met_a", "met_b"):
            pd.testing.assert_series_equal(part[name], whole[name][:count])


def trade(opened_hour: int, **changed: Any) -> Any:
    made = {
        "open_rate": 100.0,
        "open_date_utc": START + timedelta(hours=opened_hour),
        "close_date_utc": None,
        "is_open": True,
        "initial_stop_loss": 90.0,
        "stop_loss": 90.0,
        "get_custom_data": lambda key: 95.0,
    }
    return SimpleNamespace(**(made | changed))


def candles(closes: list[float], trust: int = 0) -> pd.DataFrame:
    dates = pd.date_range(START, periods=len(closes), freq="1h")
    return pd.DataFrame({"date": dates, "close": closes, "atr": 1.0, "trust": trust})


HOUR = timedelta(hours=1)
TRAILS = StopRules(initial_atr=5, chandelier_atr=3)


def test_the_path_of_a_stop_is_the_plans_from_the_first_candle_that_ended_after_the_entry() -> None:
    closed = trade(2, is_open=False, close_date_utc=START + timedelta(hours=5))
    path = stop_path(closed, candles([100, 200, 101, 104, 103, 300]), TRAILS, 0.003, HOUR)
    assert path.levels == [95.0, 98.0, 101.0]
    hours = [(time - START) / HOUR for time in path.times]
    assert hours == [2, 3, 4, 5]


def test_a_candle_that_is_not_trusted_moves_no_stop_in_the_chart_either() -> None:
    closed = trade(0, is_open=False, close_date_utc=START + timedelta(hours=3))
    assert stop_path(closed, candles([100, 120, 130], 5), TRAILS, 0.003, HOUR).levels == [95.0]


def test_an_open_trades_path_ends_where_freqtrade_holds_the_stop_now() -> None:
    """The heat limit may have drawn it closer than the candles say."""
    path = stop_path(trade(0, stop_loss=99.0), candles([100, 101]), TRAILS, 0.003, HOUR)
    assert path.levels[-1] == 99.0
    assert list(path.times) == sorted(path.times)


def test_without_what_was_stored_the_path_begins_at_freqtrades_first_stop() -> None:
    path = stop_path(trade(0, get_custom_data=lambda key: None), candles([]), TRAILS, 0.0, HOUR)
    assert path.levels == [90.0]
