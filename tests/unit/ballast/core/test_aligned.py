"""Views of other candles: their own windows, completed candles only, on the strategy's axis."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest
import talib

from ballast.core.candles import Candles
from ballast.core.data_quality import DataQualityLimits
from ballast.core.frames import GROUPS, grouped, groups_of, read_in, resample
from ballast.core.market import Market
from ballast.core.measured import MeasuredCandles
from ballast.core.patterns import deepest_dip
from ballast.core.rules import above
from ballast.core.trust import DataQuality
from ballast.core.trusted import trust_of_views
from tests.unit.ballast.core.made import closes, filled, market_of, moment, span, walk

PAIR, OTHER = "XRP/USDT", "ETH/USDT"


class Stored:
    """A source of walks by pair."""

    def __init__(
        self, timeframe: str, frames: dict[str, pd.DataFrame], basket: Sequence[str] = ()
    ) -> None:
        self._timeframe, self._frames, self.basket = timeframe, frames, basket

    def of(self, pair: str) -> Candles:
        return Candles(self._frames[pair], self._timeframe, source=self, name=pair)

    def grouped(self, pair: str, candles: MeasuredCandles, to: str) -> MeasuredCandles:
        return MeasuredCandles(grouped(candles.frame, self._timeframe, to, None), to)


def close(frame: pd.DataFrame) -> np.ndarray:
    return frame["close"].to_numpy()


def as_seen(
    values: np.ndarray, coarse: pd.DataFrame, to: str, frame: pd.DataFrame, own: str
) -> np.ndarray:
    """By a plain loop: of each candle, the value of the last coarse one that has ended."""
    ends = list(coarse["date"] + span(to))
    out = []
    for moment_ in frame["date"] + span(own):
        ended = [value for value, end in zip(values, ends, strict=True) if end <= moment_]
        out.append(ended[-1] if ended else np.nan)
    return np.array(out)


@pytest.mark.parametrize("timeframe", ["5m", "15m", "1h", "4h"])
def test_own_windows_are_counted_in_candles_of_the_strategy(timeframe: str) -> None:
    frame = walk(1, 300, timeframe)
    own = Candles(frame, timeframe).own
    np.testing.assert_allclose(own.rsi(14), talib.RSI(close(frame), 14))
    np.testing.assert_allclose(own.roc(1), talib.ROCP(close(frame), 1))
    minutes = 20 * span(timeframe).total_seconds() / 60
    in_time = own.ema(f"{minutes:g}m")
    np.testing.assert_allclose(in_time, talib.EMA(close(frame), 20))


def test_the_true_range_of_a_view_is_that_of_its_candles() -> None:
    """Scaled to an hour, as that of the pair itself is, it would equal no other chart's."""
    frame = walk(2, 200, "4h")
    plain = talib.ATR(frame["high"].to_numpy(), frame["low"].to_numpy(), close(frame), 14)
    candles = Candles(frame, "4h")
    np.testing.assert_allclose(candles.own.atr(14), plain)
    np.testing.assert_allclose(candles.atr("56h"), plain / 2)


@pytest.mark.parametrize(("own", "to"), [("5m", "10m"), ("5m", "4h"), ("1h", "4h"), ("1h", "1d")])
def test_longer_candles_are_seen_once_they_have_ended(own: str, to: str) -> None:
    frame = walk(3, 900, own, start=moment(3))
    coarse = resample(frame, own, to)
    view = Candles(frame, own).on(to)
    for found, values in (
        (view.close, close(coarse)),
        (view.ema(5), talib.EMA(close(coarse), 5)),
        (view.highest_high(3), np.append(np.nan, talib.MAX(coarse["high"].to_numpy(), 3)[:-1])),
        (view.highest_high(1), np.append(np.nan, coarse["high"].to_numpy()[:-1])),
    ):
        np.testing.assert_allclose(found, as_seen(values, coarse, to, frame, own))


def test_weeks_begin_on_mondays() -> None:
    """Days since 1970 would have them begin on Thursdays, unlike every exchange's."""
    frame = walk(4, 60, "1d", start=moment(-48))
    weeks = resample(frame, "1d", "1w")
    assert set(weeks["date"].dt.day_name()) == {"Monday"}
    np.testing.assert_array_equal(weeks["close"], frame.set_index("date")["close"]["2024-01-07"::7])
    assert Candles(frame, "1d").on("1w").close.isna().sum() == 8


