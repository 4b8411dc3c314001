"""A strategy on candles that are made up, through Freqtrade's own backtester: whether it works.

What it earns there says nothing. Whether its rules are met at times, whether it buys and how it
leaves can be told without candles of an exchange, in the test beside a new strategy.
"""

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from freqtrade.data.history import get_datahandler
from freqtrade.enums import CandleType
from freqtrade.exceptions import FreqtradeException
from freqtrade.resolvers import StrategyResolver

from ballast.core.frames import groups_of, resample
from ballast.core.windows import minutes
from ballast.journal.reader import Reader
from ballast.research.backtests import Task, TaskError, run
from ballast.research.foreign.replay import priced
from ballast.research.report.results import read_zip
from ballast.tooling.quiet import quiet

PAIRS = ("BTC/USDT", "ETH/USDT", "SOL/USDT", "XRP/USDT")
# Longer than any strategy may look back, and than windows that are measured on hourly candles.
_WARM_UP, _WARM_UP_DAYS = 5_000, 70
# Of an hour, and how much of it all pairs share; drifts of a trend that lasts some days.
_VOLATILITY, _SHARED, _DRIFT, _TREND_DAYS = 0.008, 0.7, 0.0012, 6
_FEE = 0.001
# Prices turn at so many times their first, and at so small a part of it: years of daily candles
# would lead to some that no exchange quotes.
_MOST = 1_000


@dataclass(frozen=True)
class Rehearsed:
    """
    What a strategy did.

    Parameters
    ----------
    met : mapping of str to float
        By rule (the parts of a rule after it, 'trigger.dip'), on which share of candles it was met.
    entries, exits : mapping of str to int
        How often it entered by each tag, and left for each reason.
    """

    met: Mapping[str, float]
    entries: Mapping[str, int]
    exits: Mapping[str, int]


def rehearse(file: str | Path, candles: int = 2_000, seed: int = 7) -> Rehearsed:
    """
    Backtest the strategy of a file.

    Parameters
    ----------
    file : path
        Named after its class.
    candles : int
        That are traded, after the warm-up.
    seed : int
        Of the candles; another one makes others.

    Raises
    ------
    TaskError
        When Freqtrade or the layer refuses it, or it fails: one sentence.
    """
    path = Path(file).resolve()
    config: dict[str, Any] = {
        "dry_run": True,
        "dry_run_wallet": 10_000,
        "stake_currency": "USDT",
        "stake_amount": "unlimited",
        "max_open_trades": len(PAIRS),
        "enable_protections": True,
        "cancel_open_orders_on_exit": True,
        "exchange": {"name": "binance", "pair_whitelist": list(PAIRS)},
        "entry_pricing": {"price_side": "other"},
        "exit_pricing": {"price_side": "other"},
        "ballast": {"journal": {"backtest": True}, "market": {"basket": list(PAIRS)}},
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        timeframe = _timeframe(path, config)
        begins = _write(folder / "data", timeframe, candles, seed)
        task = Task(
            config,
            {},
            path.stem,
            str(path.parent),
            str(folder / "data"),
            f"{begins}-",
            PAIRS,
            keep=str(folder),
        )
        zipped = run(priced(task, _FEE)).zipped
        (folder / "result.zip").write_bytes(zipped)
        (result,) = read_zip(folder / "result.zip")
        trades = result.trades
        return Rehearsed(
            _met(folder / "ballast_journal.backtest.sqlite"),
            Counter(str(tag) for tag in trades["enter_tag"]),
            Counter(str(reason) for reason in trades["exit_reason"]),
        )


def _timeframe(path: Path, config: Mapping[str, Any]) -> str:
    asked = {**config, "strategy": path.stem, "strategy_path": str(path.parent)}
    try:
        with quiet():
            return str(
                StrategyResolver.load_strategy({**asked, "user_data_dir": path.parent}).timeframe
            )
    except FreqtradeException as error:
        raise TaskError(str(error)) from None


def _write(folder: Path, timeframe: str, count: int, seed: int) -> int:
    """Candles of every pair, on the timeframe and coarser ones; when trading begins (epoch, s)."""
    warm_up = max(_WARM_UP, round(_WARM_UP_DAYS * 1_440 / minutes(timeframe)))
    folder.mkdir()
    handler = get_datahandler(folder, "feather")
    for pair, frame in zip(PAIRS, walks(timeframe, warm_up + count, len(PAIRS), seed), strict=True):
        stored = {timeframe: frame}
        stored |= {to: resample(frame, timeframe, to) for to in groups_of(timeframe)}
        for to, candles in stored.items():
            handler.ohlcv_store(pair, to, candles, CandleType.SPOT)
    return int(frame["date"].iloc[warm_up].timestamp())


def walks(timeframe: str, count: int, pairs: int, seed: int) -> Sequence[pd.DataFrame]:
    """Candles of pairs that move together, in trends of some days; the same for the same seed."""
    random, step = np.random.default_rng(seed), minutes(timeframe)
    volatility = _VOLATILITY * np.sqrt(step / 60)
    dates = pd.date_range("2024-01-01", periods=count, freq=timedelta(minutes=step), tz="UTC")
    trend = np.repeat(
        random.normal(0, _DRIFT * step / 60, 1 + round(count * step / 1_440 / _TREND_DAYS)),
        max(1, round(_TREND_DAYS * 1_440 / step)),
    )
    trend = np.resize(trend, count)
    market = random.standard_normal(count)
    frames = []
    for _ in range(pairs):
        own = np.sqrt(1 - _SHARED**2) * random.standard_normal(count)
        moved = np.cumsum(trend + volatility * (_SHARED * market + own))
        close = 100 * np.exp(_within(moved, np.log(_MOST)))
        opened = np.concatenate(([100.0], close[:-1]))
        reach = np.exp(np.abs(random.normal(0, volatility / 2, (2, count))))
        frames.append(
            pd.DataFrame(
                {
                    "date": dates,
                    "open": opened,
                    "high": np.maximum(opened, close) * reach[0],
                    "low": np.minimum(opened, close) / reach[1],
                    "close": close,
                    "volume": 1e5 * np.exp(random.normal(0, 0.5, count)),
                }
            )
        )
    return frames


def _within(values: np.ndarray, most: float) -> np.ndarray:
    """Values that turn back where they reach `most`, on either side of 0."""
    inside = np.abs(values).max(initial=0) <= most
    return values if inside else np.abs((values + 3 * most) % (4 * most) - 2 * most) - most


def _met(journal: Path) -> dict[str, float]:
    with closing(Reader(journal)) as reader:
        since = next(iter(reader.pairs().values())).first
        decisions = [row.decision for row in reader.rows_since(since) if row.decision.rules]
    met: Counter[str] = Counter()
    for decision in decisions:
        met.update({name: int(reading.met) for name, reading in decision.read_for_entry().items()})
    return {name: count / len(decisions) for name, count in met.items()}
