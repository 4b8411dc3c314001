"""Candles, boards and snapshots made for tests: random walks with explicit seeds, and by hand."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import numpy as np
import pandas as pd

from ballast.core.aligned import slow_candles
from ballast.core.columns import CandleColumns
from ballast.core.cross_section import CrossSection, CrossSectionRow
from ballast.core.guards.base import Guard
from ballast.core.market import Market
from ballast.core.snapshot import ClosedTrade, Snapshot
from ballast.core.trust import DataQuality
from ballast.core.windows import minutes

AnyGuard = TypeVar("AnyGuard", bound=Guard)

# A Monday, so that the first week border is seven days away.
START = datetime(2024, 1, 1, tzinfo=UTC)
TIMEFRAMES = ("5m", "15m", "1h", "4h")


def span(timeframe: str) -> timedelta:
    """Length of a candle."""
    return timedelta(minutes=minutes(timeframe))


def market_of(
    leader: pd.DataFrame, basket: Mapping[str, pd.DataFrame], timeframe: str = "1h"
) -> Market:
    """The market of frames."""
    return Market(leader, timeframe, {p: slow_candles(f, timeframe) for p, f in basket.items()})


def dates(n: int, timeframe: str, start: datetime = START) -> pd.Series:
    """Opening times of n candles."""
    return pd.Series(pd.date_range(start, periods=n, freq=span(timeframe)))


def walk(
    seed: int,
    n: int,
    timeframe: str = "1h",
    *,
    holes: int = 0,
    sigma: float = 0.01,
    price: float = 100.0,
    start: datetime = START,
) -> pd.DataFrame:
    """A random walk; `holes` of one to eight candles are filled as Freqtrade fills them."""
    rng = np.random.default_rng(seed)
    close = price * np.exp(np.cumsum(sigma * rng.standard_normal(n)))
    opened = np.concatenate(([price], close))[:n]
    high = np.maximum(opened, close) * np.exp(sigma * rng.random(n))
    low = np.minimum(opened, close) * np.exp(-sigma * rng.random(n))
    volume = np.exp(rng.standard_normal(n)) * 10
    for first in rng.integers(1, n - 8, holes) if n > 9 else ():
        hole = slice(int(first), int(first) + int(rng.integers(1, 9)))
        for column in (opened, high, low, close):
            column[hole] = close[int(first) - 1]
        volume[hole] = 0.0
    return pd.DataFrame(
        {
            "date": dates(n, timeframe, start),
            "open": opened,
            # The candle after a hole opens where the walk went on.
            "high": np.maximum.reduce([opened, high, close]),
            "low": np.minimum.reduce([opened, low, close]),
            "close": close,
            "volume": volume,
        }
    )


def closes(
    values: Sequence[float] | np.ndarray, timeframe: str = "1h", start: datetime = START
) -> pd.DataFrame:
    """Candles that open at the previous close, without wicks, of volume 1."""
    close = np.asarray(values, dtype=float)
    opened = np.concatenate((close[:1], close[:-1]))
    return pd.DataFrame(
        {
            "date": dates(len(close), timeframe, start),
            "open": opened,
            "high": np.maximum(opened, close),
            "low": np.minimum(opened, close),
            "close": close,
            "volume": np.ones(len(close)),
        }
    )


def filled(frame: pd.DataFrame, rows: slice) -> pd.DataFrame:
    """The frame with some candles missing at the exchange, filled as Freqtrade fills them."""
    holed = frame.copy()
    before = frame["close"].iloc[rows.start - 1]
    positions = np.arange(len(frame))[rows]
    holed.loc[positions, ["open", "high", "low", "close"]] = before
    holed.loc[positions, "volume"] = 0.0
    return holed


def scaled(frame: pd.DataFrame, factor: float) -> pd.DataFrame:
    """The frame with all prices multiplied."""
    prices = ["open", "high", "low", "close"]
    return frame.assign(**{name: frame[name] * factor for name in prices})


def row(pairs: Mapping[str, Mapping[str, float]]) -> CrossSectionRow:
    """One row of a cross-section; by pair its columns, calm where not given."""
    calm = {"trust": float(DataQuality.OK), "cooldown": 0.0, "intensity": 0.1, "fall": 0.0}
    opened = pd.Series([pd.Timestamp(START - timedelta(hours=1))])
    columns_by_pair = {
        pair: CandleColumns(opened, "1h", {k: np.array([v]) for k, v in {**calm, **given}.items()})
        for pair, given in pairs.items()
    }
    found = CrossSection(CandleColumns(opened, "1h", {}), columns_by_pair).at(START)
    assert found is not None
    return found


CALM = row({"A/USDT": {}, "B/USDT": {}})


def moment(hours: float = 0.0) -> datetime:
    """A time after the start."""
    return START + timedelta(hours=hours)


def seen(
    hours: float = 0.0,
    *,
    equity: float = 1000.0,
    closed: Sequence[ClosedTrade] = (),
    pairs: Mapping[str, Mapping[str, float]] | None = None,
    fall: float = 0.0,
    trust: int = DataQuality.OK,
    api_errors: int = 0,
) -> Snapshot:
    """A snapshot of a calm market and account, but for what is given."""
    cross_section = CALM if pairs is None else row(pairs)
    names = ("A/USDT", "B/USDT") if pairs is None else tuple(pairs)
    return Snapshot(
        moment(hours), equity, tuple(closed), cross_section, names, trust, fall, api_errors
    )


def trade(hours: float, r: float, pair: str = "A/USDT") -> ClosedTrade:
    """A trade that closed so many hours after the start, with its result in R."""
    return ClosedTrade(pair, moment(hours), r)


def restarted(guard: Guard, fresh: AnyGuard) -> AnyGuard:
    """A fresh guard that was given the memory of another by way of JSON, as after a restart."""
    fresh.memory = type(fresh.memory).model_validate_json(guard.memory.model_dump_json())
    return fresh
