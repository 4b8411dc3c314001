"""No look-ahead: what is computed on the first candles does not change when more follow.

Every strategy of the pack is found, whatever its name. Its columns and everything the callbacks
look up are computed on the whole market and on the market cut at a moment, the frames of the market
leader and the basket included, and must agree to the last bit on every candle that both have.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from freqtrade.exchange import timeframe_to_minutes

from ballast import (
    all_of,
    any_of,
    below,
    between,
    crossed_above,
    crossed_below,
    for_at_least,
    hours,
    negated,
    weekdays,
    within,
)
from ballast.core.candles import Candles
from ballast.core.columns import CandleColumns
from ballast.core.market import Market
from ballast.core.rules import Rule, above, at_least, at_most
from ballast.core.stops import StopRules
from ballast.strategy.guarded import GuardedStrategy
from sandbox.regimes import find_labels
from tests.behaviour.market import (
    LEADER,
    STRATEGIES,
    CutProvider,
    analysed,
    candles,
    configuration,
    every_strategy,
    source,
    started,
    utc,
)

DAYS = 45
PAIRS = (LEADER, "XRP/USDT", "DOGE/USDT", "SUI/USDT")
# One with a bad tick near the end, and one that is listed late.
TRADED = ("DOGE/USDT", "SUI/USDT")
TIMEFRAMES = ("5m", "15m", "1h", "4h")
# Stored beside them, of which older history is read.
OLDER = ("15m", "1h", "4h", "1d")
# A Monday, three weeks and more after the first candle, so that every window is warm.
WEEK_BORDER, DAY_BORDER = utc("2024-02-05"), utc("2024-02-08")

Frames = dict[str, pd.DataFrame]
ColumnsByPair = dict[str, CandleColumns]


def market_frames(timeframe: str) -> dict[tuple[str, str], pd.DataFrame]:
    market = source(DAYS, PAIRS)
    timeframes = {timeframe, *OLDER}
    return {(pair, tf): candles(market, pair, tf) for pair in PAIRS for tf in timeframes}


def cuts(timeframe: str) -> Iterator[datetime]:
    """Borders of week, day and hour and the candles beside them, holes, a bad tick, anywhere."""
    candle = timedelta(minutes=timeframe_to_minutes(timeframe))
    yield from (WEEK_BORDER - candle, WEEK_BORDER, WEEK_BORDER + candle)
    yield from (DAY_BORDER, DAY_BORDER + timedelta(hours=4) - candle)
    labels = source(DAYS, PAIRS).labels()
    yield find_labels(labels, "outage")[-1].start + candle
    yield find_labels(labels, "outage")[-1].end + candle
    yield find_labels(labels, "bad_tick", "DOGE/USDT")[-1].start + candle
    anywhere = random.Random(timeframe)
    for _ in range(2):
        yield utc("2024-01-26") + anywhere.randrange(int(timedelta(days=17) / candle)) * candle


def run(
    kind: type[GuardedStrategy], timeframe: str, moment: datetime | None, pairs: tuple[str, ...]
) -> tuple[Frames, ColumnsByPair]:
    """Every column and every columns of a strategy, on the market as it was at a moment."""
    config = configuration(PAIRS)
    provider = CutProvider(config, market_frames(timeframe), moment)
    strategy = started(kind, timeframe, config, provider)
    frames = {pair: analysed(strategy, pair) for pair in pairs}
    assert strategy.session is not None
    return frames, strategy.session.columns_by_pair


WHOLE: dict[tuple[str, str], tuple[Frames, ColumnsByPair]] = {}


def whole(kind: type[GuardedStrategy], timeframe: str) -> tuple[Frames, ColumnsByPair]:
    """As `run` on all candles, once for each strategy and timeframe."""
    key = (kind.__name__, timeframe)
    if key not in WHOLE:
        WHOLE[key] = run(kind, timeframe, None, TRADED)
    return WHOLE[key]


def assert_unchanged_by_the_future(
    kind: type[GuardedStrategy],
    timeframe: str,
    moment: datetime,
    pairs: tuple[str, ...] = TRADED,
) -> None:
    frames, columns_by_pair = run(kind, timeframe, moment, pairs)
    all_frames, all_tapes = whole(kind, timeframe)
    for pair, cut in frames.items():
        full = all_frames[pair].iloc[: len(cut)]
        assert len(cut), f"{pair} has no candle at {moment}"
        # pandas guesses the type of a column of tags from whether there are any.
        text = f"{pair} at {moment}"
        pd.testing.assert_frame_equal(cut, full, check_exact=True, check_dtype=False, obj=text)
    for name, columns in columns_by_pair.items():
        for column, values in columns.by_name.items():
            full_values = all_tapes[name][column][: len(values)]
            text = f"{column} of the columns of {name} at {moment}"
            np.testing.assert_array_equal(values, full_values, err_msg=text)


def assert_unchanged_at_every_cut(kind: type[GuardedStrategy], timeframe: str) -> None:
    for moment in cuts(timeframe):
        assert_unchanged_by_the_future(kind, timeframe, moment)


def test_every_strategy_file_is_found() -> None:
    """A strategy whose file has no class that is tested here would be untested."""
    # A former name is the same strategy again.
    files = {path.stem for path in STRATEGIES.glob("*.py")} - {"RegimeSwitch"}
    assert {kind.__name__ for kind in every_strategy()} == files


@pytest.mark.parametrize("timeframe", TIMEFRAMES)
@pytest.mark.parametrize("kind", every_strategy())
def test_no_column_changes_when_more_candles_follow(
    kind: type[GuardedStrategy], timeframe: str
) -> None:
    assert_unchanged_at_every_cut(kind, timeframe)


@pytest.mark.parametrize("kind", every_strategy())
def test_no_candle_of_four_days_changes_when_more_follow(kind: type[GuardedStrategy]) -> None:
    """At each and every candle: a peek that only some candles take is seen as well."""
    for candle in range(24):
        moment = WEEK_BORDER + timedelta(days=1, hours=4 * candle)
        assert_unchanged_by_the_future(kind, "4h", moment, TRADED[:1])


@pytest.mark.parametrize("timeframe", TIMEFRAMES)
def test_the_market_of_these_tests_has_signals_and_distrust_to_compare(timeframe: str) -> None:
    """Columns of nothing but zeros would agree however much they peeked."""
    named = {kind.__name__: kind for kind in every_strategy()}
    frames, _ = whole(named["DonchianTrend"], timeframe)
    late = pd.concat(frame[frame["date"] >= "2024-01-26"] for frame in frames.values())
    assert late["enter_long"].any()
    if timeframe == "5m":
        assert set(late["trust"].unique()) >= {0, 2, 3}
    assert late["regime"].nunique() > 1
    assert late["market_regime"].nunique() > 1


class CombinesEverything(GuardedStrategy):
    """Every way to combine rules, on the market of these tests."""

    timeframe = "1h"
    stops = StopRules(initial_atr=4)

    def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        mean, gap = pair.mean("1d"), pair.close / pair.mean("2d") - 1
        return {
            "trigger": any_of(
                dip=all_of(low=below(gap, -0.01), lately=within("2d", above(gap, 0.0))),
                cross=crossed_above(pair.close, mean),
                rest=for_at_least("12h", between(gap, -0.02, 0.02)),
            ),
            "open": any_of(day=hours(8, 20), weekend=weekdays("sat", "sun")),
            "no_fall": negated(within("1d", below(pair.roc("8h"), -0.03))),
        }

    def exit_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        return {"crossed": crossed_below(pair.close, pair.mean("1d")), "late": hours(23, 1)}


@pytest.mark.parametrize("timeframe", ["15m", "4h"])
def test_no_combination_of_rules_changes_when_more_candles_follow(timeframe: str) -> None:
    assert_unchanged_at_every_cut(CombinesEverything, timeframe)
    frames, _ = whole(CombinesEverything, timeframe)
    late = pd.concat(frame[frame["date"] >= "2024-01-26"] for frame in frames.values())
    parts = [name for name in late if name.startswith("rule_")]
    assert {"rule_trigger.dip.lately.now", "rule_open.weekend", "rule_no_fall.now"} <= set(parts)
    # A part that never changes would agree however much it peeked.
    assert [name for name in parts if late[name].nunique() < 2] == []
    assert late["enter_long"].any()


class AsksEveryView(GuardedStrategy):
    """Windows of every kind: own and longer candles, another pair, the leader and the basket."""

    timeframe = "1h"
    stops = StopRules(initial_atr=4)

    def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        other, day = pair.of("XRP/USDT"), pair.on("1d")
        return {
            "own": above(pair.own.rsi(14), 45.0),
            "half_day": above(pair.on("12h").close, pair.on("12h").lowest_low(2)),
            "day": above(day.close, day.mean(3)),
            "other": above(other.own.ema(20), other.on("1d").lowest_low("2d")),
            "leader": above(market.on("12h").roc(1), -0.05),
            "ranked": at_most(market.rank(pair, lambda coin: coin.on("12h").roc(2)), 3),
            "broad": at_least(market.share_where(lambda coin: above(coin.own.roc(9), -0.01)), 0.3),
        }

    def lines(self, pair: Candles, market: Market) -> dict[str, pd.Series]:
        return {"week": pair.on("1w").close}


@pytest.mark.parametrize("timeframe", TIMEFRAMES)
def test_no_view_of_other_candles_changes_when_more_follow(timeframe: str) -> None:
    assert_unchanged_at_every_cut(AsksEveryView, timeframe)
    frames, _ = whole(AsksEveryView, timeframe)
    late = pd.concat(frame[frame["date"] >= "2024-01-26"] for frame in frames.values())
    rules = [name for name in late if name.startswith("rule_")]
    # A rule that never changes would agree however much it peeked.
    assert [name for name in rules if late[name].nunique() < 2] == []
    assert late["week"].nunique() > 1
    assert late["enter_long"].any()


class AsksTheLibraries(GuardedStrategy):
    """Indicators of TA-Lib and `technical` by name, and one of its own."""

    timeframe = "1h"
    stops = StopRules(initial_atr=4)

    def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        pattern = pair.ta("CDLENGULFING")
        return {
            "strong": above(pair.ta("ADX", 14), 15.0),
            "band": above(pair.close, pair.ta("BBANDS", 20, output="lowerband")),
            "pattern": negated(below(pattern, 0.0)),
            "long": above(pair.on("4h").ta("RSI", 7), 40.0),
            "not_choppy": below(pair.technical("chopiness", 14), 70.0),
            "cloud": above(pair.close, pair.technical("ichimoku", output="senkou_span_b") * 0.97),
            "own": above(pair.apply(lambda candles: candles["close"].diff(3), history="1d"), -9.0),
        }


@pytest.mark.parametrize("timeframe", ["15m", "1h"])
def test_no_indicator_by_name_changes_when_more_candles_follow(timeframe: str) -> None:
    assert_unchanged_at_every_cut(AsksTheLibraries, timeframe)
    frames, _ = whole(AsksTheLibraries, timeframe)
    late = pd.concat(frame[frame["date"] >= "2024-01-26"] for frame in frames.values())
    rules = [name for name in late if name.startswith("rule_") and name != "rule_own"]
    assert [name for name in rules if late[name].nunique() < 2] == []
    assert late["enter_long"].any()


class Peeking(GuardedStrategy):
    """Each subclass looks ahead in its own way, and looks like a strategy in everything else."""

    timeframe = "1h"
    stops = StopRules(initial_atr=4)

    def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        return {"open": above(pair.close, 0.0)}


class PeeksAtTheNextClose(Peeking):
    def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        return {"rises": above(pair.close.shift(-1), pair.close)}


class PeeksOnceInALongWhile(Peeking):
    def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        tomorrow = pair.close.shift(-1).where(pair.close.index % 12 == 0, pair.close)
        return {"rises": above(tomorrow, pair.close)}


class PeeksAtTheMeanOfAllCloses(Peeking):
    def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        return {"dear": above(pair.close, float(pair.close.mean()))}


class PeeksAtTheMarket(Peeking):
    def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        return {"dear": above(market.close, float(market.frame["close"].mean()))}


class PeeksThroughAnUnfinishedHour(Peeking):
    def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        hour = pair.frame["date"].dt.floor("4h")
        ends = pair.frame["close"].groupby(hour).transform("last")
        return {"will_rise": above(ends, pair.close)}


class PeeksThroughAnUnfinishedDay(Peeking):
    def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        day = pair.on("1d").close.shift(-1)
        return {"will_rise": above(day, pair.close)}


class PeeksInARank(Peeking):
    def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        return {"best": at_most(market.rank(pair, lambda coin: coin.close.shift(-1)), 2)}


class PeeksInAFunctionOfItsOwn(Peeking):
    def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        rises = pair.apply(lambda candles: candles["close"].shift(-1), history="3h")
        return {"rises": above(rises, pair.close)}


class PeeksInAnExitRule(Peeking):
    def exit_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        return {"falls": above(pair.close, pair.close.shift(-1))}


class PeeksInADrawnLine(Peeking):
    def lines(self, pair: Candles, market: Market) -> dict[str, pd.Series]:
        return {"smooth": pair.close.rolling(5, center=True).mean()}


@pytest.mark.parametrize("kind", Peeking.__subclasses__())
def test_a_strategy_that_peeks_is_caught(kind: type[GuardedStrategy]) -> None:
    with pytest.raises(AssertionError):
        assert_unchanged_at_every_cut(kind, "1h")
