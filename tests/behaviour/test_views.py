"""Views of other candles through the engine: frames are fetched by being asked for, live as in a
backtest; what is wrong with them is no reason to buy."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest
from freqtrade.exceptions import OperationalException

from ballast import GuardedStrategy, Rule, StopRules, above, at_most
from ballast.core.candles import Candles
from ballast.core.market import Market
from ballast.core.trust import DataQuality
from sandbox.sources import GeneratedSource
from tests.behaviour.market import (
    LEADER,
    CutProvider,
    analysed,
    candles,
    configuration,
    source,
    started,
    utc,
)
from tests.live_run import live_run

PAIRS = (LEADER, "XRP/USDT", "DOGE/USDT")
TRADED, OTHER = "DOGE/USDT", "XRP/USDT"
DAYS = 45


class AsksAround(GuardedStrategy):
    timeframe = "1h"
    stops: ClassVar[StopRules] = StopRules(initial_atr=4)

    def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
        day = pair.on("1d")
        return {
            "day": above(day.close, day.mean(10)),
            "half_day": above(pair.on("12h").close, pair.on("12h").lowest_low(4)),
            "other": above(pair.of(OTHER).own.roc(5), -0.2),
            "ranked": at_most(market.rank(pair, lambda coin: coin.on("4h").roc(6)), 2),
        }

    def lines(self, pair: Candles, market: Market) -> dict[str, pd.Series]:
        return {
            "day_mean": pair.on("1d").mean(10),
            "half_day_low": pair.on("12h").lowest_low(4),
            "other": pair.of(OTHER).on("1d").highest_high(3),
            "rank": market.rank(pair, lambda coin: coin.on("4h").roc(6)),
        }


def frames(timeframe: str = "1h", **changed: pd.DataFrame) -> dict[tuple[str, str], pd.DataFrame]:
    market = source(DAYS, PAIRS)
    timeframes = {timeframe, "1h", "4h", "1d"}
    stored = {(pair, tf): candles(market, pair, tf) for pair in PAIRS for tf in timeframes}
    return stored | {(f"{coin}/USDT", timeframe): frame for coin, frame in changed.items()}


def running(timeframe: str, stored: dict[tuple[str, str], pd.DataFrame]) -> GuardedStrategy:
    config = configuration(PAIRS)
    return started(AsksAround, timeframe, config, CutProvider(config, stored))


def test_frames_are_wanted_by_being_asked_for() -> None:
    wanted = running("1h", frames()).informative_pairs()
    always = [(pair, "1h") for pair in PAIRS]
    days = [(TRADED, "1d"), (OTHER, "1d"), (LEADER, "1d")]
    # Half days and ranks are made of four-hour candles.
    assert sorted(wanted) == sorted([*always, *days, *((pair, "4h") for pair in PAIRS)])


def test_a_strategy_that_asks_for_none_wants_none() -> None:
    class AsksForNothing(AsksAround):
        def entry_rules(self, pair: Candles, market: Market) -> dict[str, Rule]:
            return {"own": above(pair.own.roc(5), 0.0)}

        def lines(self, pair: Candles, market: Market) -> dict[str, pd.Series]:
            return {}

    config = configuration(PAIRS)
    strategy = started(AsksForNothing, "1h", config, CutProvider(config, frames()))
    assert sorted(strategy.informative_pairs()) == sorted((pair, "1h") for pair in PAIRS)


def test_a_hole_in_another_pair_is_no_reason_to_buy_this_one() -> None:
    sound = analysed(running("1h", frames()), TRADED)
    other = candles(source(DAYS, PAIRS), OTHER, "1h")
    gone = other[:-200].reset_index(drop=True)
    broken = analysed(running("1h", frames(XRP=gone)), TRADED)
    assert sound["enter_long"][-200:].any()
    assert (broken["trust"][-200:] == DataQuality.DISORDER).all()
    assert not broken["enter_long"][-200:].any()
    pd.testing.assert_series_equal(sound["enter_long"][:-200], broken["enter_long"][:-200])


def test_pairs_are_compared_only_in_a_basket_that_is_named() -> None:
    """The whitelist is what is traded: `lookahead-analysis` would cut it to a single pair."""
    config = configuration(PAIRS, ballast={})
    with pytest.raises(OperationalException, match="AsksAround: its rules compare pairs of a bask"):
        started(AsksAround, "1h", config, CutProvider(config, frames()))


def test_a_rank_is_the_same_whatever_is_traded() -> None:
    alone = configuration(PAIRS)
    alone["exchange"]["pair_whitelist"] = [TRADED]
    strategy = started(AsksAround, "1h", alone, CutProvider(alone, frames()))
    found = analysed(strategy, TRADED)["rank"]
    pd.testing.assert_series_equal(found, analysed(running("1h", frames()), TRADED)["rank"])
    assert found.nunique() == len(PAIRS)


@pytest.mark.parametrize("timeframe", ["1h", "15m"])
def test_a_live_bot_sees_what_a_backtest_saw(timeframe: str, tmp_path: Path) -> None:
    """It fetches days of which its own candles tell nothing."""
    market, begin = GeneratedSource(7, days=DAYS, pairs=PAIRS), utc("2024-02-08T22:00:01")
    ballast = {"market": {"basket": list(PAIRS)}}
    settings: dict[str, Any] = {
        "timeframe": timeframe,
        "max_open_trades": 3,
        "stake_amount": "unlimited",
        "loop_seconds": 60,
    }
    with live_run(AsksAround, market, tmp_path, begin, ballast=ballast, **settings) as run:
        run.minutes(150)
        seen, _ = run.bot.dataprovider.get_analyzed_dataframe(TRADED, timeframe)
        end = run.now - timedelta(minutes=run.now.minute % 15)
    backtest = analysed(running(timeframe, frames(timeframe)), TRADED).set_index("date")
    seen = seen.set_index("date")[-8:]
    columns = ["day_mean", "half_day_low", "other", "rank", "trust"]
    columns += [name for name in seen if name.startswith("rule_")]
    assert seen.index[-1] + pd.Timedelta(minutes=60 if timeframe == "1h" else 15) <= end
    expected = backtest.loc[seen.index, columns]
    pd.testing.assert_frame_equal(
        seen[columns], expected, check_dtype=False, check_index_type=False
    )
    assert not seen[columns].isna().any(axis=None)
    assert (seen["trust"] == DataQuality.OK).any()
