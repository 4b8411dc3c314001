"""Well-known strategies in the words of Ballast: the same signals, candle by candle, as plain ones.

A twin of each is written as Freqtrade's documentation would have it. Wherever Ballast trusts a
candle, both enter and both leave there; and no column of an example changes when more candles
follow.
"""

from __future__ import annotations

import importlib.util
import inspect
import random
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from freqtrade.exchange import timeframe_to_minutes
from freqtrade.strategy import IStrategy

from ballast.core.trust import DataQuality
from ballast.strategy.guarded import GuardedStrategy
from tests.behaviour import twins
from tests.behaviour.market import (
    LEADER,
    STRATEGIES,
    CutProvider,
    analysed,
    candles,
    configuration,
    every_strategy,
    source,
    started,
)

EXAMPLES = STRATEGIES.parent / "examples"
PAIRS = (LEADER, "ETH/USDT", "XRP/USDT", "DOGE/USDT")
# Enough for the longest window, and signals after it.
DAYS = {"5m": 45, "15m": 45, "1h": 90, "4h": 300, "1d": 600}
STORED = ("15m", "1h", "4h", "1d")


def example(path: Path) -> type[GuardedStrategy]:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    kind = getattr(module, path.stem)
    assert issubclass(kind, GuardedStrategy)
    return kind


FILES = sorted(EXAMPLES.glob("*.py"))
KINDS = {path.stem: example(path) for path in FILES}


class ListedProvider(CutProvider):
    """`@informative` asks what a pair is called in its parts."""

    def market(self, pair: str) -> dict[str, Any]:
        base, quote = pair.split("/")
        return {"base": base, "quote": quote}


@cache
def frames(timeframe: str) -> dict[tuple[str, str], pd.DataFrame]:
    market = source(DAYS[timeframe], PAIRS)
    return {(pair, tf): candles(market, pair, tf) for pair in PAIRS for tf in {timeframe, *STORED}}


def run(name: str, pair: str, moment: Any = None) -> tuple[pd.DataFrame, pd.Series]:
    """The columns of an example, and where a rule leaves."""
    kind = KINDS[name]
    config = configuration(PAIRS)
    provider = CutProvider(config, frames(kind.timeframe), moment)
    strategy = started(kind, kind.timeframe, config, provider)
    frame = analysed(strategy, pair)
    assert strategy.session is not None
    leaves = strategy.session.columns_by_pair[pair][f"exit:{name}"]
    return frame, pd.Series(leaves > 0, index=frame.index)


def run_twin(name: str, pair: str) -> pd.DataFrame:
    kind: type[IStrategy] = getattr(twins, name)
    config = configuration(PAIRS, timeframe=kind.timeframe)
    strategy = kind(config)
    strategy.dp = ListedProvider(config, frames(kind.timeframe))
    return analysed(strategy, pair)


def test_each_example_has_a_twin_and_is_short() -> None:
    assert len(FILES) == 12
    made = inspect.getmembers(
        twins, lambda one: inspect.isclass(one) and one.__base__ is twins.Twin
    )
    assert {name for name, _ in made} == set(KINDS)
    lengths = {path.stem: len(path.read_text().splitlines()) for path in FILES}
    assert {name: length for name, length in lengths.items() if length >= 30} == {}


def test_the_pack_does_not_list_them() -> None:
    assert not {kind.__name__ for kind in every_strategy()} & set(KINDS)


@pytest.mark.parametrize("pair", ["XRP/USDT", "DOGE/USDT"])
@pytest.mark.parametrize("name", KINDS)
def test_an_example_signals_on_the_candles_of_its_twin(name: str, pair: str) -> None:
    ours, leaves = run(name, pair)
    theirs = run_twin(name, pair)
    assert KINDS[name].timeframe == getattr(twins, name).timeframe
    assert list(ours["date"]) == list(theirs["date"])
    trusted = ours["trust"] == DataQuality.OK
    assert trusted.mean() > 0.4
    entered, left = (theirs[column].eq(1) for column in ("enter_long", "exit_long"))
    assert entered[trusted].any(), "a twin that never enters agrees with everything"
    assert left[trusted].any()
    pd.testing.assert_series_equal(ours["enter_long"].eq(1), entered & trusted, check_names=False)
    pd.testing.assert_series_equal(leaves[trusted], left[trusted], check_names=False)


@pytest.mark.parametrize("name", KINDS)
def test_no_column_of_an_example_changes_when_more_candles_follow(name: str) -> None:
    pair, timeframe = "DOGE/USDT", KINDS[name].timeframe
    whole, all_leaves = run(name, pair)
    known = whole.index[whole["trust"] == DataQuality.OK]
    candle = pd.Timedelta(minutes=timeframe_to_minutes(timeframe))
    anywhere = random.Random(name)
    signals = list(whole.index[whole["enter_long"] == 1])
    for row in (*anywhere.sample(list(known), 5), *anywhere.sample(signals, min(3, len(signals)))):
        end = (whole["date"][row] + candle).to_pydatetime()
        cut, leaves = run(name, pair, end)
        pd.testing.assert_frame_equal(cut, whole[: row + 1], check_exact=True, check_dtype=False)
        pd.testing.assert_series_equal(leaves, all_leaves[: row + 1])
