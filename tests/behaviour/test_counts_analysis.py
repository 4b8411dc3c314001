"""What the analysis of a new candle works out, counted: no clock, and no machine."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest

from ballast.core.frames import resample
from ballast.core.measured import MeasuredCandles
from ballast.strategy import warm_up
from benchmarks import ROOT
from benchmarks.analysis import Bench, database
from tests.unit.ballast.core.made import walk

PACK = sorted(path.stem for path in (ROOT / "strategies").glob("[A-Z]*.py"))
PAIRS = ("BTC/USDT", "ETH/USDT", "XRP/USDT", "ADA/USDT")
HOURS = 300
Frames = dict[tuple[str, str], pd.DataFrame]


@pytest.fixture(scope="module")
def history() -> Frames:
    fine = {pair: walk(number, 12 * HOURS, "5m") for number, pair in enumerate(PAIRS)}
    hourly = {(pair, "1h"): resample(frame, "5m", "1h") for pair, frame in fine.items()}
    return {(pair, "5m"): frame for pair, frame in fine.items()} | hourly


def until(history: Frames, pairs: tuple[str, ...], end: pd.Timestamp) -> Frames:
    """What a bot has at a moment."""
    return {
        (pair, of): frame[frame["date"] + pd.Timedelta(of.replace("m", "min")) <= end]
        .tail(1_000)
        .reset_index(drop=True)
        for (pair, of), frame in history.items()
        if pair in pairs
    }


@contextmanager
def worked_out() -> Iterator[list[Hashable]]:
    """What is worked out meanwhile, by the name it is kept under."""
    names: list[Hashable] = []
    once = MeasuredCandles.once

    def counting(
        candles: MeasuredCandles, key: Hashable, compute: Callable[[], np.ndarray]
    ) -> np.ndarray:
        def counted() -> np.ndarray:
            names.append(key)
            return compute()

        return once(candles, key, counted)

    with patch.object(MeasuredCandles, "once", counting):
        yield names


def counts(
    name: str, timeframe: str, pairs: tuple[str, ...], history: Frames, folder: Path, candles: int
) -> list[int]:
    """What a strategy works out at each of the candles from the end of an hour on."""
    end = history[PAIRS[0], "5m"]["date"].iloc[-1] - pd.Timedelta(hours=3)
    begin, step = end.floor("h"), pd.Timedelta(timeframe.replace("m", "min"))
    found = []
    with database():
        bench = Bench(name, timeframe, pairs, folder)
        bench.analyse(until(history, pairs, begin - pd.Timedelta(hours=1)))
        for number in range(candles):
            with worked_out() as names:
                bench.analyse(until(history, pairs, begin + number * step))
            found.append(len(names))
        bench.exchange.close()
    return found


@pytest.mark.parametrize("name", PACK)
def test_within_an_hour_a_fine_candle_works_out_next_to_nothing(
    name: str, history: Frames, tmp_path: Path
) -> None:
    hour, *within, next_hour = counts(name, "5m", PAIRS, history, tmp_path, 13)
    assert max(within) <= 0.25 * hour, (hour, within)
    assert next_hour <= hour


@pytest.mark.parametrize("name", PACK)
def test_another_pair_costs_what_a_pair_costs_and_no_second_market(
    name: str, history: Frames, tmp_path: Path
) -> None:
    two, three, four = (
        counts(name, "1h", PAIRS[:number], history, tmp_path / str(number), 2)[-1]
        for number in (2, 3, 4)
    )
    assert three - two == four - three
    assert four - three <= 40, (two, three, four)


def test_a_strategy_that_starts_is_asked_its_needs_by_freqtrade_and_by_the_layer_once(
    tmp_path: Path,
) -> None:
    """With parameters each time is a dozen of askings: for the warm-up and its frames it is one."""
    with database():
        bench = Bench("RisingMarket", "1h", PAIRS, tmp_path)
        with patch.object(warm_up, "_at_their_ends", wraps=warm_up._at_their_ends) as asked:
            bench.strategy.ft_bot_start()
        bench.exchange.close()
    # Freqtrade looks through all attributes for parameters.
    assert asked.call_count == 2
