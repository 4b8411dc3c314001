"""The first layer in which two decisions differ is the one that is named."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ballast.core.decision import Decision, Outcome, Reading
from ballast.core.verdict import Verdict
from ballast.research.drift.layers import (
    DriftLayer,
    compare,
    first_difference,
    settings_differences,
)
from ballast.research.drift.record import Record

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
KEY = ("ETH/USDT", NOON)
BASE = Decision(
    *KEY,
    Outcome.NO_SIGNAL,
    "high",
    close=100.0,
    atr=1.0,
    rules={"high": Reading(99.0, ">", 100.5, False)},
)
BLOCK = {"DrawdownLadder": Verdict("DRAWDOWN", 5.0, 4.0, 0.0)}


def record(*decisions: Decision, settings: Any = ()) -> Record:
    known = {(each.pair, each.candle): each for each in decisions}
    return Record("Some", "1h", known, settings, ())


@pytest.mark.parametrize(
    ("change", "layer", "what"),
    [
        ({"outcome": Outcome.UNSEEN, "code": "CANDLE_MISSING"}, DriftLayer.CANDLES, "decision"),
        ({"trust": 3}, DriftLayer.CANDLES, "trust"),
        ({"close": 100.01}, DriftLayer.CANDLES, "close"),
        ({"atr": 1.01}, DriftLayer.INDICATORS, "atr"),
        ({"rules": {"high": Reading(99.5, ">", 100.5, False)}}, DriftLayer.INDICATORS, "high"),
        ({"rules": {"high": Reading(99.0, ">", 100.5, True)}}, DriftLayer.SIGNALS, "high"),
        ({"rules": {"other": Reading(99.0, ">", 100.5, False)}}, DriftLayer.SIGNALS, "rules"),
        ({"guards": BLOCK}, DriftLayer.GUARDS, "DrawdownLadder"),
        ({"outcome": Outcome.REFUSED, "code": "SPREAD_WIDE"}, DriftLayer.SIZING, "outcome"),
        ({"outcome": Outcome.HOLDING}, DriftLayer.FILLS, "position"),
    ],
)
def test_each_layer_is_named(change: dict[str, Any], layer: DriftLayer, what: str) -> None:
    found = first_difference(KEY, replace(BASE, **change), BASE)
    assert found is not None
    assert (found.layer, found.what, found.pair, found.at) == (layer, what, *KEY)


def test_of_several_layers_the_first_is_named() -> None:
    other = replace(BASE, close=90.0, atr=2.0, guards=BLOCK, outcome=Outcome.HOLDING)
    found = first_difference(KEY, other, BASE)
    assert found is not None
    assert found.layer is DriftLayer.CANDLES


def test_equal_decisions_have_no_difference() -> None:
    assert first_difference(KEY, BASE, BASE) is None
    unknown = replace(BASE, close=math.nan, atr=math.nan)
    assert first_difference(KEY, unknown, unknown) is None


def test_what_a_shorter_history_does_to_a_recursive_average_is_no_difference() -> None:
    assert first_difference(KEY, replace(BASE, atr=1.0003), BASE) is None


def test_candles_that_only_one_run_has_count_between_the_bots_first_and_last() -> None:
    hours = [replace(BASE, candle=NOON + timedelta(hours=hour)) for hour in range(5)]
    found = compare(record(hours[1], hours[3]), record(*hours))
    assert (found.compared, found.alike) == (3, 2)
    (missing,) = found.differences
    assert (missing.at, missing.bot) == (hours[2].candle, "no row")


def test_indicators_after_an_unlike_candle_are_explained_by_it() -> None:
    times = [NOON, NOON + timedelta(hours=1), NOON + timedelta(days=31)]
    bot = [replace(BASE, candle=each, atr=2.0) for each in times]
    bot[0] = replace(bot[0], close=99.0)
    found = compare(record(*bot), record(*(replace(BASE, candle=each) for each in times)))
    layers = [each.layer for each in found.differences]
    assert layers == [DriftLayer.CANDLES, DriftLayer.CANDLES, DriftLayer.INDICATORS]
    assert found.differences[1].what == "atr, by the candle of 05-01 12:00"


def test_a_position_that_only_one_run_holds_is_told_once_until_both_agree() -> None:
    times = [NOON + timedelta(hours=hour) for hour in range(5)]
    refused = replace(BASE, outcome=Outcome.REFUSED, code="PRICE_MOVED")
    bot = [refused, refused, BASE, BASE, BASE]
    outcomes = [Outcome.ENTERED, Outcome.HOLDING, Outcome.LEFT, Outcome.NO_SIGNAL, Outcome.HOLDING]
    replay = [replace(BASE, outcome=each) for each in outcomes]
    runs = (
        record(*(replace(each, candle=at) for each, at in zip(run, times, strict=True)))
        for run in (bot, replay)
    )
    found = compare(*runs).differences
    assert [(each.layer, each.at) for each in found] == [
        (DriftLayer.SIZING, times[0]),
        (DriftLayer.FILLS, times[4]),
    ]


def test_changed_settings_are_named_once_with_both_values() -> None:
    bot = [{"risk": {"a": 1.0, "b": 2}}, {"risk": {"a": 1.5, "b": 2}}, {"risk": {"a": 1.5, "b": 2}}]
    replay = [{"risk": {"a": 1.0, "b": 2}}]
    (found,) = settings_differences(bot, replay)
    assert (found.what, found.bot, found.replay) == ("risk.a", "1.5", "1")


def test_costs_and_journal_of_a_replay_are_its_own() -> None:
    assert not list(settings_differences([{"costs": 1, "journal": 1}], [{"costs": 2}]))
