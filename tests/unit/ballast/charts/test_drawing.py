"""Charts show prices and first stops over the candles; regimes, shocks and rules below them."""

import math
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from freqtrade.ft_types.plot_annotation_type import AnnotationTypeTA

from ballast.charts.annotations import StopPath
from ballast.charts.drawing import columns, plot_config, shown, stop_path, target_lines
from ballast.core import stops
from ballast.core.events import Event, EventKind
from ballast.core.frames import with_columns
from ballast.core.rules import holds
from ballast.core.setups import Setup
from ballast.core.signals import signal_columns
from ballast.core.stops import StopRules
from tests.engine import START


def setup(name: str, **flags: list[bool]) -> Setup:
    entry = {rule: holds(pd.Series(met)) for rule, met in flags.items()}
    return Setup(name, entry, StopRules(initial_atr=2))


def test_lines_are_drawn_over_the_candles_and_a_lane_for_each_setup_below() -> None:
    config = plot_config(["channel"], [setup("A", up=[True]), setup("B", calm=[False])])
    assert list(config["main_plot"]) == ["first_stop", "channel"]
    assert config["subplots"].keys() == {"shock", "A", "B"}
    (lane,) = config["subplots"]["B"].values()
    # A line would join the steps; without nought a chart of 1 to 3 would show a 1 as nothing.
    assert (lane["type"], lane["fill_to"]) == ("bar", "zero")
    assert "zero" in config["subplots"]["shock"], "FreqUI fetches what is drawn somewhere"


def test_the_account_is_drawn_where_there_is_one() -> None:
    lanes = plot_config([], [setup("A", up=[True])], account=True)["subplots"]
    assert list(lanes) == ["size %", "account %", "shock", "A"]


def test_names_of_lanes_fit_their_height_and_differ() -> None:
    pack = ["DonchianTrend", "SqueezeBreakout", "PullbackBuyer", "RangeReversion"]
    lanes = plot_config([], [setup(name, up=[True]) for name in pack])["subplots"]
    assert list(lanes)[1:] == ["Donchian", "Squeeze", "Pullback", "Range"]
    alike = plot_config([], [setup(name, up=[True]) for name in ("TrendUp", "TrendDown")])
    assert list(alike["subplots"])[1:] == ["TrendUp", "TrendDown"]


def test_no_two_lines_of_a_chart_have_one_colour() -> None:
    setups = [setup(f"S{n}", up=[True]) for n in range(4)]
    config = plot_config(["one", "two"], setups, account=True)
    parts = [config["main_plot"], *config["subplots"].values()]
    colours = [column["color"] for part in parts for column in part.values()]
    assert len(set(colours)) == len(colours)


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
            "intensity": 1 / 3,
        }
    )
    setups = [
        Setup("A", {"a": holds(pd.Series(first))}, StopRules(initial_atr=2)),
        Setup("B", {"b": holds(pd.Series(second))}, StopRules(initial_atr=4)),
    ]
    return with_columns(frame, signal_columns(frame["trust"].to_numpy(), setups)), setups


def charted(frame: pd.DataFrame, setups: list[Setup]) -> pd.DataFrame:
    return with_columns(
        frame,
        columns(frame["close"].to_numpy(), dict(frame), frame["setup"].to_numpy(), setups, 0.1),
    )


def test_the_first_stop_is_that_of_the_setup_that_signals() -> None:
    frame, setups = signalled([False] * 6, [False, True] * 3)
    frame = charted(frame, setups)
    for row in frame.iloc[1:].itertuples():
        rules = setups[1 if row.setup == 1 else 0].stops
        decided = stops.initial_stop(row.close, row.atr, rules, 0.1)
        assert row.first_stop == pytest.approx(decided, rel=1e-5)
    assert np.isnan(frame["first_stop"].iloc[0])


def test_a_lane_shows_how_many_rules_are_unmet() -> None:
    frame, _ = signalled([True] * 3, [True] * 3)
    flags = {"a": [True, False, False], "b": [True, True, False]}
    assert charted(frame, [setup("A", **flags)])["unmet_A"].tolist() == [0, 1, 2]


