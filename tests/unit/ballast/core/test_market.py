"""The market is known only where enough of its pairs are, and pairs move together until proven."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from ballast.core.frames import resample
from ballast.core.market import Market
from tests.unit.ballast.core.made import closes, dates, filled, market_of, moment, scaled, walk

LEADER = walk(1, 200)


def market(*basket: pd.DataFrame, leader: pd.DataFrame = LEADER) -> Market:
    return market_of(leader, {f"P{i}/USDT": frame for i, frame in enumerate(basket)})


def line(step: float, n: int = 60) -> pd.DataFrame:
    """Closes that rise or fall steadily by half a percent an hour."""
    return closes(100 * (1 + 0.005 * step) ** np.arange(n))


RISING, FALLING = line(1), line(-1)


def correlation(found: Market, one: str, other: str, now: datetime, window: str) -> float:
    """Of two pairs alone."""
    (correlation,) = found.correlations(one, [other], now, window)
    return correlation


def test_breadth_and_mean_change_equal_their_definitions() -> None:
    basket = [walk(seed, 200, holes=2) for seed in range(2, 7)]
    found = market(*basket)
    breadth, change = found.breadth("24h"), found.mean_roc("24h")
    for i in range(30, 200):
        close = [frame["close"].to_numpy()[: i + 1] for frame in basket]
        assert breadth[i] == pytest.approx(np.mean([c[-1] > c[-24:].mean() for c in close]))
        assert change[i] == pytest.approx(np.mean([c[-1] / c[-25] - 1 for c in close]))


@pytest.mark.parametrize(
    ("basket", "expected"),
    [
        ([RISING], 1.0),
        ([FALLING], 0.0),
        ([RISING, FALLING, RISING, RISING], 0.75),
        ([closes([100.0] * 60)], 0.0),
    ],
)
def test_breadth_is_the_share_of_pairs_above_their_average(
    basket: list[pd.DataFrame], expected: float
) -> None:
    assert market(*basket, leader=line(1)).breadth("24h").iloc[-1] == expected


def test_a_market_without_a_basket_is_unknown() -> None:
    assert market().breadth("24h").isna().all()
    assert market().mean_roc("24h").isna().all()


@pytest.mark.parametrize(("late", "known"), [(2, True), (3, False)])
def test_a_market_is_known_while_half_of_its_basket_is(late: int, known: bool) -> None:
    newcomer = RISING[50:].reset_index(drop=True)
    basket = [RISING] * (4 - late) + [newcomer] * late
    found = market(*basket, leader=line(1))
    assert found.breadth("24h").notna().iloc[-1] == known
    assert found.mean_roc("24h").notna().iloc[-1] == known


def test_a_late_pair_counts_once_nine_tenths_of_its_window_are_there() -> None:
    newcomer = FALLING[20:].reset_index(drop=True)
    breadth = market(RISING, newcomer, leader=line(1)).breadth("20h")
    # 18 of 20 candles: from position 37 on.
    assert (breadth[20:37] == 1.0).all()
    assert (breadth[37:] == 0.5).all()


def test_a_pair_whose_candle_is_missing_is_unknown_and_not_below_its_average() -> None:
    gone = RISING[:55]
    breadth = market(RISING, gone, RISING, leader=line(1)).breadth("24h")
    assert (breadth[55:] == 1.0).all()


def test_a_market_whose_pairs_have_all_stopped_is_unknown() -> None:
    breadth = market(RISING[:55], RISING[:55], leader=line(1)).breadth("40h")
    assert np.isnan(breadth.iloc[56])


def test_a_mean_change_is_unknown_where_either_end_is_missing() -> None:
    gap = RISING.drop(index=range(30, 33))
    change = market(gap, leader=line(1)).mean_roc("10h")
    assert list(change[change.isna()].index) == [*range(10), 30, 31, 32, 40, 41, 42]


@pytest.mark.parametrize("broken", [np.nan, -1.0, 0.0, 1e6])
def test_an_impossible_or_absurd_close_is_unknown(broken: float) -> None:
    frame = walk(3, 60)
    frame.loc[50, "close"] = broken
    with np.errstate(invalid="ignore", divide="ignore"):
        change = market(frame, leader=LEADER[:60]).mean_roc("5h")
    assert np.isnan(change[50])
    assert np.isnan(change[55])


def test_candles_given_twice_count_once() -> None:
    doubled = RISING.loc[RISING.index.repeat(2)].reset_index(drop=True)
    found = market(doubled, leader=line(1))
    np.testing.assert_array_equal(
        found.mean_roc("10h"), market(RISING, leader=line(1)).mean_roc("10h")
    )


def test_a_basket_of_fine_candles_is_measured_on_whole_hours() -> None:
    fine = walk(5, 600, "5m")
    hours = resample(fine, "5m", "1h")
    found = market_of(fine, {"A/USDT": fine}, "5m")
    change = found.mean_roc("10h")
    hourly = (hours["close"] / hours["close"].shift(10) - 1).to_numpy()
    assert change[599] == pytest.approx(hourly[49])
    assert change[598] == pytest.approx(hourly[48])


def test_a_pair_sees_the_market_on_its_own_candles() -> None:
    found = market(RISING, leader=line(1))
    view = found.onto(dates(10, "1h", moment(40)))
    np.testing.assert_array_equal(view.breadth("24h"), found.breadth("24h")[40:50])


def test_the_unit_of_price_changes_neither_breadth_nor_change_nor_correlation() -> None:
    basket = [walk(seed, 200) for seed in (2, 3)]
    one, other = market(*basket), market(*(scaled(f, 1e-7) for f in basket))
    np.testing.assert_array_equal(one.breadth("24h"), other.breadth("24h"))
    np.testing.assert_allclose(one.mean_roc("24h"), other.mean_roc("24h"), rtol=1e-9, atol=1e-12)
    pairs = ("P0/USDT", "P1/USDT", moment(200), "100h")
    assert correlation(one, *pairs) == pytest.approx(correlation(other, *pairs))


def together(share: float, n: int = 200) -> list[pd.DataFrame]:
    """Two walks that share that part of their moves."""
    rng = np.random.default_rng(4)
    a, b = rng.standard_normal((2, n))
    moves = (a, share * a + np.sqrt(1 - share**2) * b)
    return [closes(100 * np.exp(np.cumsum(0.01 * move))) for move in moves]


@pytest.mark.parametrize("share", [-1.0, 0.0, 0.5, 1.0])
def test_a_correlation_is_that_of_the_returns_of_the_window(share: float) -> None:
    pair = together(share)
    found = correlation(market(*pair), "P0/USDT", "P1/USDT", moment(150), "100h")
    moves = [np.log(frame["close"]).diff()[50:150] for frame in pair]
    assert found == pytest.approx(np.corrcoef(*moves)[0, 1])
    assert found == pytest.approx(share, abs=0.2)


def test_a_correlation_does_not_see_a_candle_that_has_not_ended() -> None:
    pair = together(0.3)
    changed = pair[1].copy()
    changed.loc[150:, "close"] *= np.exp(walk(9, 50)["close"] / 100).to_numpy()
    at = ("P0/USDT", "P1/USDT", moment(150.99), "100h")
    assert correlation(market(*pair), *at) == correlation(market(pair[0], changed), *at)
    late = ("P0/USDT", "P1/USDT", moment(152), "100h")
    assert correlation(market(*pair), *late) != correlation(market(pair[0], changed), *late)


def test_pairs_move_together_until_enough_is_known() -> None:
    pair = together(0.0)
    found = market(*pair)
    assert correlation(found, "P0/USDT", "P0/USDT", moment(200), "100h") == 1.0
    assert correlation(found, "P0/USDT", "X/USDT", moment(200), "100h") == 1.0
    assert correlation(found, "X/USDT", "P0/USDT", moment(200), "100h") == 1.0
    assert correlation(found, "P0/USDT", "P1/USDT", moment(-5), "100h") == 1.0
    # Nine tenths of 100 moves are in 91 candles.
    assert correlation(found, "P0/USDT", "P1/USDT", moment(90), "100h") == 1.0
    assert correlation(found, "P0/USDT", "P1/USDT", moment(91), "100h") < 0.5


def test_a_pair_that_does_not_move_is_taken_to_move_together() -> None:
    flat = filled(walk(2, 200), slice(1, 200))
    found = market(walk(3, 200), flat)
    assert correlation(found, "P0/USDT", "P1/USDT", moment(200), "100h") == 1.0


def test_correlations_with_several_pairs_are_those_with_each() -> None:
    """Some of them unknown, and the pair itself among them."""
    found = market(*(walk(seed, 200, holes=holes) for seed, holes in ((2, 0), (3, 0), (4, 40))))
    pairs, at = ["P1/USDT", "X/USDT", "P0/USDT", "P2/USDT"], (moment(150), "100h")
    for pair in [*pairs[:3], "P2/USDT"]:
        each = [correlation(found, pair, other, *at) for other in pairs]
        assert found.correlations(pair, pairs, *at) == each
