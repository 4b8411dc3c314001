"""No column looks ahead: on the first k candles it is the first k values of the whole.

Every function that makes a column is asked, on each timeframe, at cut points anywhere within an
hour, on random walks with holes, with a basket whose pairs begin late and a leader that has holes.
"""

import functools
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from ballast.core import patterns, regime, rules, shocks, signals, uptrend
from ballast.core.aligned import slow_candles
from ballast.core.candles import Candles
from ballast.core.data_quality import DataQualityLimits, assess
from ballast.core.frames import with_columns
from ballast.core.market import Market
from ballast.core.setups import Setup
from ballast.core.shocks import ShockRules
from ballast.core.stops import StopRules
from tests.unit.ballast.core.made import TIMEFRAMES, span, walk

LENGTH = {"5m": 6200, "15m": 2100, "1h": 600, "4h": 400}
CUTS = 8
SHOCK = ShockRules(
    atr_fast="8h", atr_slow="2d", vol_window="1d", vol_history="2d", range_window="2d"
)
LIMITS = DataQualityLimits(history_candles=20)

# Columns of any candles: of the pair, of the leader, and of the leader seen by the pair.
OF_CANDLES: dict[str, Callable[[Candles], pd.Series | np.ndarray]] = {
    "close": lambda c: c.close,
    "high": lambda c: c.high,
    "low": lambda c: c.low,
    "volume": lambda c: c.column("volume"),
    "highest_high": lambda c: c.highest_high("16h"),
    "lowest_low": lambda c: c.lowest_low("16h"),
    "ema": lambda c: c.ema("1d"),
    "mean": lambda c: c.mean("1d"),
    "weighted_mean": lambda c: c.weighted_mean("1d"),
    "deviation": lambda c: c.deviation("1d"),
    "rsi": lambda c: c.rsi("1d"),
    "roc": lambda c: c.roc("1d"),
    "atr": lambda c: c.atr("1d"),
    "daily_volatility": lambda c: c.daily_volatility("1d"),
    "hourly_turnover": lambda c: c.hourly_turnover("1d"),
    "efficiency_ratio": lambda c: c.efficiency_ratio("1d"),
    "fall": lambda c: c.fall("8h"),
    "zscore": lambda c: patterns.zscore(c, "1d"),
    "deepest_dip": lambda c: patterns.deepest_dip(c, "1d", "8h"),
    "tightest_range": lambda c: patterns.tightest_range(c, "12h", "2d", "8h"),
    "regime": regime.of_pair,
    "intensity": lambda c: shocks.intensity(c, SHOCK),
    "cooldown": lambda c: shocks.cooldown(shocks.intensity(c, SHOCK), 4, 48, SHOCK),
    "trend_gap": uptrend.trend_gap,
}
OF_MARKET: dict[str, Callable[[Market], pd.Series | np.ndarray]] = {
    "breadth": lambda m: m.breadth("1d"),
    "mean_roc": lambda m: m.mean_roc("1d"),
    "market_regime": regime.of_market,
}


