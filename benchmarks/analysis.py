"""What the analysis of a pair takes when its new candle arrives, beside Freqtrade's SampleStrategy.

As in paper trading: each round, every pair has a new candle, frames are 1,000 candles long, and all
strategies analyse the same frames in turn. What is shared by all pairs, the state of the market, is
built anew each round; its share is part of the figure for a pair. The same strategy with one pair
alone pays for all of it.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

import pandas as pd
from freqtrade import templates
from freqtrade.data.dataprovider import DataProvider
from freqtrade.data.history import load_pair_history
from freqtrade.enums import CandleType, RunMode
from freqtrade.misc import deep_merge_dicts
from freqtrade.persistence import init_db
from freqtrade.plugins.pairlistmanager import PairListManager
from freqtrade.resolvers import StrategyResolver
from freqtrade.strategy import IStrategy
from freqtrade.wallets import Wallets

from ballast.core.windows import minutes
from benchmarks import ROOT
from benchmarks.loop import Say
from benchmarks.market import Candles
from tests.engine import base_config, offline_exchange

CANDLES = 1_000
SAMPLE = "SampleStrategy"
# Of the slowest strategy to SampleStrategy; on a finer timeframe by the mean of an hour's candles.
TARGETS = {"1h": 1.0, "5m": 0.6}
CANDLES_AN_HOUR = 12
HOURLY = "1h"

Frames = Mapping[tuple[str, str], pd.DataFrame]


class Bench:
    """
    A strategy of paper trading whose exchange has the frames it is given.

    Parameters
    ----------
    folder : Path
        Scratch folder for Freqtrade.
    where : Path, optional
        Folder that the strategy is looked for in; the pack's, or Freqtrade's templates.
    """

    def __init__(
        self,
        name: str,
        timeframe: str,
        pairs: tuple[str, ...],
        folder: Path,
        where: Path | None = None,
    ) -> None:
        own = {
            "runmode": RunMode.DRY_RUN,
            "strategy": name,
            "strategy_path": str(where or _folder_of(name)),
            "timeframe": timeframe,
            "candle_type_def": CandleType.SPOT,
            "exit_pricing": {"price_side": "other"},
            "ballast": {"market": {"basket": list(pairs)}},
        }
        config = deep_merge_dicts(own, base_config(folder, pairs))
        self.name, self.pairs, self._timeframe = name, pairs, timeframe
        self.exchange = offline_exchange(config, pairs)
        self.strategy: IStrategy = StrategyResolver.load_strategy(config)
        self.strategy.dp = dp = DataProvider(config, self.exchange)
        pairlists = PairListManager(self.exchange, config, dp)
        pairlists.refresh_pairlist()
        dp.add_pairlisthandler(pairlists)
        self.strategy.wallets = Wallets(config, self.exchange)
        self.strategy.ft_bot_start()

    def analyse(self, frames: Frames) -> list[float]:
        """CPU seconds that each pair takes, in order; the first one's include the market."""
        self.exchange._klines = {(*key, CandleType.SPOT): frame for key, frame in frames.items()}
        seconds = []
        for pair in self.pairs:
            frame = frames[pair, self._timeframe].copy()
            began = time.process_time()
            self.strategy.analyze_ticker(frame, {"pair": pair})
            seconds.append(time.process_time() - began)
        return seconds


def run(candles: Candles, timeframe: str, rounds: int, say: Say) -> dict[str, Any]:
    """
    Analyse `rounds` candles of every pair with every strategy of the pack and SampleStrategy.

    Returns
    -------
    dict
        by strategy, milliseconds (medians; on 5m means): per_pair (its share of the market
        included), alone (the market at hand), single (a whitelist of this pair only); ratio:
        per_pair to that of SampleStrategy.
    """
    names = [SAMPLE, *sorted(path.stem for path in (ROOT / "strategies").glob("[A-Z]*.py"))]
    history = stored(candles, timeframe, HOURLY)
    taken: dict[str, list[list[float]]] = {name: [] for name in names}
    single: dict[str, list[float]] = {name: [] for name in names}
    leader = "BTC/USDT" if "BTC/USDT" in candles.pairs else candles.pairs[0]
    with database(), tempfile.TemporaryDirectory() as folder:
        say(f"{', '.join(names)} on {timeframe}, {rounds} candles of {len(candles.pairs)} pairs")
        benches = [Bench(name, timeframe, candles.pairs, Path(folder)) for name in names]
        singles = [Bench(name, timeframe, (leader,), Path(folder)) for name in names]
        # The first round warms up what is imported and cached on first use.
        for number, frames in enumerate(rounds_of(history, timeframe, rounds + 1)):
            for bench, alone in zip(benches, singles, strict=True):
                seconds, one = bench.analyse(frames), alone.analyse(frames)
                if number:
                    taken[bench.name].append(seconds)
                    single[bench.name] += one
        for bench in (*benches, *singles):
            bench.exchange.close()
    middle = typical(timeframe)
    figures = {name: _figures(taken[name], single[name], middle) for name in names}
    sample = figures[SAMPLE]["per_pair"]
    return {name: {**row, "ratio": row["per_pair"] / sample} for name, row in figures.items()}


def typical(timeframe: str) -> Callable[[list[float]], float]:
    """What is measured on hours costs once an hour: only a whole hour has a typical candle."""
    return statistics.median if minutes(timeframe) >= minutes(HOURLY) else statistics.fmean


def _figures(
    taken: list[list[float]], single: list[float], middle: Callable[[list[float]], float]
) -> dict[str, float]:
    return {
        "per_pair": 1000 * middle([statistics.fmean(seconds) for seconds in taken]),
        "alone": 1000 * middle([s for seconds in taken for s in seconds[1:]]),
        "single": 1000 * middle(single),
    }


def _folder_of(name: str) -> Path:
    return Path(templates.__path__[0]) if name == SAMPLE else ROOT / "strategies"


def stored(candles: Candles, *timeframes: str) -> dict[tuple[str, str], pd.DataFrame]:
    """Whole history, dated as frames from an exchange are (files are read as another UTC)."""
    frames = {
        (pair, of): load_pair_history(pair, of, candles.folder, candle_type=CandleType.SPOT)
        for of in dict.fromkeys(timeframes)
        for pair in candles.pairs
    }
    return {
        key: frame.assign(date=frame["date"].dt.tz_convert(UTC)) for key, frame in frames.items()
    }


def rounds_of(
    stored: Frames, timeframe: str, count: int
) -> Iterator[dict[tuple[str, str], pd.DataFrame]]:
    """The last frames of history: each time one candle more, coarser ones as far as complete."""
    newest = min(frame["date"].iloc[-1] for frame in stored.values())
    spans = {of: pd.Timedelta(minutes=minutes(of)) for _, of in stored}
    for back in range(count, 0, -1):
        end = newest - back * spans[timeframe]
        yield {
            (pair, of): frame[frame["date"] + spans[of] <= end].tail(CANDLES).reset_index(drop=True)
            for (pair, of), frame in stored.items()
        }


@contextmanager
def database() -> Iterator[None]:
    """Paper trading keeps its state in a database: one in memory."""
    init_db("sqlite://")
    yield