@pytest.mark.parametrize(
    ("timeframe", "asked", "text"),
    [
        ("5m", "7m", "pair.on('7m'): 5m cannot be grouped to 7m; 10m, 15m, 20m, 30m, 1h, 2h, "),
        ("4h", "1h", "pair.on('1h'): 4h cannot be grouped to 1h; 8h, 12h, 1d, 1w can"),
        ("1w", "1d", "pair.on('1d'): 1w cannot be grouped to 1d; there are none longer"),
        ("1h", "often", "pair.on('often'): 1h cannot be grouped to often; 2h, 3h, 4h, 6h"),
    ],
)
def test_what_cannot_be_grouped_is_refused_with_what_can(
    timeframe: str, asked: str, text: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        Candles(walk(5, 9, timeframe), timeframe).on(asked)


def test_the_market_is_called_so_where_it_cannot_be_grouped() -> None:
    frame = walk(5, 9, "5m")
    market = market_of(frame, {"A/USDT": frame}, "5m")
    with pytest.raises(ValueError, match=re.escape("market.on('7m'): 5m cannot be grouped")):
        market.on("7m")
    with pytest.raises(ValueError, match=re.escape("market.of('ETH'): expected a pair such as")):
        market.of("ETH")
    with pytest.raises(ValueError, match=re.escape("breadth('abc'): expected a length of time")):
        market.breadth("abc")


def test_every_group_that_is_named_as_possible_is() -> None:
    for timeframe in GROUPS:
        for to in groups_of(timeframe):
            assert len(Candles(walk(6, 5, timeframe), timeframe).on(to)) == 5


def test_the_strategys_own_timeframe_is_its_own_view() -> None:
    candles = Candles(walk(6, 50, "5m"), "5m")
    assert candles.on("5m") is candles.own
    assert candles.own.own is candles.own
    assert candles.on("4h").own is candles.on("4h")


@pytest.mark.parametrize(
    ("ask", "text"),
    [
        (lambda c: c.rsi(14), "rsi(14): of which candles? pair.own.rsi(14) counts in those of 5m"),
        (lambda c: c.own.rsi(1), "rsi(1): expected 2 candles or more"),
        (lambda c: c.own.rsi("abc"), "rsi('abc'): expected a length of time such as '36h'"),
        (
            lambda c: c.rsi("10m"),
            "rsi('10m'): window '10m' is shorter than two candles of 1h; pair.own.rsi('10m') is "
            "measured on those of 5m",
        ),
        (lambda c: c.atr("1h"), "atr('1h'): window '1h' is shorter than two candles of 1h"),
        (
            lambda c: c.on("4h").ema("5h"),
            "ema('5h'): window '5h' is shorter than two",
        ),
        (lambda c: deepest_dip(c, "1h", "5h"), "deepest_dip('1h'): window '1h' is shorter"),
        (lambda c: c.apply(len, history="soon"), "apply('soon'): expected a length of time such"),
        (lambda c: c.own.roc(0), "roc(0): expected 1 candles or more"),
        (lambda c: c.own.rsi(14.5), "rsi(14.5): expected a length of time such as '14h', or in"),
        (lambda c: c.own.rsi(True), "rsi(True): expected a length of time"),
        (lambda c: c.of("ETH"), "pair.of('ETH'): expected a pair such as 'ETH/USDT'"),
    ],
)
def test_a_window_that_means_nothing_is_refused_with_what_does(
    ask: Callable[[Candles], Any], text: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(text)):
        ask(Candles(walk(7, 50, "5m"), "5m"))


def test_another_pair_is_seen_on_the_candles_of_this_one() -> None:
    own, other = walk(8, 120), walk(9, 100, start=moment(10))
    pair = Stored("1h", {PAIR: own, OTHER: other}).of(PAIR)
    found = pair.of(OTHER)
    np.testing.assert_array_equal(found.close[10:110], close(other))
    assert found.close[:10].isna().all()
    expected = talib.EMA(close(resample(other, "1h", "4h")), 3)
    seen = found.on("4h").ema(3)
    np.testing.assert_allclose(seen[seen.notna()].unique(), expected[~np.isnan(expected)])


@pytest.mark.parametrize(
    ("ask", "expected"),
    [
        (lambda c: c.own.mean(50), 51),
        (lambda c: c.own.ema(50), 201),
        # Days are read as days; one to spare, as a run may begin within one.
        (lambda c: c.on("1d").mean(20), 22),
        # Half days are made of four-hour candles, weeks of days.
        (lambda c: c.on("12h").mean(20), 66),
        (lambda c: c.on("1w").mean(20), 154),
        (lambda c: c.on("1d").mean("20d"), 22),
        (lambda c: c.of(OTHER).own.mean(50), 51),
        (lambda c: c.of(OTHER).on("1d").mean(50), 52),
    ],
)
def test_the_warm_up_counts_what_views_were_asked(
    ask: Callable[[Candles], Any], expected: int
) -> None:
    pair = Stored("1h", {PAIR: walk(8, 120), OTHER: walk(9, 120)}).of(PAIR)
    assert pair.warmup == 0
    ask(pair)
    assert pair.warmup == expected


@pytest.mark.parametrize(("own", "to"), [("5m", "1d"), ("1h", "12h"), ("5m", "4h"), ("2h", "8h")])
def test_older_history_gives_a_short_frame_the_values_of_a_long_one(own: str, to: str) -> None:
    frame = walk(10, 6000 if own == "5m" else 900, own)
    read = read_in(own, to)
    assert read != own
    late = frame[len(frame) // 2 :].reset_index(drop=True)
    older = resample(frame[: -len(frame) // 4], own, read)
    whole, short = (
        MeasuredCandles(grouped(f, own, to, o), to).frame for f, o in ((frame, None), (late, older))
    )
    pd.testing.assert_frame_equal(whole, short)


def test_a_frame_shorter_than_a_week_knows_the_weeks_before_it() -> None:
    """Live, a thousand candles of 5m are three days: the week had never been seen whole."""
    days = walk(10, 40, "1d")
    recent = walk(10, 600, "5m", start=moment(24 * 38 + 5))
    weeks = grouped(recent, "5m", "1w", days)
    pd.testing.assert_frame_equal(weeks, resample(days[:35], "1d", "1w"))
    assert not len(grouped(recent, "5m", "1w", None))
    # What has not ended by then is not seen.
    early = walk(10, 600, "5m", start=moment(24 * 17 + 5))
    pd.testing.assert_frame_equal(grouped(early, "5m", "1w", days), weeks[:2])


def test_a_view_is_trusted_by_its_own_history() -> None:
    frame = walk(11, 24 * 40)
    pair = Candles(frame, "1h")
    assert not trust_of_views([pair], DataQualityLimits()).any()
    pair.on("1d").mean(20)
    codes = trust_of_views([pair], DataQualityLimits())
    known = 24 * 22 - 1
    assert (codes[:known] == DataQuality.SHORT_HISTORY).all()
    assert (codes[known:] == DataQuality.OK).all()


def test_what_is_wrong_with_another_pair_is_no_reason_to_buy_this_one() -> None:
    own, other = walk(12, 200), filled(walk(13, 200), slice(150, 155))
    pair = Stored("1h", {PAIR: own, OTHER: other[:180]}).of(PAIR)
    pair.of(OTHER).own.roc(3)
    codes = trust_of_views([pair], DataQualityLimits())
    assert (codes[150:155] == DataQuality.FILLED_HOLE).all()
    assert (codes[180:] == DataQuality.DISORDER).all()
    assert not codes[160:180].any()


def basket_of(**steps: float) -> tuple[Market, Stored]:
    """Pairs that rise by so many percent a candle."""
    lines = {name: closes(100 * (1 + step / 100) ** np.arange(60)) for name, step in steps.items()}
    stored = Stored("1h", lines, [name for name in lines if name != "outsider"])
    leader = next(iter(lines.values()))
    return Market(leader, "1h", {}, source=stored, name=next(iter(lines))), stored


def test_a_rank_is_the_place_among_the_basket_whatever_is_traded() -> None:
    market, stored = basket_of(a=1, b=3, c=2, outsider=2.5)
    places = {
        name: market.rank(stored.of(name), lambda coin: coin.roc("24h")).iloc[-1]
        for name in ("a", "b", "c", "outsider")
    }
    assert places == {"b": 1, "c": 2, "a": 3, "outsider": 2}


def test_a_rank_is_unknown_where_the_pair_or_half_of_the_basket_is() -> None:
    market, stored = basket_of(a=1, b=3, c=2)
    rank = market.rank(stored.of("b"), lambda coin: coin.roc("24h"))
    assert rank[:24].isna().all()
    assert (rank[24:] == 1).all()
    stored._frames = {name: frame[:40] for name, frame in stored._frames.items()}
    market, whole = basket_of(a=1, b=3, c=2)
    market._source = stored
    late = market.rank(whole.of("b"), lambda coin: coin.roc("24h"))
    assert late[40:].isna().all()


def test_a_share_is_of_the_pairs_that_meet_a_rule() -> None:
    market, _ = basket_of(a=1, b=-3, c=2, d=-1)
    found = market.share_where(lambda coin: above(coin.own.roc(5), 0.0))
    assert found[:5].isna().all()
    assert (found[5:] == 0.5).all()


def test_what_the_basket_is_asked_counts_to_the_warm_up() -> None:
    market, stored = basket_of(a=1, b=3)
    market.rank(stored.of("a"), lambda coin: coin.on("1d").ema(50))
    assert market.warmup == 202


def test_what_is_asked_bare_is_what_a_series_holds_and_nothing_else_is_bare() -> None:
    pair = Candles(walk(1, 400, "5m"), "5m")
    for of in (lambda: pair.atr("4h"), lambda: pair.fall("8h"), lambda: pair.close):
        found = pair.bare(of)
        assert isinstance(found, np.ndarray)
        np.testing.assert_array_equal(found, of())
    with pytest.raises(ValueError, match="atr"):
        pair.bare(lambda: pair.atr("no time"))
    assert isinstance(pair.atr("4h"), pd.Series)
