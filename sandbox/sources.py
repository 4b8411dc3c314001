"""Where candles come from: the protocol, the generated history, and a source moved in time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cached_property
from typing import Protocol

import pandas as pd

from sandbox.candles import TIMEFRAMES_MS, Candles, aggregate
from sandbox.errors import SandboxError
from sandbox.markets import Market
from sandbox.model import Factor, generate_pair, market_factor
from sandbox.profiles import PROFILES
from sandbox.regimes import (
    MAX_DAYS,
    MIN_DAYS,
    Label,
    Roles,
    find_labels,
    write_script,
)

DEFAULT_START = datetime(2024, 1, 1, tzinfo=UTC)
DEFAULT_DAYS = 366
FIRST_START, LAST_START = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
MAX_SEED = 2**32 - 1
GENERATED_TIMEFRAMES = ("1m", "5m")


class CandleSource(Protocol):
    """Markets and their finest candles; everything else is derived from these."""

    def markets(self) -> tuple[Market, ...]:
        """Every pair of the history, listed or not at a given moment."""
        ...

    def candles(self, pair: str) -> Candles:
        """All candles of a pair in its finest timeframe; KeyError for an unknown pair."""
        ...

    def labels(self) -> tuple[Label, ...]:
        """The labelled script, empty where nothing is known about the history."""
        ...


class GeneratedSource:
    """A generated history; the same arguments give the same bytes.

    Pairs are generated when first asked for, each from a random stream of its own: a pair's
    candles do not depend on which other pairs exist.

    Parameters
    ----------
    seed : 0 to 2**32 - 1.
    start : the first candle's open, a whole day [UTC].
    days : length [days], 30 to 1500.
    pairs : pairs to offer, of `sandbox.profiles.PROFILES`; all of them by default.
    timeframe : the finest candles, '5m' or '1m'. The two are different histories.

    Raises
    ------
    SandboxError
        If an argument is out of its range.
    """

    def __init__(
        self,
        seed: int,
        *,
        start: datetime = DEFAULT_START,
        days: int = DEFAULT_DAYS,
        pairs: Iterable[str] | None = None,
        timeframe: str = "5m",
    ) -> None:
        self._pairs = tuple(PROFILES if pairs is None else dict.fromkeys(pairs))
        self._check(seed, start, days, timeframe)
        self._seed = seed
        self._script = write_script(
            int(start.timestamp()) * 1000,
            days,
            TIMEFRAMES_MS[timeframe],
            self._pairs,
            Roles(
                thin=self._playing("thin"),
                late=self._playing("late"),
                delisted=self._playing("delisted"),
                bad_tick=self._playing("bad_tick"),
            ),
        )
        self._candles: dict[str, Candles] = {}

    def _check(self, seed: int, start: datetime, days: int, timeframe: str) -> None:
        if not 0 <= seed <= MAX_SEED:
            raise SandboxError(f"Seed {seed} is outside 0 to {MAX_SEED}.")
        if not FIRST_START <= start <= LAST_START or start.timestamp() % 86_400:
            raise SandboxError(
                f"A history starts with a day (00:00 UTC) from {FIRST_START:%Y-%m-%d}"
                f" to {LAST_START:%Y-%m-%d}, not {start.isoformat()}."
            )
        if not MIN_DAYS <= days <= MAX_DAYS:
            raise SandboxError(f"A history of {days} days is outside {MIN_DAYS} to {MAX_DAYS}.")
        if timeframe not in GENERATED_TIMEFRAMES:
            accepted = " or ".join(GENERATED_TIMEFRAMES)
            raise SandboxError(f"Generated candles are {accepted}, not {timeframe!r}.")
        if not self._pairs:
            raise SandboxError("At least one pair is needed to generate a history.")
        for pair in self._pairs:
            if pair not in PROFILES:
                known = ", ".join(PROFILES)
                raise SandboxError(f"Pair {pair!r} has no market model; known are {known}.")

    def _playing(self, role: str) -> tuple[str, ...]:
        return tuple(pair for pair in self._pairs if PROFILES[pair].role == role)

    @cached_property
    def _factor(self) -> Factor:
        return market_factor(self._seed, self._script)

    @cached_property
    def _markets(self) -> tuple[Market, ...]:
        return tuple(self._market(pair) for pair in self._pairs)

    def _market(self, pair: str) -> Market:
        profile = PROFILES[pair]
        listing = find_labels(self.labels(), "listing", pair)
        delisting = find_labels(self.labels(), "delisting", pair)
        return Market(
            pair,
            profile.tick,
            profile.lot,
            listed_ms=listing[0].start_ms if listing else self._script.start_ms,
            delisted_ms=delisting[0].end_ms if delisting else None,
            announced_ms=delisting[0].start_ms if delisting else None,
            spread_ratio=profile.spread_ratio,
        )

    def markets(self) -> tuple[Market, ...]:
        return self._markets

    def candles(self, pair: str) -> Candles:
        if pair not in self._candles:
            if pair not in self._pairs:
                raise KeyError(pair)
            self._candles[pair] = generate_pair(
                self._seed, PROFILES[pair], self._script, self._factor
            )
        return self._candles[pair]

    def labels(self) -> tuple[Label, ...]:
        return self._script.labels


class ShiftedSource:
    """Another source, moved in time.

    ``shift_ms`` [ms] must be a whole number of the source's candles.
    """

    def __init__(self, source: CandleSource, shift_ms: int) -> None:
        self._source = source
        self._shift_ms = shift_ms
        self._markets = tuple(market.shifted(shift_ms) for market in source.markets())
        self._labels = tuple(label.shifted(shift_ms) for label in source.labels())
        self._candles: dict[str, Candles] = {}

    def markets(self) -> tuple[Market, ...]:
        return self._markets

    def candles(self, pair: str) -> Candles:
        if pair not in self._candles:
            self._candles[pair] = self._source.candles(pair).shifted(self._shift_ms)
        return self._candles[pair]

    def labels(self) -> tuple[Label, ...]:
        return self._labels


def span_ms(source: CandleSource) -> tuple[int, int]:
    """The open of the first and the end of the last candle of a source [Unix ms]."""
    histories = [source.candles(market.pair) for market in source.markets()]
    start = min(int(candles.open_ms[0]) for candles in histories)
    end = max(int(candles.open_ms[-1]) + candles.timeframe_ms for candles in histories)
    return start, end


def frame(source: CandleSource, pair: str, timeframe: str) -> pd.DataFrame:
    """A pair's whole history as Freqtrade's frame (date, open, high, low, close, volume)."""
    return aggregate(source.candles(pair), TIMEFRAMES_MS[timeframe]).to_frame()
