"""What a foreign strategy makes of its frames, and what is drawn and explained of it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from freqtrade.exceptions import OperationalException
from freqtrade.strategy import IntParameter, IStrategy

from ballast.journal.explanations import lines_of
from ballast.journal.reader import Reader
from tests.behaviour.market import configuration
from tests.behaviour.mini import PAIR, Story, at, play, quiet, signal
from tests.behaviour.wishes import Wishes, held

BOUGHT: Story = [*quiet(2), signal(), *[(100.9, 101.4, 100.4, 100.9)] * 9]


def making(name: str, what: Any) -> type[Wishes]:
    """A strategy whose method does something with the frame that it would return."""

    def made(self: Any, dataframe: pd.DataFrame, metadata: dict) -> Any:
        return what(getattr(Wishes, name)(self, dataframe, metadata))

    return type("Making", (Wishes,), {name: made})


def raising(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(new=frame["missing"])


SPOILT = {
    "raises": (raising, r"populate_\w+ raised KeyError: 'missing' \(\w+\.py, line \d+\)"),
    "length": (lambda frame: frame.iloc[1:-1], "other length, order or dates"),
    "order": (lambda frame: frame.sample(frac=1, random_state=1), "other length, order or dates"),
    "dates": (lambda frame: frame.assign(date=frame["date"].astype(str)), "'date' is of type"),
    "no dates": (lambda frame: frame.drop(columns="date"), "the column 'date' is gone"),
    "signals": (lambda frame: frame.assign(exit_long="yes"), "'exit_long' holds other things"),
    "digits": (lambda frame: frame.assign(enter_long="1"), "'enter_long' holds other things"),
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_backtest_on_a_spoilt_frame_ends_in_one_sentence(spoilt: str) -> None:
    what, sentence = SPOILT[spoilt]
    with pytest.raises(OperationalException, match=f"Making, .*{sentence}") as refused:
        play(BOUGHT, held(making("populate_exit_trend", what)))
    assert "\n" not in str(refused.value)


SPOILT_AT_ONCE = {
    "length": (lambda frame: frame.iloc[1:], ": populate_indicators: .* mismatching length"),
    "last close": (
        lambda frame: frame.assign(close=2 * frame["close"]),
        ": populate_indicators: .* mismatching last close price",
    ),
    "no dates": (lambda frame: frame.drop(columns="date"), ", .*: the column 'date' is gone"),
    "no close": (lambda frame: frame.drop(columns="close"), ", .*: the column 'close' is gone"),
}


@pytest.mark.parametrize("spoilt", SPOILT_AT_ONCE)
def test_what_freqtrade_checks_after_the_indicators_is_told_with_the_strategys_name(
    spoilt: str,
) -> None:
    what, sentence = SPOILT_AT_ONCE[spoilt]
    with pytest.raises(OperationalException, match=f"^Making{sentence}") as refused:
        play(BOUGHT, held(making("populate_indicators", what)))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", ["indicators", "entry_trend", "exit_trend"])
def test_columns_that_come_twice_are_taken_once(name: str) -> None:
    """Frames put side by side have two columns of each price, over which Freqtrade stumbled."""

    def doubled(frame: pd.DataFrame) -> pd.DataFrame:
        return pd.concat([frame, frame], axis=1)

    played = play(BOUGHT, held(making(f"populate_{name}", doubled)))
    columns = ["open_date", "open_rate", "close_date", "close_rate", "stake_amount"]
    as_it_is = play(BOUGHT, held(Wishes)).trades[columns]
    pd.testing.assert_frame_equal(played.trades[columns], as_it_is)
    assert len(as_it_is) == 1


def test_failure_names_the_method_that_failed() -> None:
    for name in ("populate_indicators", "populate_entry_trend"):
        with pytest.raises(OperationalException, match=f"{name} raised KeyError"):
            play(BOUGHT, held(making(name, raising)))


@pytest.mark.parametrize("name", ["indicators", "entry_trend", "exit_trend"])
def test_a_method_that_returns_no_frame_is_named(name: str) -> None:
    """Of two of them a line of Freqtrade's own was, which had asked None for its columns."""
    sentence = f"populate_{name} returned NoneType: expected a frame"
    with pytest.raises(OperationalException, match=sentence):
        play(BOUGHT, held(making(f"populate_{name}", lambda frame: None)))


