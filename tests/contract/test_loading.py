"""How Freqtrade loads strategies, and what else reads them: hyperopt and charts."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from freqtrade.configuration import Configuration
from freqtrade.configuration.config_validation import validate_config_schema
from freqtrade.enums import RunMode
from freqtrade.optimize.hyperopt_tools import HyperoptTools
from freqtrade.resolvers import StrategyResolver

from ballast.strategy.state import is_lookahead_analysis
from tests.engine import ROOT, ScriptedStrategy, candle_frame, flat

STRATEGY = """
from {package}.base import Base
import {package}.helper


class Sibling(Base):
    def populate_entry_trend(self, dataframe, metadata):
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe
"""
BASE = """
from freqtrade.strategy import IStrategy


class Base(IStrategy):
    timeframe = "1h"
    stoploss = -0.1
    minimal_roi = {"0": 1}

    def populate_indicators(self, dataframe, metadata):
        return dataframe
"""


@pytest.fixture
def loaded(tmp_path: Path) -> Any:
    """A strategy that was loaded from a file with a package beside it, as ours are."""
    package = tmp_path / "neighbour"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "base.py").write_text(BASE, encoding="utf-8")
    (package / "helper.py").write_text("VALUE = 1\n", encoding="utf-8")
    (tmp_path / "Sibling.py").write_text(STRATEGY.format(package="neighbour"), encoding="utf-8")
    config = {"strategy": "Sibling", "strategy_path": str(tmp_path), "user_data_dir": tmp_path}
    before = list(sys.path)
    (tmp_path / "strategies").mkdir()
    yield StrategyResolver.load_strategy(config)
    assert sys.path == before
    for name in [name for name in sys.modules if name.startswith("neighbour")]:
        del sys.modules[name]


def test_package_beside_the_strategy_is_importable_while_loading(loaded: Any) -> None:
    """Copying `strategies/` is an installation: `ballast` lies beside what imports it."""
    assert loaded.get_strategy_name() == "Sibling"
    assert type(loaded).__mro__[1].__module__ == "neighbour.base"


def test_folder_leaves_the_path_after_loading(loaded: Any, tmp_path: Path) -> None:
    """A later import inside a callback fails unless `ballast` keeps itself importable."""
    assert loaded
    assert str(tmp_path) not in sys.path


def test_hyperopt_sends_only_modules_of_base_classes_by_value(loaded: Any) -> None:
    """Helper modules are imported by the workers, who do not have the folder on their path."""
    pytest.importorskip("optuna", reason="hyperopt needs optuna; `make test` installs it")
    import cloudpickle
    from freqtrade.optimize.hyperopt.hyperopt_optimizer import HyperOptimizer

    HyperOptimizer.hyperopt_pickle_magic(
        HyperOptimizer.__new__(HyperOptimizer), type(loaded).__bases__
    )
    try:
        by_value = cloudpickle.list_registry_pickle_by_value()
        assert "neighbour.base" in by_value
        assert "neighbour.helper" not in by_value
    finally:
        cloudpickle.unregister_pickle_by_value(sys.modules["neighbour.base"])


def test_configuration_overrides_the_strategys_timeframe(tmp_path: Path) -> None:
    """Windows are given in time and read the timeframe in force, not the class attribute."""
    (tmp_path / "strategies").mkdir()
    source = BASE.replace("class Base(", "class Own(") + STRATEGY.split("(Base):")[1]
    (tmp_path / "Own.py").write_text(source, encoding="utf-8")
    config = {"strategy": "Own", "strategy_path": str(tmp_path), "user_data_dir": tmp_path}
    assert StrategyResolver.load_strategy(config | {"timeframe": "4h"}).timeframe == "4h"


class Annotating(ScriptedStrategy):
    annotations: Any = ()

    def plot_annotations(self, **_: Any) -> list[dict[str, Any]]:
        return list(self.annotations)


@pytest.mark.parametrize(
    ("annotation", "kept"),
    [
        ({"type": "area", "start": "2024-01-01", "end": "2024-01-02", "label": "LOCK"}, True),
        ({"type": "line", "y_start": 1.0, "y_end": 2.0, "line_style": "dashed"}, True),
        ({"type": "point", "x": datetime(2024, 1, 1, tzinfo=UTC), "y": 1.0}, True),
        ({"type": "area", "start": "2024-01-01", "reason": "LOCK"}, False),
        ({"type": "band", "start": "2024-01-01"}, False),
    ],
)
def test_annotation_with_an_unknown_key_is_dropped(annotation: dict[str, Any], kept: bool) -> None:
    """Cooldowns are shaded on the chart; one wrong key and the whole annotation is gone."""
    strategy = Annotating({"runmode": "other"})
    strategy.annotations = [annotation]
    frame: pd.DataFrame = candle_frame(flat(3), "1h")
    assert len(strategy.ft_plot_annotations("BTC/USDT", frame)) == int(kept)


WHO = """
from freqtrade.strategy import IStrategy