@functools.cache
def frames(timeframe: str) -> dict[str, pd.DataFrame]:
    """The pair, the leader, a pair with holes and one that begins late."""
    n = LENGTH[timeframe]
    made = {name: walk(seed, n, timeframe, holes=8) for seed, name in enumerate(("P", "L", "A"))}
    late = walk(9, n, timeframe, holes=3)[n // 3 + 1 :].reset_index(drop=True)
    # A candle the exchange got wrong, and a pair with missing candles that nobody filled.
    made["A"].loc[n // 2, ["open", "high", "low", "close"]] *= 3
    return {**made, "LATE": late.drop(index=range(50, 60)).reset_index(drop=True)}


def world(timeframe: str, k: int) -> tuple[Candles, Market, Market]:
    """What is known after k candles: the pair, the market, and the market as the pair sees it."""
    whole = frames(timeframe)
    end = whole["P"]["date"][k - 1] + span(timeframe)
    known = {
        name: frame[frame["date"] + span(timeframe) <= end].reset_index(drop=True)
        for name, frame in whole.items()
    }
    pair = Candles(known["P"], timeframe)
    basket = {name: slow_candles(frame, timeframe) for name, frame in known.items()}
    market = Market(known["L"], timeframe, basket)
    return pair, market, market.onto(known["P"]["date"])


def columns(timeframe: str, k: int) -> dict[str, np.ndarray]:
    """Every column, by name."""
    pair, market, view = world(timeframe, k)
    found = {}
    for whose, candles in (("pair", pair), ("leader", market), ("view", view)):
        for name, of in OF_CANDLES.items():
            found[f"{whose}.{name}"] = np.asarray(of(candles))
        found[f"{whose}.trust"] = assess(candles.base, LIMITS)
    for whose, seen in (("leader", market), ("view", view)):
        for name, of_market in OF_MARKET.items():
            found[f"{whose}.{name}"] = np.asarray(of_market(seen))
    for name, rule in uptrend.leads_rising_market(pair, view).items():
        found[f"rule.{name}"] = rule.met
    return found


def state(timeframe: str, k: int) -> dict[str, np.ndarray]:
    """The columns that analysis adds to a pair's frame, and the columns of the market."""
    pair, market, view = world(timeframe, k)
    state = signals.state_columns(pair, view, LIMITS, "1d")
    above = rules.above(pair.close, pair.mean("1d"))
    below = rules.below(pair.close, pair.mean("1d"))
    setups = [
        Setup("Up", {"above": above}, StopRules(2.0), {"below": below}),
        Setup("Down", {"below": below}, StopRules(2.0)),
    ]
    state |= signals.signal_columns(state["trust"], setups)
    frame = with_columns(pair.frame, state)
    columns = signals.columns_of(pair, state, setups)
    leader = signals.market_columns(market, LIMITS)
    found = {name: frame[name].to_numpy() for name in frame.columns}
    found |= {f"columns.{name}": values for name, values in columns.by_name.items()}
    return found | {f"leader.{name}": values for name, values in leader.by_name.items()}


def cuts(timeframe: str) -> list[int]:
    """Cut points: around a whole hour, and anywhere."""
    n = LENGTH[timeframe]
    rng = np.random.default_rng(5)
    return [n // 2 - 1, n // 2, n // 2 + 1, *map(int, rng.integers(n // 4, n, CUTS - 3))]


@pytest.mark.parametrize("timeframe", TIMEFRAMES)
@pytest.mark.parametrize("of", [columns, state])
def test_no_column_depends_on_later_candles(
    of: Callable[[str, int], dict[str, np.ndarray]], timeframe: str
) -> None:
    whole = of(timeframe, LENGTH[timeframe])
    assert all(pd.notna(values).any() for values in whole.values())
    for k in cuts(timeframe):
        for name, values in of(timeframe, k).items():
            expected = whole[name][: len(values)]
            same = (values == expected) | (pd.isna(values) & pd.isna(expected))
            assert same.all(), f"{name} of {k} candles differs at {np.flatnonzero(~same)[:5]}"


@pytest.mark.parametrize("timeframe", TIMEFRAMES)
def test_a_correlation_does_not_depend_on_later_candles(timeframe: str) -> None:
    whole = world(timeframe, LENGTH[timeframe])[1]
    for k in cuts(timeframe):
        now = (frames(timeframe)["P"]["date"][k - 1] + span(timeframe)).to_pydatetime()
        part = world(timeframe, k)[1]
        for other in ("A", "LATE"):
            found = part.correlations("L", [other], now, "2d")
            assert found == whole.correlations("L", [other], now, "2d")


def test_a_column_that_looks_ahead_would_be_noticed() -> None:
    def peeking(timeframe: str, k: int) -> dict[str, np.ndarray]:
        return {"peek": world(timeframe, k)[0].close.shift(-1).to_numpy()}

    with pytest.raises(AssertionError, match="peek of"):
        test_no_column_depends_on_later_candles(peeking, "1h")
