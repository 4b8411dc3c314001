"""What Freqtrade makes of a strategy that is put under a layer: discovery, pickles, parameters.

`guarded(X)` is a class whose resolution order is the user's class, generated, Layer, X, IStrategy.
Each way of building it that looks simpler and does not survive hyperopt is written down here.
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from freqtrade.enums import RunMode
from freqtrade.exceptions import OperationalException
from freqtrade.optimize.backtest_caching import get_strategy_run_id
from freqtrade.optimize.hyperopt_tools import HyperoptTools
from freqtrade.resolvers import StrategyResolver
from freqtrade.strategy import IStrategy

# A strategy that exists, in a folder of its own.
THEIRS = """
from freqtrade.strategy import IntParameter, IStrategy, informative


class Theirs(IStrategy):
    timeframe = "1h"
    stoploss = -0.1
    minimal_roi = {"0": 1}
    buy_rows = IntParameter(1, 9, default=3, space="buy")
    memory = {}

    @informative("4h")
    def populate_indicators_4h(self, dataframe, metadata):
        return dataframe

    def populate_indicators(self, dataframe, metadata):
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        return f"theirs {self.buy_rows.value}"

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe
"""
# The layer, and the ways to build a class from it.
LAYER = """
from freqtrade.strategy import IStrategy

BUILT = []


class Layer(IStrategy):
    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        BUILT.append((cls.__name__, sorted(name for name in vars(cls) if name[0] != "_")))

    def populate_entry_trend(self, dataframe, metadata):
        return "layer over " + super().populate_entry_trend(dataframe, metadata)


class Mixin:
    def populate_entry_trend(self, dataframe, metadata):
        return "layer over " + super().populate_entry_trend(dataframe, metadata)


def between(theirs):
    class Between(Layer, theirs):
        own = True

    return Between


def dropping(theirs):
    import sys

    del sys.modules[theirs.__module__]
    return between(theirs)


def nameless(theirs):
    return type(Layer)("Between", (Layer, theirs), {})


class Holding(IStrategy):
    timeframe = "1h"
    stoploss = -0.1
    minimal_roi = {"0": 1}

    def populate_indicators(self, dataframe, metadata):
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        return "layer over " + self.inner.populate_entry_trend(dataframe, metadata)
"""
HEAD = "from deep.shelf.Theirs import Theirs\nimport thelayer\n\n\n"
MINE = {
    "Mine": "class Mine(thelayer.between(Theirs)):\n    pass\n",
    "Dropped": "class Dropped(thelayer.dropping(Theirs)):\n    pass\n",
    "Mixed": "class Mixed(thelayer.Mixin, Theirs):\n    pass\n",
    "Nameless": "class Nameless(thelayer.nameless(Theirs)):\n    pass\n",
    "Composed": (
        "class Composed(thelayer.Holding):\n"
        "    def __init__(self, config):\n"
        "        super().__init__(config)\n"
        "        self.inner = Theirs(config)\n"
    ),
}
# A worker: a new process that knows Freqtrade and none of the folders.
WORKER = """
import json, sys, cloudpickle
answers = {}
for path in sys.argv[1:]:
    try:
        with open(path, "rb") as file:
            strategy = cloudpickle.load(file)
        answers[path] = strategy.populate_entry_trend(None, {})
        layer = next(c for c in type(strategy).__mro__ if c.__name__ == "Layer")
        answers.setdefault("built", list(layer.__init_subclass__.__func__.__globals__["BUILT"]))
    except Exception as error:
        answers.setdefault(path, f"{type(error).__name__}: {error}")
