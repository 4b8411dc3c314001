"""Indicators are what their definitions say, need the history they name, and see no future."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from ballast.core.aligned import slow_candles
from ballast.core.candles import Candles
from ballast.core.frames import resample
from tests.unit.ballast.core.made import closes, dates, filled, moment, scaled, walk

N = 24
WINDOW = "24h"
Indicator = Callable[[Candles], pd.Series]


def rolling(values: np.ndarray, n: int, of: Callable[[np.ndarray], float]) -> np.ndarray:
    """One value for each full window, by a plain loop."""
    out = np.full(len(values), np.nan)
    for i in range(n - 1, len(values)):
        out[i] = of(values[i - n + 1 : i + 1])
    return out


def shifted(values: np.ndarray) -> np.ndarray:
    return np.concatenate(([np.nan], values[:-1]))


def wilder(values: np.ndarray, n: int) -> np.ndarray:
    """Wilder's average of values from index 1 on."""
    out = np.full(len(values), np.nan)
    out[n] = values[1 : n + 1].mean()
    for i in range(n + 1, len(values)):
        out[i] = (out[i - 1] * (n - 1) + values[i]) / n
    return out


def exponential(close: np.ndarray, n: int) -> np.ndarray:
    out = np.full(len(close), np.nan)
    out[n - 1] = close[:n].mean()
    for i in range(n, len(close)):
        out[i] = out[i - 1] + 2 / (n + 1) * (close[i] - out[i - 1])
    return out


def weighted(window: np.ndarray) -> float:
    weights = range(1, len(window) + 1)
    return sum(w * x for w, x in zip(weights, window, strict=True)) / sum(weights)


def true_range(frame: pd.DataFrame) -> np.ndarray:
    high, low, before = frame["high"], frame["low"], frame["close"].shift(1)
    return np.maximum(high, before).to_numpy() - np.minimum(low, before).to_numpy()


def relative_strength(close: np.ndarray, n: int) -> np.ndarray:
    move = np.diff(close, prepend=close[0])
    gain, loss = wilder(np.maximum(move, 0), n), wilder(np.maximum(-move, 0), n)
    return 100 * gain / (gain + loss)


def volatility(frame: pd.DataFrame, n: int) -> np.ndarray:
    out = np.full(len(frame), np.nan)
    for i in range(len(frame)):
        moves = [
            math.log(frame["close"][j] / frame["close"][j - 1])
            for j in range(max(1, i - n + 1), i + 1)
            if frame["volume"][j] > 0
        ]
        if i >= 1 and len(moves) >= n // 2:
            out[i] = np.std(moves, ddof=1)
    return out


def path_share(window: np.ndarray) -> float:
    path = np.abs(np.diff(window)).sum()
    return abs(window[-1] - window[0]) / path if path > 0 else np.nan


# By name: the indicator, and the same from its definition on the frame it is measured on.
KNOWN: dict[str, tuple[Indicator, Callable[[pd.DataFrame], np.ndarray]]] = {
    "highest_high": (
        lambda c: c.highest_high(WINDOW),
        lambda f: shifted(rolling(f["high"].to_numpy(), N, np.max)),
    ),
    "lowest_low": (
        lambda c: c.lowest_low(WINDOW),
        lambda f: shifted(rolling(f["low"].to_numpy(), N, np.min)),
    ),
    "ema": (lambda c: c.ema(WINDOW), lambda f: exponential(f["close"].to_numpy(), N)),
    "weighted_mean": (
        lambda c: c.weighted_mean(WINDOW),
        lambda f: rolling(f["close"].to_numpy(), N, weighted),
    ),
    "mean": (lambda c: c.mean(WINDOW), lambda f: rolling(f["close"].to_numpy(), N, np.mean)),
    "deviation": (
        lambda c: c.deviation(WINDOW),
        lambda f: rolling(f["close"].to_numpy(), N, np.std),
    ),
    "rsi": (lambda c: c.rsi(WINDOW), lambda f: relative_strength(f["close"].to_numpy(), N)),
    "roc": (
        lambda c: c.roc(WINDOW),
        lambda f: rolling(f["close"].to_numpy(), N + 1, lambda w: w[-1] / w[0] - 1),
    ),
    "atr": (lambda c: c.atr(WINDOW), lambda f: wilder(true_range(f), N)),
    "daily_volatility": (
        lambda c: c.daily_volatility(WINDOW),
        lambda f: math.sqrt(24) * volatility(f, N),
    ),
    "hourly_turnover": (
        lambda c: c.hourly_turnover(WINDOW),
        lambda f: rolling((f["close"] * f["volume"]).to_numpy(), N, np.median),
    ),
    "efficiency_ratio": (
        lambda c: c.efficiency_ratio(WINDOW),
        lambda f: rolling(f["close"].to_numpy(), N + 1, path_share),
    ),
    "fall": (
        lambda c: c.fall(WINDOW),
        lambda f: rolling(f["close"].to_numpy(), N, lambda w: 1 - w[-1] / w.max()),
    ),
}
# Prices move with the unit of price, ratios do not.
PRICES = {
    "highest_high",
    "lowest_low",
    "ema",
    "mean",
    "weighted_mean",
    "deviation",
    "atr",
    "hourly_turnover",
}


