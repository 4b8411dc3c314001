"""Candle files as Freqtrade keeps them: replay a folder of them, write a history into one.

Reading and writing are left to Freqtrade's own data handlers.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from freqtrade.data.history import get_datahandler
from freqtrade.enums import CandleType, TradingMode

from sandbox.candles import TIMEFRAMES_MS, Candles, FloatArray, aggregate
from sandbox.errors import SandboxError
from sandbox.markets import Market
from sandbox.regimes import Label
from sandbox.sources import CandleSource

FORMATS = ("feather", "json")
# Decimals looked for when a step is inferred, and the rounding error allowed [steps].
_MAX_DECIMALS, _TOLERANCE = 8, 1e-3


class FileSource:
    """Candles from a folder such as user_data/data/binance.

    Of several timeframes of a pair the finest is taken and the others are made from it, so that
    all agree. Price and amount steps are inferred from the decimals the files use. A pair is listed
    from its first candle on; delistings are not known.

    Parameters
    ----------
    directory : folder with feather or json files named as Freqtrade names them.
    pairs : only these; all of the folder by default.
    timeframe : only files of this timeframe; the finest of each pair by default.

    Raises
    ------
    SandboxError
        If the folder does not exist, has nothing to serve, or a file cannot be read.
    """

    def __init__(
        self, directory: Path, pairs: Iterable[str] | None = None, timeframe: str | None = None
    ) -> None:
        if not directory.is_dir():
            raise SandboxError(f"--data {directory} is not a directory.")
        files = _finest_files(directory, timeframe)
        wanted = sorted(files) if pairs is None else list(dict.fromkeys(pairs))
        if not wanted or not files:
            of_timeframe = f" of timeframe {timeframe}" if timeframe else ""
            raise SandboxError(
                f"--data {directory} holds no candle files{of_timeframe}"
                " named like BTC_USDT-5m.feather or BTC_USDT-5m.json."
            )
        self._candles: dict[str, Candles] = {}
        for pair in wanted:
            if pair not in files:
                raise SandboxError(f"Pair {pair!r} is not among the files of --data {directory}.")
            self._candles[pair] = _load(directory, pair, *files[pair])
        self._markets = tuple(_market(pair, self._candles[pair]) for pair in wanted)

    def markets(self) -> tuple[Market, ...]:
        return self._markets

    def candles(self, pair: str) -> Candles:
        return self._candles[pair]

    def labels(self) -> tuple[Label, ...]:
        return ()


def _finest_files(directory: Path, timeframe: str | None) -> dict[str, tuple[str, str]]:
    """For each spot pair of a folder: (timeframe, file format) of its finest candles."""
    finest: dict[str, tuple[str, str]] = {}
    for file_format in FORMATS:
        handler = get_datahandler(directory, file_format)
        for pair, found, candle_type in handler.ohlcv_get_available_data(
            directory, TradingMode.SPOT
        ):
            usable = found in TIMEFRAMES_MS and candle_type == CandleType.SPOT and "/" in pair
            if not usable or (timeframe is not None and found != timeframe):
                continue
            if pair not in finest or TIMEFRAMES_MS[found] < TIMEFRAMES_MS[finest[pair][0]]:
                finest[pair] = (found, file_format)
    return finest


def _load(directory: Path, pair: str, timeframe: str, file_format: str) -> Candles:
    """The candles of a file, holes left open."""
    with _quiet_freqtrade():
        try:
            frame = get_datahandler(directory, file_format).ohlcv_load(
                pair, timeframe, CandleType.SPOT, fill_missing=False, warn_no_data=False
            )
        except (ValueError, KeyError, TypeError, OSError):
            frame = None
    # Freqtrade logs a file it cannot read and goes on with an empty frame.
    if frame is None or frame.empty:
        name = f"{pair.replace('/', '_')}-{timeframe}.{file_format}"
        raise SandboxError(f"{directory / name} is empty or cannot be read as Freqtrade candles.")
    return Candles.from_frame(frame, TIMEFRAMES_MS[timeframe])


@contextmanager
def _quiet_freqtrade() -> Iterator[None]:
    """Keep Freqtrade's tracebacks of unreadable files to itself; the caller says what is wrong."""
    logger = logging.getLogger("freqtrade")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)


def _market(pair: str, candles: Candles) -> Market:
    prices = np.concatenate([candles.open, candles.high, candles.low, candles.close])
    return Market(pair, _step(prices), _step(candles.volume), listed_ms=int(candles.open_ms[0]))


def _step(values: FloatArray) -> str:
    """The power of ten that every value is a multiple of, as decimal text: '0.01'."""
    for decimals in range(_MAX_DECIMALS):
        scaled = values * 10.0**decimals
        if np.all(np.abs(scaled - np.rint(scaled)) < _TOLERANCE):
            return f"{10.0**-decimals:.{decimals}f}"
    return f"{10.0**-_MAX_DECIMALS:.{_MAX_DECIMALS}f}"


def export(source: CandleSource, directory: Path, timeframes: Iterable[str]) -> list[Path]:
    """Write a source's candles as feather files, one a pair and timeframe.

    Parameters
    ----------
    directory : Freqtrade's data folder, made if it is missing; files of the same name are replaced.
    timeframes : each a multiple of the source's own.

    Returns
    -------
    The files written.

    Raises
    ------
    SandboxError
        If a timeframe cannot be made from the source, or a file cannot be written.
    """
    handler = get_datahandler(directory, "feather")
    written = []
    for market in source.markets():
        candles = source.candles(market.pair)
        for timeframe in timeframes:
            if TIMEFRAMES_MS.get(timeframe, 1) % candles.timeframe_ms:
                raise SandboxError(f"{market.pair} has no candles to make {timeframe!r} from.")
            frame = aggregate(candles, TIMEFRAMES_MS[timeframe]).to_frame()
            try:
                directory.mkdir(parents=True, exist_ok=True)
                handler.ohlcv_store(market.pair, timeframe, frame, CandleType.SPOT)
            except OSError as error:
                raise SandboxError(f"Cannot write to {directory}: {error.strerror}.") from error
            written.append(directory / f"{market.base}_{market.quote}-{timeframe}.feather")
    return written
