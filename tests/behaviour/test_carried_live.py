"""What a running bot knows of a candle is what one knows that has just been started.

From one candle to the next it carries on what was found of those before; whatever becomes of them,
it must be what the candles say.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ballast.core.frames import resample
from ballast.data.market_view import MARKET
from benchmarks.analysis import Bench, database
from tests.unit.ballast.core.made import filled, walk

PAIRS = ("BTC/USDT", "ETH/USDT")
PAIR = PAIRS[1]
NAME = "RisingMarket"
# Longer than every window together, and how many candles are compared.
HOURS, LAST = 640, 30
Frames = dict[tuple[str, str], pd.DataFrame]


def history(timeframe: str) -> Frames:
    hourly = {pair: walk(number, HOURS + 20, "1h") for number, pair in enumerate(PAIRS)}
    if timeframe == "1h":
        return {(pair, "1h"): frame for pair, frame in hourly.items()}
    fine = {pair: walk(number, 12 * (HOURS + 20), timeframe) for number, pair in enumerate(PAIRS)}
    hourly = {pair: resample(frame, timeframe, "1h") for pair, frame in fine.items()}
    both = {timeframe: fine, "1h": hourly}
    return {(pair, of): frame for of, frames in both.items() for pair, frame in frames.items()}


def live(stored: Frames, ended: pd.Timestamp) -> Frames:
    """What a bot has at a moment."""
    return {
        (pair, of): frame[frame["date"] + pd.Timedelta(of.replace("m", "min")) <= ended]
        .tail(HOURS)
        .reset_index(drop=True)
        for (pair, of), frame in stored.items()
    }


def seen(bench: Bench, frames: Frames) -> dict[str, np.ndarray]:
    """Every column of every pair, and all that callbacks look up."""
    made: dict[str, np.ndarray] = {}
    timeframe = bench.strategy.timeframe
    bench.exchange._klines = {(*key, "spot"): frame for key, frame in frames.items()}
    for pair in bench.pairs:
        frame = bench.strategy.analyze_ticker(frames[pair, timeframe].copy(), {"pair": pair})
        made |= {f"{pair} {name}": frame[name].to_numpy() for name in frame}
    columns_by_pair = bench.strategy.session.columns_by_pair
    for pair in (*bench.pairs, MARKET):
        by_name = columns_by_pair[pair].by_name.items()
        made |= {f"{pair} looked up: {name}": values for name, values in by_name}
    return made


def forget(bench: Bench) -> None:
    """Know no candle any more, as a process that hyperopt has started."""
    for part in (bench.strategy.session.feeds, bench.strategy._ballast.views):
        part.__dict__.update(part.__getstate__())


def as_it_is(frame: pd.DataFrame) -> pd.DataFrame:
    return frame


def corrected(frame: pd.DataFrame) -> pd.DataFrame:
    changed = frame.copy()
    changed.loc[len(frame) - 4, ["high", "close"]] *= 1.002
    return changed


def absurd(frame: pd.DataFrame) -> pd.DataFrame:
    changed = frame.copy()
    changed.loc[len(frame) - 1, "low"] *= 0.5
    return changed


def with_a_gap(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(index=len(frame) - 9).reset_index(drop=True)


def with_a_hole(frame: pd.DataFrame) -> pd.DataFrame:
    return filled(frame, slice(len(frame) - 7, len(frame) - 3))


def shorter(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[5:].reset_index(drop=True)


STORY: list[tuple[int, Callable[[pd.DataFrame], pd.DataFrame]]] = [
    *((1, as_it_is),) * 2,
    (1, corrected),
    (1, as_it_is),
    (3, as_it_is),
    (1, absurd),
    (1, as_it_is),
    (1, with_a_hole),
    (1, with_a_hole),
    (1, with_a_gap),
    (0, as_it_is),
    (1, shorter),
    (12, as_it_is),
]


@pytest.mark.parametrize("timeframe", ["1h", "5m"])
def test_a_candle_is_the_same_to_a_bot_that_has_run_and_to_one_that_has_not(
    timeframe: str, tmp_path: Path
) -> None:
    stored, step = history(timeframe), pd.Timedelta(timeframe.replace("m", "min"))
    ended = stored[PAIR, timeframe]["date"].iloc[-1] - 30 * step
    with database():
        running, anew = (Bench(NAME, timeframe, PAIRS, tmp_path) for _ in range(2))
        for candles, change in [(0, as_it_is), *STORY]:
            ended += candles * step
            frames = live(stored, ended)
            frames[PAIR, timeframe] = change(frames[PAIR, timeframe])
            forget(anew)
            known, expected = seen(running, frames), seen(anew, frames)
            assert known.keys() == expected.keys()
            for name, values in expected.items():
                text = f"{name} at {ended}, {change.__name__}"
                np.testing.assert_array_equal(known[name][-LAST:], values[-LAST:], err_msg=text)
        for bench in (running, anew):
            bench.exchange.close()
