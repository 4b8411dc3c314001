"""Signals need every rule and trusted candles of the pair, its hours and the market."""

import numpy as np
import pandas as pd
import pytest

from ballast.core import regime, shocks, signals
from ballast.core.candles import Candles
from ballast.core.data_quality import DataQualityLimits
from ballast.core.frames import with_columns
from ballast.core.market import Market
from ballast.core.rules import holds
from ballast.core.setups import Setup
from ballast.core.signals import (
    columns_of,
    market_columns,
    setup_name,
    signal_columns,
    state_columns,
)
from ballast.core.stops import StopRules
from ballast.core.trust import DataQuality
from tests.unit.ballast.core.made import filled, walk

LIMITS = DataQualityLimits(history_candles=10)
STOPS = StopRules(2.0)


def flags(*values: int) -> pd.Series:
    return pd.Series([bool(v) for v in values])


def signalled(setups: list[Setup], trust: list[int]) -> pd.DataFrame:
    frame = pd.DataFrame({"trust": trust})
    return with_columns(frame, signal_columns(frame["trust"].to_numpy(), setups))


def tags(frame: pd.DataFrame) -> list[str]:
    """Entry tags; nothing where there is none."""
    return list(frame["enter_tag"].fillna(""))


def setup(name: str, leave: dict | None = None, **entry: pd.Series) -> Setup:
    return Setup(name, {rule: holds(met) for rule, met in entry.items()}, STOPS, leave or {})


TREND = setup("Trend", up=flags(1, 1, 0, 1), calm=flags(1, 0, 1, 1))
RANGE = setup("Range", dip=flags(1, 1, 0, 0))


def test_a_signal_needs_every_rule_and_names_them() -> None:
    frame = signalled([TREND], [0] * 4)
    assert list(frame["enter_long"]) == [1, 0, 0, 1]
    assert tags(frame) == ["Trend: up + calm", "", "", "Trend: up + calm"]
    assert list(frame["setup"]) == [0, -1, -1, 0]
    assert list(frame["rule_up"]) == [True, True, False, True]
    assert list(frame["rule_calm"]) == [True, False, True, True]


@pytest.mark.parametrize("code", [code for code in DataQuality if code != DataQuality.OK])
def test_an_untrusted_candle_gives_no_signal(code: DataQuality) -> None:
    frame = signalled([TREND], [code, 0, 0, 0])
    assert list(frame["enter_long"]) == [0, 0, 0, 1]
    assert tags(frame)[0] == ""


def test_the_earlier_of_two_setups_has_precedence() -> None:
    frame = signalled([TREND, RANGE], [0] * 4)
    assert list(frame["setup"]) == [0, 1, -1, 0]
    assert tags(frame) == ["Trend: up + calm", "Range: dip", "", "Trend: up + calm"]
    assert {"rule_up", "rule_calm", "rule_dip"} <= set(frame)
    assert list(signalled([RANGE, TREND], [0] * 4)["setup"]) == [0, 0, -1, 1]


def test_setups_may_share_a_rule_and_must_mean_the_same_by_it() -> None:
    shared = setup("Other", up=flags(1, 1, 0, 1))
    assert list(signalled([TREND, shared], [0] * 4)["rule_up"]) == [True, True, False, True]
    other = setup("Other", up=flags(1, 1, 1, 1))
    with pytest.raises(ValueError, match="two setups have a rule 'up', and they differ"):
        signalled([TREND, other], [0] * 4)


def test_a_setup_without_rules_and_no_setups_give_no_signal() -> None:
    assert not signalled([setup("Nothing")], [0] * 4)["enter_long"].any()
    assert not signalled([], [0] * 4)["enter_long"].any()


def test_no_candles_give_no_signal() -> None:
    assert list(signalled([setup("Empty", up=flags())], [])["enter_long"]) == []


@pytest.mark.parametrize(
    ("tag", "name"), [("Trend: up + calm", "Trend"), ("Trend", "Trend"), ("", ""), (None, "")]
)
def test_the_setup_of_a_trade_is_read_from_its_tag(tag: str | None, name: str) -> None:
    assert setup_name(tag) == name
    assert setup_name(TREND.tag) == "Trend"


def state(
    pair: pd.DataFrame, leader: pd.DataFrame, timeframe: str = "1h"
) -> tuple[pd.DataFrame, Candles, Market]:
    frame = pair.copy()
    candles = Candles(frame, timeframe)
    market = Market(leader, timeframe, {"A/USDT": candles.slow}).onto(frame["date"])
    columns = state_columns(candles, market, LIMITS, "24h")
    return with_columns(frame, columns), candles, market