@pytest.mark.parametrize("name", KNOWN)
def test_an_indicator_on_hourly_candles_equals_its_definition(name: str) -> None:
    frame = walk(11, 150, holes=3)
    of, definition = KNOWN[name]
    np.testing.assert_allclose(of(Candles(frame, "1h")), definition(frame), rtol=1e-7)


@pytest.mark.parametrize(
    "name", [name for name in KNOWN if name not in ("highest_high", "lowest_low", "fall")]
)
@pytest.mark.parametrize("timeframe", ["5m", "15m"])
def test_an_indicator_on_finer_candles_is_that_of_the_last_whole_hour(
    name: str, timeframe: str
) -> None:
    frame = walk(12, 2000, timeframe, holes=5)
    of, definition = KNOWN[name]
    hours = resample(frame, timeframe, "1h")
    measured = definition(hours)
    found = of(Candles(frame, timeframe)).to_numpy()
    ends = list(hours["date"] + pd.Timedelta("1h"))
    whole = -1
    for i, end in enumerate(frame["date"] + pd.Timedelta(timeframe)):
        if whole + 1 < len(ends) and ends[whole + 1] <= end:
            whole += 1
        expected = measured[whole] if whole >= 0 else np.nan
        assert found[i] == pytest.approx(expected, rel=1e-7, nan_ok=True)


def test_a_channel_on_finer_candles_ends_before_the_candle_that_is_judged_by_it() -> None:
    frame = walk(13, 600, "5m")
    found = Candles(frame, "5m").highest_high("3h").to_numpy()
    for i in range(300, 600):
        hour = i // 12 * 12
        assert found[i] == frame["high"][hour - 36 : hour].max()


def test_a_fall_is_measured_on_the_strategys_own_candles() -> None:
    frame = closes([100] * 200 + [90], "5m")
    assert Candles(frame, "5m").fall("8h").iloc[-1] == pytest.approx(0.1)


def test_a_range_of_longer_candles_is_that_of_an_hour() -> None:
    frame = walk(14, 100, "4h")
    plain = wilder(true_range(frame), 6)
    np.testing.assert_allclose(Candles(frame, "4h").atr("24h"), plain / 2)


def test_volatility_and_turnover_of_longer_candles_are_those_of_a_day_and_an_hour() -> None:
    frame = walk(15, 100, "4h")
    found = Candles(frame, "4h")
    sigma = np.log(frame["close"]).diff()[-12:].std()
    assert found.daily_volatility("48h").iloc[-1] == pytest.approx(sigma * math.sqrt(6))
    turnover = (frame["close"] * frame["volume"])[-12:].median() / 4
    assert found.hourly_turnover("48h").iloc[-1] == pytest.approx(turnover)


def test_the_volatility_of_a_random_walk_is_the_same_on_every_timeframe() -> None:
    fine = walk(16, 6000, "5m", sigma=0.001)
    expected = 0.001 * math.sqrt(288)
    for timeframe in ("5m", "1h", "4h"):
        frame = fine if timeframe == "5m" else resample(fine, "5m", timeframe)
        assert Candles(frame, timeframe).daily_volatility("15d").iloc[-1] == pytest.approx(
            expected, rel=0.15
        )


