"""Charts show prices over the candles, and regimes, shocks, trust and rules below them."""

import numpy as np
import pandas as pd
import pytest

from ballast.analysis import Setup
from ballast.charts import plot_config
from ballast.core.rules import holds
from ballast.core.stops import StopRules


def setup(name: str, **flags: list[bool]) -> Setup:
    entry = {rule: holds(pd.Series(met)) for rule, met in flags.items()}
    return Setup(name, entry, StopRules(initial_atr=2))


def test_lines_are_drawn_over_the_candles_and_rules_below() -> None:
    config = plot_config(["channel"], [setup("A", up=[True]), setup("B", calm=[False])])
    assert list(config["main_plot"]) == ["channel"]
    assert list(config["subplots"]["rules"]) == ["rule_up", "rule_calm"]


def test_a_rule_that_two_setups_share_is_drawn_once() -> None:
    config = plot_config([], [setup("A", up=[True, False]), setup("B", up=[True, False])])
    assert list(config["subplots"]["rules"]) == ["rule_up"]


def test_one_name_for_two_rules_is_refused() -> None:
    with pytest.raises(ValueError, match="'up'"):
        plot_config([], [setup("A", up=[True, False]), setup("B", up=[False, True])])


def test_every_column_has_a_colour() -> None:
    config = plot_config([f"line{n}" for n in range(9)], [])
    colours = [column["color"] for column in config["main_plot"].values()]
    assert np.all([colour.startswith("#") for colour in colours])