def test_drawn_numbers_have_six_digits() -> None:
    frame, setups = signalled([False] * 6, [False, True] * 3)
    frame = charted(frame, setups)
    assert frame["shock"].tolist() == [0.33] * 6
    for price in (*frame["first_stop"].dropna(), *shown(np.array([1 / 3, 2e6 / 3, 1e-5 / 3]))):
        assert len(f"{Decimal(repr(float(price))):f}".strip("0").replace(".", "").strip("0")) <= 6


def test_what_is_drawn_does_not_change_with_candles_to_come() -> None:
    first, second = [True, False, False, True] * 3, [False, True, True] * 4
    whole, setups = signalled(first, second)
    whole = charted(whole, setups)
    for count in range(2, len(whole)):
        part, part_setups = signalled(first[:count], second[:count])
        part["close"], part["atr"] = whole["close"][:count], whole["atr"][:count]
        part = charted(part, part_setups)
        for name in ("first_stop", "shock", "unmet_A", "unmet_B"):
            pd.testing.assert_series_equal(part[name], whole[name][:count])


OPENED, CLOSED = START + timedelta(hours=2), START + timedelta(hours=9)


def trade(**changed: Any) -> Any:
    return SimpleNamespace(**({"open_date_utc": OPENED, "close_date_utc": CLOSED} | changed))


def move(hour: int, stop: float, before: float = math.nan) -> Event:
    return Event(
        START + timedelta(hours=hour), EventKind.STOP, "CHANDELIER", value=stop, limit=before
    )


def drawn(path: StopPath | None) -> list[tuple[float, float]]:
    """Hours since the start and levels; the last level is held until the path ends."""
    assert path is not None
    hours = [(moment - START) / timedelta(hours=1) for moment in path.times]
    return list(zip(hours, [*path.levels, path.levels[-1]], strict=True))


def test_the_path_of_a_stop_is_what_the_journal_tells_until_the_trade_is_over() -> None:
    moves = [move(2, 95), move(5, 97, 95), move(7, 99, 97)]
    assert drawn(stop_path(trade(), moves)) == [(2, 95), (5, 97), (7, 99), (9, 99)]


def test_the_stop_of_an_open_trade_is_drawn_until_now() -> None:
    path = stop_path(trade(close_date_utc=None), [move(2, 95)])
    assert path is not None
    assert path.times[-1] > CLOSED


def test_a_trade_from_before_first_stops_were_told_begins_where_its_stop_moved_from() -> None:
    assert drawn(stop_path(trade(), [move(5, 97, 95)])) == [(2, 95), (5, 97), (9, 97)]


def test_of_two_stops_the_closer_one_is_drawn() -> None:
    """The strategy's own is at 99; what the plan does below it moves nothing."""
    moves = [move(2, 95), move(4, 99, 95), move(5, 97, 95), move(7, 100, 97)]
    assert drawn(stop_path(trade(), moves)) == [(2, 95), (4, 99), (7, 100), (9, 100)]


def test_a_clock_that_was_set_back_draws_no_line_backwards() -> None:
    path = stop_path(trade(), [move(2, 95), move(5, 97, 95), move(4, 98, 97)])
    assert drawn(path) == [(2, 95), (5, 97), (5, 98), (9, 98)]


def test_of_a_trade_that_the_journal_does_not_know_no_stop_is_drawn() -> None:
    assert stop_path(trade(), []) is None


def test_targets_are_drawn_over_the_time_of_the_trade_by_its_setup_and_its_r() -> None:
    def targets(setup: str, entry: float, risk: float) -> dict[str, float]:
        return {"target": entry + 2 * risk} if setup == "Mini" else {}

    held = trade(enter_tag="Mini: high", open_rate=100.0)
    path = stop_path(held, [move(2, 95), move(5, 97, 95)])
    assert path is not None
    (line,) = target_lines(held, path, targets)
    AnnotationTypeTA.validate_python(line, extra="forbid")
    assert (line["label"], line["y_start"], line["y_end"]) == ("target", 110.0, 110.0)
    assert (line["start"], line["end"]) == (OPENED, CLOSED)
    assert target_lines(trade(enter_tag="Other: up", open_rate=100.0), path, targets) == []
