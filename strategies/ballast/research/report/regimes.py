"""Results by regime: trend and volatility of the market, known before the day or trade began."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ballast.core import regime
from ballast.core.candles import Candles
from ballast.core.market import Market
from ballast.core.uptrend import SLOW
from ballast.core.windows import minutes
from ballast.research.report.bootstrap import mean_interval

TRENDS = ("up", "range", "down")
VOLATILITIES = ("calm", "normal", "high")
# Volatility of a day against the past half-year: lowest third, and highest fifth.
_CALM, _HIGH = 1 / 3, 0.8
_HISTORY = "180d"
# Fewer are no sample: shown, but greyed.
LEAST_TRADES = 30
LEAST_DAYS = 30


@dataclass(frozen=True)
class RegimeResult:
    """
    One regime; returns are ratios.

    Parameters
    ----------
    days, share : int, float
        Days that began in it, and their share of all.
    daily, daily_low, daily_high : float
        Mean change of the account on those days, and its 90 % interval.
    trades : int
        Trades whose entry was decided in it.
    r, r_low, r_high : float
        Mean result of those in R, and its 90 % interval.
    total : float
        Change of the account over all those days together.
    """

    trend: str
    volatility: str
    days: int
    share: float
    daily: float
    daily_low: float
    daily_high: float
    total: float
    trades: int
    r: float
    r_low: float
    r_high: float

    @property
    def enough_days(self) -> bool:
        """Whether there are days enough to say anything."""
        return self.days >= LEAST_DAYS

    @property
    def enough_trades(self) -> bool:
        """Likewise for trades."""
        return self.trades >= LEAST_TRADES


def labels(
    candles: Mapping[str, pd.DataFrame], leader: str, pairs: tuple[str, ...], timeframe: str
) -> pd.DataFrame:
    """
    Regime of the market at every completed candle of the leader.

    Trend: `ballast.core.regime.of_market`, over the pairs as basket. Volatility: standard deviation
    of the leader's log returns over a day (a week where candles are longer than 4h), ranked within
    its own past 180 days, 30 at least: the lowest third is calm, the highest fifth high. Nothing
    later than a label's candle enters it.

    Returns
    -------
    DataFrame indexed by the time at which each candle was complete (UTC)
        trend and volatility; empty where not known yet.
    """
    frame = candles[leader]
    slow = {p: Candles(candles[p], timeframe).slow for p in pairs if p in candles}
    market = Market(frame, timeframe, slow)
    trend = pd.Series(regime.of_market(market))
    # A day must hold a few candles for a standard deviation.
    sigma = market.daily_volatility("1d" if minutes(timeframe) <= 240 else "7d")
    length = round(minutes(_HISTORY) / minutes(timeframe))
    rank = sigma.rolling(length, min_periods=length // 6).rank(pct=True)
    volatility = np.select([rank < _CALM, rank > _HIGH], ["calm", "high"], "normal").astype(object)
    volatility[rank.isna().to_numpy()] = ""
    names = trend.map(regime.NAMES).astype(object)
    names[market.mean(SLOW).isna().to_numpy()] = ""
    ends = pd.DatetimeIndex(frame["date"]) + pd.Timedelta(minutes=minutes(timeframe))
    return pd.DataFrame({"trend": names.to_numpy(), "volatility": volatility}, index=ends)


def label_at(known: pd.DataFrame, dates: pd.DatetimeIndex) -> pd.DataFrame:
    """Label of the newest candle that was complete at each date; empty before the first."""
    position = known.index.searchsorted(dates, side="right") - 1
    taken = known.iloc[np.maximum(position, 0)].set_axis(dates)
    return taken.where(pd.Series(position >= 0, index=dates), "")


def table(known: pd.DataFrame, daily: pd.Series, trades: pd.DataFrame) -> list[RegimeResult]:
    """
    Results in each of the nine regimes.

    Parameters
    ----------
    known : DataFrame
        From `labels`.
    daily : Series
        Change of the account by day (ratio).
    trades : DataFrame
        From `trades.in_r`.
    """
    days = label_at(known, pd.DatetimeIndex(daily.index))
    entries = label_at(known, pd.DatetimeIndex(trades["open_date"]))
    cells = []
    for trend in TRENDS:
        for volatility in VOLATILITIES:
            on = ((days["trend"] == trend) & (days["volatility"] == volatility)).to_numpy()
            of = ((entries["trend"] == trend) & (entries["volatility"] == volatility)).to_numpy()
            cells.append(_cell(trend, volatility, daily, on, trades, of))
    return cells


def _cell(
    trend: str,
    volatility: str,
    daily: pd.Series,
    on: np.ndarray,
    trades: pd.DataFrame,
    of: np.ndarray,
) -> RegimeResult:
    changes = daily.to_numpy()[on]
    results = trades["r"].to_numpy()[of]
    results = results[np.isfinite(results)]
    daily_low, daily_high = mean_interval(changes)
    r_low, r_high = mean_interval(results)
    return RegimeResult(
        trend=trend,
        volatility=volatility,
        days=int(on.sum()),
        share=float(on.mean()) if len(on) else 0.0,
        daily=float(changes.mean()) if len(changes) else math.nan,
        daily_low=daily_low,
        daily_high=daily_high,
        total=float(np.prod(1 + changes) - 1),
        trades=int(of.sum()),
        r=float(results.mean()) if len(results) else math.nan,
        r_low=r_low,
        r_high=r_high,
    )
