"""The market as a whole: the leader's candles, and how many of a basket of pairs rise."""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Self

import numpy as np
import pandas as pd
import talib

from ballast.core.candles import Candles, OtherCandles
from ballast.core.data_quality import DataQualityLimits, assessed
from ballast.core.frames import span_ns
from ballast.core.measured import MeasuredCandles
from ballast.core.rules import Axis, Rule, is_known
from ballast.core.trust import DataQuality
from ballast.core.trusted import trust, trust_of_views
from ballast.core.windows import candles as candles_in

# Fewer known pairs than this share of the basket is no picture of the market.
_COVERAGE = 0.5
# A window may lack this few of its candles (1 - share) before its average is unknown.
_KNOWN = 0.9


class Basket:
    """
    Closes of a basket of pairs on the leader's axis.

    Parameters
    ----------
    axis : MeasuredCandles
        The leader's.
    pairs : mapping of str to MeasuredCandles
        By pair, what its windows are measured on; may hold the leader.

    Attributes
    ----------
    closes, moves : dict of str to ndarray
        By pair (quote currency), and their log returns; unknown where the pair has no candle, or
        none that is sound: no stale close stands in for it.
    ends : ndarray
        When the candles end, nanoseconds since the epoch.
    """

    def __init__(self, axis: MeasuredCandles, pairs: Mapping[str, MeasuredCandles]) -> None:
        opened = axis.opened
        self.ends = opened + span_ns(axis.timeframe)
        self.closes = {pair: _closes(candles, opened) for pair, candles in pairs.items()}
        self.moves = {pair: _log_returns(close) for pair, close in self.closes.items()}
        # Of the window that was asked for last: a cluster is looked for at every signal.
        self._asked: tuple[datetime, int] | None = None
        self._window = (0, 0)
        self._centred: dict[str, tuple[np.ndarray, float] | None] = {}

    def window(self, now: datetime, n: int) -> tuple[int, int]:
        """Of the last `n` candles completed at `now`, the first and the one after the last."""
        if self._asked != (now, n):
            moment = int(now.timestamp()) * 1_000_000_000
            last = int(self.ends.searchsorted(moment, side="right"))
            self._window, self._centred = (max(0, last - n), last), {}
            self._asked = (now, n)
        return self._window

    def centred(self, pair: str) -> tuple[np.ndarray, float] | None:
        """
        A pair's moves in the window less their mean, and the sum of their squares; None where one
        of them is not known.
        """
        if pair not in self._centred:
            first, last = self._window
            moves = self.moves[pair][first:last]
            # What `mean` does, without its detours; unknown where one of them is.
            mean = float(np.add.reduce(moves)) / max(len(moves), 1)
            self._centred[pair] = None
            if math.isfinite(mean):
                away = moves - mean
                self._centred[pair] = away, float(away.dot(away))
        return self._centred[pair]