ran = __name__, __package__


class Plain(IStrategy):
    seen = ran


class Elsewhere(IStrategy):
    __module__ = "package.base"
"""


def test_a_search_executes_every_file_by_its_bare_name_and_takes_classes_by_their_module(
    tmp_path: Path,
) -> None:
    """Hence our `__main__` looks at its package too, and base classes say their module."""
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__main__.py").write_text(WHO, encoding="utf-8")
    found = StrategyResolver._search_all_objects(tmp_path, False, recursive=True)
    assert [entry["name"] for entry in found] == ["Plain"]
    assert found[0]["class"].seen == ("__main__", "")


def test_a_parameter_file_is_taken_before_and_after_bot_start(tmp_path: Path) -> None:
    """Stop, trailing and ROI when the strategy is made, parameters once it has started."""
    source = BASE.replace("class Base(", "class Own(") + STRATEGY.split("(Base):")[1]
    source += """
    days = IntParameter(1, 9, default=3, space="buy")

    def bot_start(self, **kwargs):
        self.seen = self.stoploss, self.trailing_stop, self.minimal_roi, self.days.value
"""
    source = source.replace("import IStrategy", "import IntParameter, IStrategy")
    (tmp_path / "Own.py").write_text(source, encoding="utf-8")
    params = {
        "stoploss": {"stoploss": -0.99},
        "trailing": {"trailing_stop": True},
        "roi": {"0": 0.5},
        "buy": {"days": 7},
    }
    found = {"strategy_name": "Own", "params": params}
    (tmp_path / "Own.json").write_text(json.dumps(found), encoding="utf-8")
    (tmp_path / "strategies").mkdir()
    config = {"strategy": "Own", "strategy_path": str(tmp_path), "user_data_dir": tmp_path}
    strategy: Any = StrategyResolver.load_strategy(config)
    strategy.ft_bot_start()
    assert strategy.seen == (-0.99, True, {0: 0.5}, 3)
    assert strategy.days.value == 7


def test_hyperopt_moves_stops_and_profit_targets_unless_told_which_spaces() -> None:
    default = {"spaces": ["default"]}
    held = [
        name for name in ("stoploss", "trailing", "roi") if HyperoptTools.has_space(default, name)
    ]
    assert held == ["stoploss", "roi"]


def test_the_lookahead_analysis_runs_as_a_utility_with_a_wallet_of_a_billion(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By which rules of the account know to stand aside there, and nowhere else."""
    from freqtrade.commands.optimize_commands import start_lookahead_analysis
    from freqtrade.optimize.analysis.lookahead_helpers import LookaheadAnalysisSubFunctions

    seen: list[dict[str, Any]] = []
    monkeypatch.setattr(LookaheadAnalysisSubFunctions, "start", seen.append)
    start_lookahead_analysis({"config": [str(ROOT / "config.json")], "strategy": "RisingMarket"})
    (config,) = seen
    timed = {**config, "timerange": "20240101-", "dry_run_wallet": 1000}
    overridden = LookaheadAnalysisSubFunctions.calculate_config_overrides(timed)
    assert is_lookahead_analysis(overridden)


def test_every_configuration_has_the_defaults_of_the_lookahead_analysis() -> None:
    """Whoever took them for a sign of it would trade without a guard."""
    config = Configuration({"config": [str(ROOT / "config.json")]}, RunMode.DRY_RUN).get_config()
    # As a strategy completes it.
    complete = {**config, "stoploss": -0.1, "minimal_roi": {"0": 1}}
    validated = validate_config_schema(complete)
    assert "targeted_trade_amount" in validated
    assert not is_lookahead_analysis(validated)
