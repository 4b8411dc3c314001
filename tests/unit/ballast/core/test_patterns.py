"""Dips and squeezes are those of the candles before, and a hole is neither."""

import numpy as np
import pytest

from ballast.core import patterns
from ballast.core.candles import Candles
from tests.unit.ballast.core.made import closes, filled, scaled, walk

FRAME = walk(1, 250)
CANDLES = Candles(FRAME, "1h")


def z_at(close: np.ndarray, i: int, n: int = 20) -> float:
    window = close[i - n + 1 : i + 1]
    return (close[i] - window.mean()) / window.std()


def spread_at(i: int, n: int = 10) -> float:
    window = FRAME[i - n + 1 : i + 1]
    return (window["high"].max() - window["low"].min()) / FRAME["close"][i]


def test_a_zscore_equals_its_definition() -> None:
    found, close = patterns.zscore(CANDLES, "20h"), FRAME["close"].to_numpy()
    assert found[:19].isna().all()
    for i in range(19, 250):
        assert found[i] == pytest.approx(z_at(close, i), rel=1e-6)


def test_the_deepest_dip_is_the_lowest_zscore_of_the_candles_before() -> None:
    found, close = patterns.deepest_dip(CANDLES, "20h", "6h"), FRAME["close"].to_numpy()
    assert found[:25].isna().all()
    for i in range(25, 250):
        assert found[i] == pytest.approx(min(z_at(close, j) for j in range(i - 6, i)), rel=1e-6)


def test_the_tightest_range_is_the_lowest_rank_of_the_candles_before() -> None:
    found = patterns.tightest_range(CANDLES, "10h", "50h", "6h")
    spreads = [spread_at(i) if i >= 9 else np.nan for i in range(250)]
    for i in range(70, 250):
        ranks = [
            np.mean([s <= spreads[j] for s in spreads[j - 49 : j + 1]]) for j in range(i - 6, i)
        ]
        assert found[i] == pytest.approx(min(ranks))


def test_ranges_that_are_all_equal_are_not_tight() -> None:
    frame = closes([100.0] * 120).assign(high=101.0, low=99.0)
    flat = Candles(frame, "1h")
    assert patterns.tightest_range(flat, "10h", "50h", "6h").iloc[-1] == 1.0


def test_a_hole_is_no_squeeze() -> None:
    holed = Candles(filled(walk(2, 200), slice(150, 165)), "1h")
    rank = patterns.tightest_range(holed, "10h", "50h", "24h")
    # Trust returns three candles after the hole; the rank of the hole is still looked back at.
    assert not rank[170] <= 0.1


def test_a_flat_market_has_no_dip() -> None:
    flat = Candles(closes([100.0] * 60), "1h")
    assert patterns.zscore(flat, "20h").isna().all()
    assert patterns.deepest_dip(flat, "20h", "6h").isna().all()


def test_a_dip_is_seen_by_the_next_candle_and_forgotten_after_its_time() -> None:
    level = np.tile([100.0, 100.1], 50)
    level[60] = 95.0
    dip = patterns.deepest_dip(Candles(closes(level), "1h"), "20h", "6h")
    deep = list(dip[dip < -4].index)
    assert deep == list(range(61, 67))


@pytest.mark.parametrize("n", [0, 1, 19])
def test_a_short_history_is_unknown(n: int) -> None:
    short = Candles(walk(1, n), "1h")
    assert patterns.zscore(short, "20h").isna().all()
    assert patterns.deepest_dip(short, "20h", "6h").isna().all()
    assert patterns.tightest_range(short, "10h", "50h", "6h").isna().all()


def test_patterns_are_known_once_their_warm_up_is_over() -> None:
    for of in (
        lambda c: patterns.zscore(c, "20h"),
        lambda c: patterns.deepest_dip(c, "20h", "6h"),
        lambda c: patterns.tightest_range(c, "10h", "50h", "6h"),
    ):
        candles = Candles(walk(3, 200), "1h")
        found = of(candles)
        assert found[candles.warmup - 1 :].notna().all()


@pytest.mark.parametrize("factor", [1e-9, 1e4])
def test_the_unit_of_price_changes_no_pattern(factor: float) -> None:
    other = Candles(scaled(FRAME, factor), "1h")
    for of in (
        lambda c: patterns.zscore(c, "20h"),
        lambda c: patterns.deepest_dip(c, "20h", "6h"),
        lambda c: patterns.tightest_range(c, "10h", "50h", "6h"),
    ):
        np.testing.assert_allclose(of(other), of(CANDLES), rtol=1e-5, atol=1e-9)