class Market(Candles):
    """
    Candles of the market leader together with the closes of a basket of pairs.

    Parameters
    ----------
    frame, timeframe, slow
        The leader's candles, as for `Candles`.
    basket : mapping of str to MeasuredCandles
        As for `Basket`.
    known : Market, optional
        That of the candle before: what it knows of the basket holds while nobody has a new candle
        that windows are measured on.
    source, name, own
        As for `Candles`; the basket of `source` is what pairs are ranked in.
    """

    _said = "market"

    def __init__(
        self,
        frame: pd.DataFrame,
        timeframe: str,
        basket: Mapping[str, MeasuredCandles],
        slow: MeasuredCandles | None = None,
        known: "Market | None" = None,
        source: OtherCandles | None = None,
        name: str = "",
        own: MeasuredCandles | None = None,
    ) -> None:
        super().__init__(frame, timeframe, slow, source, name, own)
        self._pairs = dict(basket)
        self._coins: dict[str, Candles] = {}
        self._basket: Basket
        if known is not None and known.slow is self.slow and known._pairs == self._pairs:
            self._basket = known._basket
        else:
            self._basket = Basket(self.slow, self._pairs)

    def breadth(self, window: str) -> pd.Series:
        """
        Share of the basket whose close is above its simple average of the window, 0 to 1:
        `above(market.breadth("20d"), 0.5)`.

        NaN where less than half of the basket is known.
        """
        return self.measure(
            ("breadth", self._basket), window, lambda _, n: self._share_above_average(n)
        )

    def mean_roc(self, window: str) -> pd.Series:
        """
        Mean rate of change of the basket over the window (ratio); NaN as for `breadth`:
        `above(pair.roc("10d"), market.mean_roc("10d"))`.
        """
        return self.measure(
            ("mean_roc", self._basket),
            window,
            # The same function as `Candles.roc`, so that a pair does not lead itself by rounding.
            lambda _, n: self._mean(
                [talib.ROCP(close, n) for close in self._basket.closes.values()]
            ),
        )

    def rank(self, pair: Candles, of: Callable[[Candles], pd.Series]) -> pd.Series:
        """
        Place of the pair among the basket, 1 for the highest:
        `at_most(market.rank(pair, lambda coin: coin.roc("7d")), 3)` is met by the three that have
        risen most. The basket is that of the settings, whatever is traded.

        NaN where the pair's own value or more than half of the basket is unknown.
        """
        own = of(pair).to_numpy(dtype=float)
        others = [
            self._sound(coin, of(coin).to_numpy(dtype=float)) for coin in self._basket_coins(pair)
        ]
        if not others:
            return self._series(np.where(np.isnan(own), np.nan, 1.0))
        table = np.vstack(others)
        enough = np.isfinite(table).sum(axis=0) >= _COVERAGE * len(others)
        place = 1.0 + (table > own).sum(axis=0)
        return self._series(np.where(enough & ~np.isnan(own), place, np.nan))

    def share_where(self, rule: Callable[[Candles], Rule]) -> pd.Series:
        """
        Share of the basket that meets a rule, 0 to 1:
        `market.share_where(lambda coin: above(coin.close, coin.on("1d").ema(50)))`.

        NaN where less than half of the basket is known.
        """
        axis = Axis(*self._axis)
        shares = []
        for coin in self._basket_coins():
            asked = rule(coin).on(axis)
            met = np.where(is_known(asked), asked.met.astype(float), np.nan)
            shares.append(self._sound(coin, met))
        return self._series(self._mean(shares, len(self)))

    def onto(self, dates: pd.Series, timeframe: str | None = None) -> Self:
        """The market on other candles (see `AlignedCandles.onto`)."""
        view = super().onto(dates, timeframe)
        view._coins = {}
        return view

    @property
    def warmup(self) -> int:
        """As for `Candles`, the basket's included."""
        return max([super().warmup, *(coin.warmup for coin in self._coins.values())])

    def _basket_coins(self, but: Candles | None = None) -> list[Candles]:
        """Candles of the basket on this axis, without those of a pair."""
        if self._source is None:
            raise ValueError("the market's basket is not known here")
        for pair in self._source.basket:
            if pair not in self._coins:
                self._coins[pair] = self._other(pair)
        return [coin for pair, coin in self._coins.items() if but is None or pair != but.name]

    def _sound(self, coin: Candles, values: np.ndarray) -> np.ndarray:
        """A pair's values where its candles can be believed; no stale one stands in."""
        limits = DataQualityLimits()
        code = np.maximum(trust(coin, limits), trust_of_views([coin], limits))
        sound = code < DataQuality.ABSURD_BAR
        return np.where(sound, values, np.nan)

    def correlations(
        self, pair: str, others: Iterable[str], now: datetime, window: str
    ) -> list[float]:
        """
        Correlations of a pair's returns with those of others, over the window that ends with the
        last completed candle.

        1.0 where it cannot be told: what is not known to be independent is taken to move together.
        """
        n = candles_in(window, self.slow_timeframe)
        first, last = self._basket.window(now, n)
        return [self._correlation(pair, other, first, last, n) for other in others]

    def _correlation(self, one: str, other: str, first: int, last: int, n: int) -> float:
        """Of two pairs, in the window that the basket was asked for last."""
        if one == other or one not in self._basket.closes or other not in self._basket.closes:
            return 1.0
        mine, theirs = self._basket.centred(one), self._basket.centred(other)
        if mine is None or theirs is None:
            return self._correlation_of_known(one, other, first, last, n)
        if last - first < _KNOWN * n:
            return 1.0
        spread = math.sqrt(mine[1] * theirs[1])
        return float(mine[0].dot(theirs[0])) / spread if spread > 0 else 1.0

    def _correlation_of_known(self, one: str, other: str, first: int, last: int, n: int) -> float:
        """Where moves are missing: of those that are known of both."""
        a, b = (self._basket.moves[pair][first:last] for pair in (one, other))
        both = np.isfinite(a) & np.isfinite(b)
        known = int(np.count_nonzero(both))
        if known < _KNOWN * n:
            return 1.0
        a, b = a[both], b[both]
        a, b = a - np.add.reduce(a) / known, b - np.add.reduce(b) / known
        spread = math.sqrt(float(a @ a) * float(b @ b))
        return float(a @ b) / spread if spread > 0 else 1.0

    def _share_above_average(self, n: int) -> np.ndarray:
        closes = pd.DataFrame(dict(enumerate(self._basket.closes.values())))
        averages = closes.rolling(n, min_periods=math.ceil(_KNOWN * n)).mean().to_numpy()
        prices = closes.to_numpy()
        known = ~(np.isnan(averages) | np.isnan(prices))
        return self._mean(list(np.where(known, prices > averages, np.nan).T))

    def _mean(self, series: list[np.ndarray], length: int | None = None) -> np.ndarray:
        if not series:
            return np.full(len(self.slow) if length is None else length, np.nan)
        table = np.vstack(series)
        known = np.isfinite(table).sum(axis=0)
        total = np.nansum(table, axis=0)
        enough = known >= max(1, _COVERAGE * len(series))
        return np.where(enough, total / np.maximum(known, 1), np.nan)


def _log_returns(close: np.ndarray) -> np.ndarray:
    """Of each candle since the one before; unknown on the first and beside an unknown close."""
    return np.diff(np.log(close), prepend=np.nan)


def _closes(candles: MeasuredCandles, opened: np.ndarray) -> np.ndarray:
    """Closes at the opening times; unknown where the candle is missing, impossible or absurd."""
    sound = assessed(candles, DataQualityLimits()) < DataQuality.ABSURD_BAR
    closes = np.where(sound, candles.values("close"), np.nan)
    own = candles.opened
    if np.array_equal(own, opened):
        return closes
    close = pd.Series(closes, index=own)
    return np.asarray(close[~close.index.duplicated()].reindex(opened))