def test_a_hole_does_not_look_like_calm() -> None:
    frame = walk(17, 100)
    holed = filled(frame, slice(80, 95))
    calm, known = (Candles(f, "1h").daily_volatility("30h") for f in (holed, frame))
    assert calm.iloc[94] > 0.6 * known.iloc[79]


def test_a_hole_longer_than_half_the_window_leaves_volatility_unknown() -> None:
    holed = filled(walk(17, 100), slice(60, 81))
    found = Candles(holed, "1h").daily_volatility("30h")
    assert not math.isnan(found.iloc[74])
    assert math.isnan(found.iloc[75])


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("factor", [1e-9, 1e-3, 1e4])
def test_the_unit_of_price_scales_prices_and_changes_no_ratio(name: str, factor: float) -> None:
    frame, of = walk(18, 150, holes=2), KNOWN[name][0]
    expected = of(Candles(frame, "1h")) * (factor if name in PRICES else 1)
    found = of(Candles(scaled(frame, factor), "1h"))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9 * factor)


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("timeframe", ["1h", "4h"])
def test_an_indicator_is_known_once_its_warm_up_is_over(name: str, timeframe: str) -> None:
    candles = Candles(walk(19, 300, timeframe), timeframe)
    found = KNOWN[name][0](candles)
    assert 0 < candles.warmup < 300
    assert found[candles.warmup - 1 :].notna().all()


def test_the_warm_up_is_that_of_the_longest_memory_asked_for() -> None:
    candles = Candles(walk(19, 300), "1h")
    assert candles.warmup == 0
    candles.mean("10h")
    assert candles.warmup == 11
    candles.atr("10h")
    assert candles.warmup == 81
    candles.ema("20h")
    assert candles.warmup == 81
    candles.fall("100h")
    assert candles.warmup == 100


def test_after_the_warm_up_a_recursive_average_has_forgotten_where_it_began() -> None:
    frame = walk(20, 1000)
    for of in (lambda c: c.ema("24h"), lambda c: c.atr("24h")):
        candles = Candles(frame[700:], "1h")
        late, full = of(candles), of(Candles(frame, "1h"))
        error = (late.to_numpy() / full[700:].to_numpy() - 1)[candles.warmup :]
        assert np.abs(error).max() < 0.001


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("n", [0, 1, 2, 23])
def test_a_short_history_is_unknown_and_not_an_error(name: str, n: int) -> None:
    for timeframe in ("1h", "5m"):
        found = KNOWN[name][0](Candles(walk(21, n, timeframe), timeframe))
        assert len(found) == n
        assert found.isna().all() or name in ("daily_volatility", "fall")


def test_an_indicator_is_computed_once_for_all_views() -> None:
    frame, calls = walk(22, 50), []

    def of(slow: pd.DataFrame, n: int) -> np.ndarray:
        calls.append(n)
        return slow["close"].to_numpy()

    candles = Candles(frame, "1h")
    for view in (candles, candles, candles.onto(dates(10, "1h"))):
        view.measure("mine", "10h", of)
    assert calls == [10]
    candles.measure("mine", "11h", of)
    assert calls == [10, 11]


def test_chained_windows_add_up() -> None:
    candles = Candles(walk(22, 50), "1h")
    candles.measure("x", ("10h", "5h"), lambda f, *_: f["close"].to_numpy(), chained=True)
    assert candles.warmup == 16


def spike(timeframe: str, n: int, at: int) -> pd.DataFrame:
    """Closes at 100, one of them at 200."""
    level = np.full(n, 100.0)
    level[at] = 200.0
    return closes(level, timeframe)


def test_an_hour_is_seen_first_by_the_candle_that_ends_it() -> None:
    # 04:55, the last five minutes of an hour.
    mean = Candles(spike("5m", 120, 59), "5m").mean("2h")
    assert mean.ne(100)[mean.notna()].idxmax() == 59