def test_the_state_of_a_pair_is_what_its_indicators_say() -> None:
    frame, pair, market = state(walk(1, 700), walk(2, 700))
    expected = {
        "atr": pair.atr("24h"),
        "volatility": pair.daily_volatility("10d"),
        "turnover": pair.hourly_turnover("5d"),
        "regime": regime.of_pair(pair),
        "market_regime": regime.of_market(market),
        "fall": pair.fall("8h"),
        "intensity": shocks.intensity(pair),
    }
    for name, values in expected.items():
        np.testing.assert_array_equal(frame[name], values)
    assert list(frame["trust"][:11]) == [DataQuality.SHORT_HISTORY] * 10 + [DataQuality.OK]


@pytest.mark.parametrize(("timeframe", "pause"), [("15m", 16), ("1h", 4), ("4h", 3)])
def test_a_cooldown_is_counted_in_the_strategys_own_candles(timeframe: str, pause: int) -> None:
    n = {"15m": 6000, "1h": 1500, "4h": 500}[timeframe]
    made = walk(1, n, timeframe, sigma=0.003)
    made.loc[n - 50, "high"] *= 1.2
    made.loc[n - 50, "low"] *= 0.8
    frame, _, _ = state(made, walk(2, n, timeframe), timeframe)
    shock = frame["intensity"] >= 1
    assert shock[n - 50 :].any()
    first = int(shock[n - 50 :].idxmax())
    assert frame["cooldown"][first] >= pause


def test_the_graver_finding_of_pair_and_market_is_the_trust_of_a_candle() -> None:
    pair, leader = filled(walk(1, 60), slice(30, 31)), filled(walk(2, 60), slice(40, 41))
    leader.loc[30, "close"] = -1.0
    with np.errstate(invalid="ignore"):
        trust = state(pair, leader)[0]["trust"]
    assert trust[30] == DataQuality.BAD_BAR
    assert trust[40] == DataQuality.FILLED_HOLE
    assert trust[39] == trust[41] == DataQuality.OK


def test_on_fine_candles_the_history_is_counted_in_hours() -> None:
    trust = state(walk(1, 300, "5m"), walk(2, 300, "5m"), "5m")[0]["trust"]
    # The eleventh hour is complete with the candle that ends it.
    assert (trust[:131] == DataQuality.SHORT_HISTORY).all()
    assert (trust[131:] == DataQuality.OK).all()


def test_on_fine_candles_an_hour_without_trades_is_not_trusted() -> None:
    holed = filled(walk(1, 300, "5m"), slice(156, 168))
    trust = state(holed, walk(2, 300, "5m"), "5m")[0]["trust"]
    assert (trust[167:179] == DataQuality.FILLED_HOLE).all()
    assert trust[179] == DataQuality.OK


def test_a_leader_that_begins_late_is_a_short_history() -> None:
    trust = state(walk(1, 60), walk(2, 60)[20:].reset_index(drop=True))[0]["trust"]
    assert (trust[:30] == DataQuality.SHORT_HISTORY).all()
    assert (trust[30:] == DataQuality.OK).all()


def test_a_candle_that_the_leader_lacks_is_not_trusted() -> None:
    trust = state(walk(1, 60), walk(2, 60)[:50])[0]["trust"]
    assert (trust[50:] != DataQuality.OK).all()


def test_a_columns_has_what_callbacks_look_up_and_the_first_exit_rule_that_is_met() -> None:
    frame, pair, _ = state(walk(1, 60), walk(2, 60))
    met = np.arange(60)
    leave = {"late": holds(pd.Series(met >= 20)), "early": holds(pd.Series(met >= 10))}
    columns = columns_of(pair, dict(frame), [setup("Trend", leave), setup("Range")])
    assert list(columns["exit:Trend"]) == [0] * 10 + [2] * 10 + [1] * 40
    assert not columns["exit:Range"].any()
    assert columns.labels == {"exit:Trend": ("late", "early"), "exit:Range": ()}
    for name in (
        "close",
        "atr",
        "volatility",
        "turnover",
        "trust",
        "fall",
        "intensity",
        "cooldown",
    ):
        np.testing.assert_array_equal(columns[name], frame[name])


def test_the_columns_of_the_market_is_that_of_its_leader() -> None:
    leader = walk(2, 400)
    market = Market(leader, "1h", {})
    columns = market_columns(market, LIMITS)
    np.testing.assert_array_equal(columns["close"], leader["close"])
    np.testing.assert_array_equal(columns["fall"], market.fall("8h"))
    np.testing.assert_array_equal(columns["intensity"], shocks.intensity(market))
    assert list(columns["trust"][9:11]) == [DataQuality.SHORT_HISTORY, DataQuality.OK]
    assert len(columns["cooldown"]) == len(columns) == 400


def test_a_pair_without_candles_has_a_state_without_rows() -> None:
    frame = state(walk(1, 0), walk(2, 60))[0]
    assert len(frame) == 0
    assert {"trust", "atr", "cooldown", "market_regime"} <= set(frame)
    assert signals.NO_SETUP == -1
