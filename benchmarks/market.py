"""Candles to measure on, in a folder: generated or calm ones, written once, or real ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from freqtrade.data.history import get_datahandler
from freqtrade.enums import CandleType, TradingMode

from benchmarks.errors import BenchmarkError
from sandbox.files import export
from sandbox.sources import GeneratedSource

_CALM_SIGMA = 0.003
_DONE = ".complete"


@dataclass(frozen=True)
class Candles:
    """A folder of Freqtrade's feather files and the pairs in it that are used."""

    folder: Path
    pairs: tuple[str, ...]


def generated(cache: Path, seed: int, days: int, timeframes: Sequence[str]) -> Candles:
    """The sandbox's market of that seed, ten pairs over `days` days."""
    source = GeneratedSource(seed, days=days)
    folder = cache / f"generated-{seed}-{days}d-{'-'.join(timeframes)}"
    if not (folder / _DONE).exists():
        export(source, folder, timeframes)
        (folder / _DONE).touch()
    return Candles(folder, tuple(market.pair for market in source.markets()))


def real(folder: Path, timeframe: str) -> Candles:
    """
    Candle files of a folder such as user_data/data/binance.

    Raises
    ------
    BenchmarkError
        If it is no folder or has no spot candles of the timeframe.
    """
    if not folder.is_dir():
        raise BenchmarkError(f"--data {folder} is not a directory.")
    found = get_datahandler(folder, "feather").ohlcv_get_available_data(folder, TradingMode.SPOT)
    pairs = sorted(pair for pair, of, kind in found if of == timeframe and kind == CandleType.SPOT)
    if not pairs:
        raise BenchmarkError(
            f"--data {folder} holds no {timeframe} candles such as BTC_USDT-{timeframe}.feather."
        )
    return Candles(folder, tuple(pairs))


def calm(cache: Path, seed: int, hours: int, count: int = 10) -> Candles:
    """
    Hourly candles of `count` pairs in which no guard finds anything: independent random walks with
    a standard deviation of 0.3 % an hour and plenty of volume.
    """
    pairs = ("BTC/USDT", *(f"P{number}/USDT" for number in range(1, count)))
    folder = cache / f"calm-{seed}-{hours}h-{count}"
    if not (folder / _DONE).exists():
        folder.mkdir(parents=True, exist_ok=True)
        handler = get_datahandler(folder, "feather")
        for number, pair in enumerate(pairs):
            frame = _walk(np.random.default_rng([seed, number]), hours)
            handler.ohlcv_store(pair, "1h", frame, CandleType.SPOT)
        (folder / _DONE).touch()
    return Candles(folder, pairs)


def _walk(random: np.random.Generator, hours: int) -> pd.DataFrame:
    close = (100 * np.exp(np.cumsum(_CALM_SIGMA * random.standard_normal(hours)))).round(6)
    opened = np.concatenate((close[:1], close[:-1]))
    reach = _CALM_SIGMA * random.uniform(0.2, 0.8, (2, hours))
    return pd.DataFrame(
        {
            "date": pd.date_range("2024-01-01", periods=hours, freq="1h", tz="UTC"),
            "open": opened,
            "high": (np.maximum(opened, close) * (1 + reach[0])).round(6),
            "low": (np.minimum(opened, close) * (1 - reach[1])).round(6),
            "close": close,
            "volume": random.uniform(0.5e6, 1.5e6, hours).round(2),
        }
    )