def test_a_high_within_an_hour_is_seen_first_by_the_candle_that_ends_the_hour() -> None:
    frame = spike("5m", 120, 50)
    atr = Candles(frame, "5m").atr("2h")
    assert atr.gt(0).idxmax() == 59
    channel = Candles(frame, "5m").highest_high("2h")
    # A channel ends with the candle before.
    assert channel.gt(100).idxmax() == 60


@pytest.mark.parametrize("timeframe", ["5m", "1h", "4h"])
def test_another_pair_sees_a_candle_when_its_own_candle_of_that_end_is_complete(
    timeframe: str,
) -> None:
    leader = Candles(spike(timeframe, 60, 40), timeframe)
    view = leader.onto(dates(60, timeframe))
    assert view.close.idxmax() == 40
    assert view.high.idxmax() == 40
    pd.testing.assert_series_equal(view.close, leader.close, check_names=False)


def test_another_pair_that_lacks_candles_sees_the_newest_that_has_ended() -> None:
    leader = Candles(walk(23, 400, "5m"), "5m")
    axis = dates(400, "5m")[np.r_[0:100, 130:250, 260:400]].reset_index(drop=True)
    view = leader.onto(axis)
    for of in (lambda c: c.close, lambda c: c.mean("4h"), lambda c: c.fall("8h")):
        full = of(leader).to_numpy()
        np.testing.assert_array_equal(of(view), full[np.r_[0:100, 130:250, 260:400]])
    assert len(view) == len(axis)


def test_a_leader_that_lacks_candles_gives_its_newest_completed_one() -> None:
    leader = Candles(walk(24, 50)[10:40].reset_index(drop=True), "1h")
    view = leader.onto(dates(50, "1h"))
    assert view.close[:10].isna().all()
    assert (view.low[40:] == leader.low.iloc[-1]).all()
    assert list(view.from_own(np.arange(30), -1)[[0, 10, 49]]) == [-1, 0, 29]
    assert list(view.from_slow(np.arange(30), -1)[[0, 10, 49]]) == [-1, 0, 29]


def test_values_of_the_slow_frame_are_missing_before_its_first_candle() -> None:
    candles = Candles(walk(25, 30, "5m"), "5m")
    assert list(candles.from_slow(np.array([7, 8]), -1)) == [-1] * 11 + [7] * 12 + [8] * 7
    own = np.arange(30)
    assert candles.from_own(own, -1) is own


@pytest.mark.parametrize("name", [name for name in KNOWN if name != "fall"])
def test_a_short_frame_with_older_hours_gives_the_values_of_one_long_frame(name: str) -> None:
    frame = walk(26, 3000, "5m", holes=4)
    of, _ = KNOWN[name]
    whole = of(Candles(frame, "5m"))
    older = resample(frame[:2500], "5m", "1h")
    late = frame[1207:].reset_index(drop=True)
    short = Candles(late, "5m", slow_candles(late, "5m", older))
    # Up to its first whole hour the short frame knows nothing of its own; then it agrees at once.
    np.testing.assert_allclose(of(short)[25:], whole[1207 + 25 :], rtol=1e-9)


def test_older_hours_give_a_frame_its_history_from_its_first_candle_on() -> None:
    recent = walk(28, 30, "5m", start=moment(100))
    short = Candles(recent, "5m", slow_candles(recent, "5m", walk(27, 100)))
    assert short.mean("24h").notna().all()
    assert Candles(short.frame, "5m").mean("24h").isna().all()


def test_a_flat_market_has_no_efficiency_and_no_range() -> None:
    flat = Candles(closes([100.0] * 60), "1h")
    assert flat.efficiency_ratio("24h").isna().all()
    assert flat.atr("24h").iloc[-1] == 0
    assert flat.deviation("24h").iloc[-1] == 0
    assert flat.fall("24h").iloc[-1] == 0


def test_a_straight_line_is_wholly_efficient() -> None:
    line = Candles(closes(np.arange(100.0, 160.0)), "1h")
    assert line.efficiency_ratio("24h").iloc[-1] == 1
    assert line.rsi("24h").iloc[-1] == 100