print(json.dumps(answers))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A strategy folder: `deep/shelf/Theirs.py`, a package with the layer, and users of both."""
    shelf = tmp_path / "strategies" / "deep" / "shelf"
    shelf.mkdir(parents=True)
    (shelf / "Theirs.py").write_text(THEIRS, encoding="utf-8")
    package = tmp_path / "strategies" / "thelayer"
    package.mkdir()
    (package / "__init__.py").write_text(LAYER, encoding="utf-8")
    for name, source in MINE.items():
        (tmp_path / "strategies" / f"{name}.py").write_text(HEAD + source, encoding="utf-8")
    yield tmp_path / "strategies"
    for module in [name for name in sys.modules if name.split(".")[0] in ("deep", "thelayer")]:
        del sys.modules[module]


def load(folder: Path, name: str) -> IStrategy:
    config = {"strategy": name, "user_data_dir": folder.parent, "runmode": RunMode.OTHER}
    return StrategyResolver.load_strategy(config | {"candle_type_def": "spot"})


def hyperopts_pickle(strategy: IStrategy, path: Path) -> Path:
    """What hyperopt sends to its workers, in a file; the registry is left as it was."""
    import cloudpickle
    from freqtrade.optimize.hyperopt.hyperopt_optimizer import HyperOptimizer

    before = cloudpickle.list_registry_pickle_by_value()
    optimizer = HyperOptimizer.__new__(HyperOptimizer)
    try:
        optimizer.hyperopt_pickle_magic(type(strategy).__bases__)
        path.write_bytes(cloudpickle.dumps(strategy))
    finally:
        for name in cloudpickle.list_registry_pickle_by_value() - before:
            cloudpickle.unregister_pickle_by_value(sys.modules[name])
    return path


def in_a_worker(*paths: Path) -> dict[str, Any]:
    command = [sys.executable, "-c", WORKER, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_class_is_found_by_its_name_with_the_layer_before_theirs(folder: Path) -> None:
    """Theirs is asked through `super()`, wherever below the strategy folder its file lies."""
    strategy = load(folder, "Mine")
    names = [each.__name__ for each in type(strategy).__mro__]
    assert names[:5] == ["Mine", "Between", "Layer", "Theirs", "IStrategy"]
    assert strategy.populate_entry_trend(None, {}) == "layer over theirs 3"
    assert [data.timeframe for data, _ in strategy._ft_informative] == ["4h"]


def test_listing_shows_what_a_file_defines_and_not_what_it_imports(folder: Path) -> None:
    """Neither the generated class nor the imported ones turn up twice in FreqUI."""
    config = {"user_data_dir": folder.parent}
    flat = StrategyResolver.search_all_objects(config, enum_failed=True)
    deep = StrategyResolver.search_all_objects(config, enum_failed=True, recursive=True)
    assert sorted(found["name"] for found in flat) == sorted(MINE)
    # A layer that is an IStrategy is listed when its own file is searched.
    assert sorted(found["name"] for found in deep) == sorted([*MINE, "Theirs", "Layer", "Holding"])


def test_hyperopts_worker_rebuilds_the_class_and_nothing_else_does(
    folder: Path, tmp_path: Path
) -> None:
    """The layer derives from IStrategy, the class between has a module, theirs is a base."""
    pytest.importorskip("optuna", reason="hyperopt needs optuna; `make test` installs it")
    mine = hyperopts_pickle(load(folder, "Mine"), tmp_path / "Mine")
    built = [list(each) for each in sys.modules["thelayer"].BUILT]
    dropped = hyperopts_pickle(load(folder, "Dropped"), tmp_path / "Dropped")
    nameless = hyperopts_pickle(load(folder, "Nameless"), tmp_path / "Nameless")
    composed = hyperopts_pickle(load(folder, "Composed"), tmp_path / "Composed")
    answers = in_a_worker(mine, dropped, nameless, composed)
    assert answers[str(mine)] == answers[str(dropped)] == "layer over theirs 3"
    assert "metaclass conflict" in answers[str(nameless)]
    assert "No module named 'deep'" in answers[str(composed)]
    # A check of what a class redefines, made when it is built, sees nothing here.
    assert answers["built"] == [*built, ["Between", []], ["Mine", []]]


def test_class_from_type_belongs_to_abc(folder: Path) -> None:
    """Why `nameless` fails: hyperopt would send the module `abc` by value."""
    assert type(load(folder, "Nameless")).__bases__[0].__module__ == "abc"


def test_mixin_that_is_no_strategy_cannot_be_pickled(folder: Path, tmp_path: Path) -> None:
    """Its base is `object`, so hyperopt registers the module `builtins` by value."""
    pytest.importorskip("optuna", reason="hyperopt needs optuna; `make test` installs it")
    with pytest.raises(pickle.PicklingError):
        hyperopts_pickle(load(folder, "Mixed"), tmp_path / "mixed")


def test_second_load_shares_what_was_imported(folder: Path) -> None:
    """A value set by hyperopt, or kept on the class, is still there when the bot reloads."""
    first, second = load(folder, "Mine"), load(folder, "Mine")
    assert type(first) is not type(second)
    assert type(first).__mro__[3] is type(second).__mro__[3]
    assert first.buy_rows is second.buy_rows
    assert first.memory is second.memory


def test_second_load_shares_nothing_once_the_module_is_dropped(folder: Path) -> None:
    """Taken off `sys.modules` when its class has been taken, theirs is read anew as if alone."""
    first, second = load(folder, "Dropped"), load(folder, "Dropped")
    assert first.buy_rows is not second.buy_rows
    assert first.memory is not second.memory


def test_loading_theirs_itself_shares_nothing(folder: Path) -> None:
    """The bare strategy and the guarded one beside it in `--strategy-list` do not mix."""
    config: dict[str, Any] = {"strategy": "Theirs", "user_data_dir": folder.parent}
    config |= {"strategy_path": str(folder / "deep" / "shelf"), "candle_type_def": "spot"}
    assert StrategyResolver.load_strategy(config).buy_rows is not load(folder, "Mine").buy_rows


def parameters(name: str, rows: int) -> str:
    return json.dumps({"strategy_name": name, "params": {"buy": {"buy_rows": rows}}})


def rows_of(folder: Path) -> int:
    strategy = load(folder, "Mine")
    strategy.ft_bot_start()
    return int(strategy.buy_rows.value)


def test_parameters_of_theirs_are_not_read_for_ours(folder: Path) -> None:
    """`X.json` has to be read by the layer: Freqtrade looks beside the user's file alone."""
    (folder / "deep" / "shelf" / "Theirs.json").write_text(parameters("Theirs", 7))
    assert rows_of(folder) == 3
    (folder / "Mine.json").write_text(parameters("Mine", 8))
    assert rows_of(folder) == 8


def test_parameters_must_name_the_class(folder: Path) -> None:
    """A copy of `X.json` under the new name stops the bot."""
    (folder / "Mine.json").write_text(parameters("Theirs", 7))
    with pytest.raises(OperationalException, match="Invalid parameter file"):
        load(folder, "Mine")


def test_hyperopt_writes_beside_the_users_file(folder: Path) -> None:
    """Its result is `GuardedX.json`, and `X.json` stays as its author published it."""
    file = HyperoptTools.get_strategy_filename({"user_data_dir": folder.parent}, "Mine")
    assert file == folder / "Mine.py"


def test_cached_backtest_does_not_notice_a_change_of_theirs(folder: Path) -> None:
    """The hash covers the user's two lines; `--cache none`, or a hash of theirs beside it."""
    before = get_strategy_run_id(load(folder, "Mine"))
    (folder / "deep" / "shelf" / "Theirs.py").write_text(THEIRS + "# changed\n", encoding="utf-8")
    assert get_strategy_run_id(load(folder, "Mine")) == before
    (folder / "Mine.py").write_text(HEAD + MINE["Mine"] + "# changed\n", encoding="utf-8")
    assert get_strategy_run_id(load(folder, "Mine")) != before
