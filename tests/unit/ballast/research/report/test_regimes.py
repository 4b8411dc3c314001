"""A regime is known before the day or the trade that it is said of."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from ballast.research.report import regimes

START = pd.Timestamp("2020-01-01", tz="UTC")


def candles(closes: np.ndarray) -> pd.DataFrame:
    dates = pd.date_range(START, periods=len(closes), freq="4h")
    opens = np.concatenate((closes[:1], closes[:-1]))
    return pd.DataFrame(
        {
            "date": dates,
            "open": opens,
            "high": np.maximum(opens, closes),
            "low": np.minimum(opens, closes),
            "close": closes,
            "volume": 1.0,
        }
    )


def walk(drift: float, sigma: float, count: int, seed: int) -> np.ndarray:
    moves = drift + sigma * np.random.default_rng(seed).standard_normal(count)
    return np.asarray(100 * np.exp(np.cumsum(moves)))


def labels(closes: np.ndarray) -> pd.DataFrame:
    return regimes.labels({"BTC/USDT": candles(closes)}, "BTC/USDT", ("BTC/USDT",), "4h")


def test_a_rise_is_up_and_a_fall_is_down() -> None:
    closes = np.concatenate((100 * 1.002 ** np.arange(600), 331 * 0.998 ** np.arange(600)))
    closes = closes * (1 + 1e-5 * np.sin(np.arange(1200)))
    found = labels(closes)
    assert set(found["trend"].iloc[200:600]) == {"up"}
    assert set(found["trend"].iloc[800:]) == {"down"}


def test_before_the_averages_are_known_nothing_is() -> None:
    found = labels(walk(0.0, 0.01, 600, 1))
    assert (found["trend"].iloc[:119] == "").all()
    assert (found["trend"].iloc[120:] != "").all()
    assert (found["volatility"].iloc[:180] == "").all()


def test_volatility_is_ranked_within_its_own_past() -> None:
    closes = np.concatenate((walk(0, 0.01, 1500, 2), walk(0, 0.05, 100, 3)))
    found = labels(closes)
    assert (found["volatility"].iloc[1520:] == "high").mean() > 0.9
    assert 0.1 < (found["volatility"].iloc[600:1500] == "high").mean() < 0.3


@pytest.mark.parametrize("length", [700, 1100])
def test_no_label_knows_what_comes_after_it(length: int) -> None:
    closes = walk(0.0005, 0.02, 1400, 4)
    pd.testing.assert_frame_equal(labels(closes[:length]), labels(closes).iloc[:length])


def test_a_day_has_the_label_of_the_last_candle_that_ended_by_its_beginning() -> None:
    index = pd.DatetimeIndex([START + pd.Timedelta(hours=h) for h in (20, 24, 28)])
    known = pd.DataFrame({"trend": ["up", "down", "range"], "volatility": "calm"}, index=index)
    dates = pd.DatetimeIndex([START, START + pd.Timedelta(days=1), START + pd.Timedelta(days=2)])
    assert list(regimes.label_at(known, dates)["trend"]) == ["", "down", "range"]


def test_days_and_trades_fall_into_the_cell_of_their_beginning() -> None:
    days = pd.date_range(START, periods=40, freq="1D")
    known = pd.DataFrame({"trend": "up", "volatility": "calm"}, index=days)
    known.iloc[35:] = ["down", "high"]
    daily = pd.Series(0.001, index=days)
    trades = pd.DataFrame({"open_date": [days[0], days[1], days[36]], "r": [1.0, 3.0, math.nan]})
    cells = {(c.trend, c.volatility): c for c in regimes.table(known, daily, trades)}
    up, down = cells["up", "calm"], cells["down", "high"]
    assert (up.days, up.share, up.trades, up.r) == (35, 0.875, 2, 2.0)
    assert up.daily == pytest.approx(0.001)
    assert up.total == pytest.approx(1.001**35 - 1)
    assert (down.days, down.trades) == (5, 1)
    assert math.isnan(down.r)
    assert up.enough_days
    assert not up.enough_trades
    assert not down.enough_days
    assert len(cells) == 9
    assert sum(cell.days for cell in cells.values()) == 40