def test_trades_are_at_the_candles_prices_whatever_theirs_makes_of_them(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A backtest fills at whatever is in the frame, such as Heikin Ashi candles written over it."""

    def smoothed(frame: pd.DataFrame) -> pd.DataFrame:
        return frame.assign(open=0.9 * frame["open"], low=0.8 * frame["low"])

    with caplog.at_level(logging.WARNING):
        changed = play(BOUGHT, held(making("populate_entry_trend", smoothed)))
    assert "Making changes open, low of the candles" in caplog.text
    as_it_is = play(BOUGHT, held(Wishes))
    columns = ["open_date", "open_rate", "close_date", "close_rate", "stake_amount"]
    pd.testing.assert_frame_equal(changed.trades[columns], as_it_is.trades[columns])
    assert len(changed.trades) == 1


class Renaming(Wishes):
    """Writes the pair's name as files and other exchanges have it, or throws it away."""

    def populate_indicators(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        metadata["pair"] = metadata["pair"].replace("/", "_")
        return dataframe

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        metadata.clear()
        return super().populate_entry_trend(dataframe, metadata)


def test_the_pair_is_freqtrades_whatever_theirs_writes_into_its_metadata() -> None:
    """Freqtrade never reads it again; the layer looked candles up by what it found there."""
    bought = play(BOUGHT, held(Renaming)).trades
    pd.testing.assert_frame_equal(bought, play(BOUGHT, held(Wishes)).trades)
    assert len(bought) == 1


# Attributes that theirs sets where the layer answers.


class Setting(Wishes):
    """Sets on itself what the layer answers for."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.protections = [{"method": "CooldownPeriod", "stop_duration_candles": 4}]
        self.plot_config: dict[str, Any] = {"main_plot": {"ema": {}}}
        self.startup_candle_count = 590


class Stating(Wishes):
    """States the same as properties, of which Freqtrade asks for some before values are known."""

    cooldown = IntParameter(1, 9, default=4, space="protection")

    @property
    def protections(self) -> list[dict[str, Any]]:
        candles = self.cooldown.value
        return [{"method": "CooldownPeriod", "stop_duration_candles": candles}]

    @property
    def plot_config(self) -> dict[str, Any]:
        return {"main_plot": {"ema": {}}}

    @property
    def startup_candle_count(self) -> int:  # type: ignore[override]
        return 590


@pytest.mark.parametrize("theirs", [Setting, Stating])
def test_what_theirs_answers_and_sets_is_heard_beside_the_layers(theirs: type[IStrategy]) -> None:
    outcome = play(BOUGHT, held(theirs))
    strategy = outcome.strategy
    methods = [entry["method"] for entry in strategy.protections]
    assert methods[-1] == "CooldownPeriod"
    assert {"DrawdownLadder", "DailyLossLimit"} <= set(methods)
    drawn = strategy.plot_config
    assert set(drawn["main_plot"]) == {"ema", "ballast_first_stop"}
    assert drawn["subplots"]["ballast_shock"].keys() == {"ballast_shock", "ballast_zero"}
    assert strategy.startup_candle_count == 590
    assert len(outcome.frames[PAIR]) == 600 + len(BOUGHT) - 590


def test_layers_own_candles_are_the_least(caplog: pytest.LogCaptureFixture) -> None:
    """Also where the configuration says less, which wins over theirs."""
    assert play(BOUGHT, held(Wishes)).strategy.startup_candle_count == 573
    fewer = play(BOUGHT, held(Setting), config={"startup_candle_count": 20}).strategy
    assert (fewer.startup_candle_count, fewer.config["startup_candle_count"]) == (573, 573)


def test_timeframe_may_be_the_configurations_alone() -> None:
    """Freqtrade puts it on the strategy only after it has been made."""
    without = {name: value for name, value in vars(Wishes).items() if name != "timeframe"}
    strategy = play(BOUGHT, held(type("Without", (IStrategy,), without)), timeframe="1h").strategy
    assert (strategy.timeframe, strategy.startup_candle_count) == ("1h", 573)


@pytest.mark.parametrize("timeframe", ["4h", "12h", "1d"])
def test_it_is_held_on_candles_of_up_to_a_day(timeframe: str) -> None:
    """The layer's own windows hold as many of a day as of four hours, and no fewer."""
    daily = type("Daily", (Wishes,), {"timeframe": timeframe})
    outcome = play(BOUGHT, held(daily))
    assert outcome.strategy.startup_candle_count == 144
    assert list(outcome.trades["enter_tag"]) == ["theirs"]


def test_protections_of_theirs_lock_with_the_values_of_their_parameters() -> None:
    """Evaluated where parameters have their values, and not when the strategy is made."""

    class Leaving(Stating):
        minimal_roi: ClassVar[dict[Any, float]] = {"0": 0.003}

    outcome = play([*quiet(2), signal(), *quiet(1, 101), signal(), *quiet(6, 101)], held(Leaving))
    locks = [lock for lock in outcome.locks if "Cooldown period" in (lock.reason or "")]
    assert locks
    assert {(lock.lock_end_time - lock.lock_time).total_seconds() / 3600 for lock in locks} <= {
        4,
        5,
    }


def test_attribute_that_the_layer_cannot_set_is_refused_in_a_sentence() -> None:
    class Fixed(Wishes):
        @property
        def stoploss(self) -> float:  # type: ignore[override]
            return -0.5

    with pytest.raises(OperationalException, match="Fixed has stoploss as a property"):
        held(Fixed)


def test_name_that_means_something_else_to_the_layer_is_refused_in_a_sentence() -> None:
    class Stated(Wishes):
        def _own_file(self) -> str:
            return "mine"

    class Set(Wishes):
        def __init__(self, config: dict[str, Any]) -> None:
            super().__init__(config)
            self._own = "mine"

    with pytest.raises(OperationalException, match="Stated has _own_file of its own"):
        held(Stated)
    with pytest.raises(OperationalException, match="Set has _own of its own"):
        play(BOUGHT, held(Set))


def test_their_plots_are_drawn_beside_ours() -> None:
    class Marking(Wishes):
        def plot_annotations(self, **asked: Any) -> list[dict[str, Any]]:
            return [{"type": "area", "y_start": 99.0, "y_end": 101.0}]

    class Failing(Wishes):
        def plot_annotations(self, **asked: Any) -> list[dict[str, Any]]:
            raise KeyError("what is this")

    for theirs, marks in ((Marking, 1), (Failing, 0)):
        outcome = play([*BOUGHT, (100, 100.2, 60, 61), *quiet(4, 61)], held(theirs))
        strategy, frame = outcome.strategy, outcome.frames[PAIR]
        drawn = {name: np.zeros(len(frame)) for name in ("regime", "market_regime", "trust")}
        drawn |= {"intensity": np.ones(len(frame)), "cooldown": np.ones(len(frame))}
        frame = frame.assign(**{f"ballast_{name}": values for name, values in drawn.items()})
        made = strategy.ft_plot_annotations(PAIR, frame)
        # Of ours there are the area of a cooldown and, apart from it, its label.
        assert len(made) == marks + 2
        assert made[-1]["label"].strip() == "VOLATILITY 1x"


def test_frequi_asks_for_chart_and_attributes_of_one_that_was_never_started() -> None:
    """Its lists of strategies and charts load the class and start nothing."""
    strategy = held(Stating)(configuration([PAIR]))
    assert set(strategy.plot_config["main_plot"]) == {"ema", "ballast_first_stop"}
    for name in dir(strategy):
        getattr(strategy, name)
    assert strategy.version().startswith("ballast ")


# What is explained.


class Explaining(Wishes):
    """Has one column of true and false that its signals need, and one that they do not."""

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        frame = super().populate_entry_trend(dataframe, metadata)
        frame["wide"] = frame["high"] - frame["low"] > 1.05
        frame["odd"] = frame["date"].dt.hour % 2 == 1
        return frame


def test_journal_answers_for_theirs(tmp_path: Path) -> None:
    """Their signal, how long ago it was, what the guards would have said, and their conditions."""
    path = tmp_path / "journal.sqlite"
    journal = {"journal": {"backtest": True}}
    with patch("ballast.runtime.journal.journal_path", lambda *_, **__: path):
        play(
            [*quiet(2), signal(), (100.9, 101, 100, 100.4), *quiet(4)],
            held(Explaining),
            ballast=journal,
        )
    reader = Reader(path)

    def said(row: int) -> list[str]:
        found = reader.row(PAIR, at(row))
        assert found is not None
        return list(lines_of(found.decision))

    assert said(1)[1] == (
        "no entry: their signal is 0; none before, as far as is known; "
        "guards would have allowed a whole trade"
    )
    assert "- not wide" in said(1)
    assert not [line for line in said(1) if "odd" in line]
    assert said(2)[1].startswith("entered, trade 1, stake ")
    assert "+ their signal is 1" in said(2)
    assert "+ wide" in said(2)
