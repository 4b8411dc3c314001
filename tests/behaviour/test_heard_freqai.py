"""A strategy that asks FreqAI is held like any other; its libraries are not here, a stand-in is.

What Freqtrade does around a model (settings, candles of the training, when it is loaded, whom it is
given) is Freqtrade's own; the resolver alone gives a model that learns nothing.
"""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from freqtrade.exceptions import OperationalException
from freqtrade.strategy import IStrategy

from tests.behaviour.mini import play, quiet, signal
from tests.behaviour.wishes import TAG, Wishes, held

CALM = (100.9, 101.4, 100.4, 100.9)
STORY = [*quiet(2), signal(), *[CALM] * 6]
SETTINGS: dict[str, Any] = {
    "enabled": True,
    "identifier": "stand-in",
    "train_period_days": 0,
    "backtest_period_days": 1,
    "data_split_parameters": {},
    "feature_parameters": {
        "include_corr_pairlist": [],
        "include_timeframes": ["1h"],
        "label_period_candles": 1,
        "indicator_periods_candles": [1],
    },
}
CONFIG = {"freqai": SETTINGS, "timerange": "20200101-"}


class Learned(Wishes):
    """As `Wishes`, where the prediction says so."""

    def feature_engineering_standard(
        self, dataframe: pd.DataFrame, metadata: dict, **kwargs: Any
    ) -> pd.DataFrame:
        return dataframe.assign(**{"%-close": dataframe["close"]})

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        predicted: pd.DataFrame = self.freqai.start(dataframe, metadata, self)
        return predicted

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        rises = (dataframe["do_predict"] == 1) & (dataframe["&-close"] > 100.5)
        dataframe.loc[rises, ["enter_long", "enter_tag"]] = (1, TAG)
        return dataframe


class Model:
    """Predicts what it is shown."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def start(self, frame: pd.DataFrame, metadata: dict, strategy: IStrategy) -> pd.DataFrame:
        self.asked.append((metadata["pair"], type(strategy).__name__))
        features = strategy.feature_engineering_standard(frame.copy(), metadata)
        return frame.assign(**{"&-close": features["%-close"], "do_predict": 1})

    def shutdown(self) -> None:
        pass


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Model:
    made = Model()
    resolver = SimpleNamespace(load_freqaimodel=lambda _: made)
    stand_ins: dict[str, dict[str, Any]] = {
        "freqtrade.freqai.utils": {"download_all_data_for_training": lambda *_: None},
        "freqtrade.resolvers.freqaimodel_resolver": {"FreqaiModelResolver": resolver},
    }
    for name, content in stand_ins.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    return made


def test_what_a_model_predicts_is_traded_under_the_layer(model: Model) -> None:
    learned = play(STORY, held(Learned), config=CONFIG).trades
    plain = play(STORY, held(Wishes)).trades
    assert {name for _, name in model.asked} == {"GuardedLearned"}
    assert len(plain) == 1
    pd.testing.assert_frame_equal(learned, plain)


def test_a_model_that_fails_is_an_analysis_that_does(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise RuntimeError("no model is trained")

    monkeypatch.setattr(model, "start", fails)
    with pytest.raises(OperationalException, match="populate_indicators raised RuntimeError: no m"):
        play(STORY, held(Learned), config=CONFIG)
