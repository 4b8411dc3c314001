"""Trails beside the chandelier: each by its formula, only up, and of completed candles alone."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pandas as pd
import pytest
import talib

from ballast.core.reasons import Reason
from ballast.core.rules import Axis, holds
from ballast.core.setups import Setup
from ballast.core.stops import StopPlan, StopRules
from ballast.core.trails import Extremes, ParabolicSar, swing_low

STEP = 0.02


def plan(**rules: Any) -> StopPlan:
    """Bought at 100 with a stop at 90."""
    return StopPlan(100.0, 90.0, StopRules(initial_atr=2, **rules), cost_ratio=0.003)


def test_atr_trail_hangs_below_each_close_with_its_range_and_never_falls() -> None:
    position = plan(trail_atr=3)
    assert position.advance(104, 2) == 98
    assert position.moved_by == Reason.ATR_TRAIL
    assert position.advance(103, 1) == 100
    assert position.advance(102, 2) == 100


def test_percent_trail_hangs_below_the_highest_close() -> None:
    position = plan(trail_pct=5)
    assert position.advance(110, 1) == pytest.approx(104.5)
    assert position.moved_by == Reason.PERCENT_TRAIL
    assert position.advance(106, 1) == pytest.approx(104.5)


def test_of_several_trails_the_highest_holds_and_is_named() -> None:
    position = plan(trail_pct=5, trail_atr=2)
    assert position.advance(110, 1) == 108
    assert position.moved_by == Reason.ATR_TRAIL
    assert position.advance(120, 4) == pytest.approx(114)
    assert position.moved_by == Reason.PERCENT_TRAIL


def rising(count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Highs and lows of an up-trend with pauses, none of which reaches a SAR."""
    walk = random.Random(3)
    high, low = [101.0, 102.0], [99.0, 100.0]
    for _ in range(count):
        high.append(high[-1] + walk.choice((-0.3, 0.4, 1.5, 2.0)))
        low.append(max(high[-1] - 2, low[-1] + 0.2))
    return np.array(high), np.array(low)


def test_parabolic_sar_is_that_of_talib() -> None:
    high, low = rising()
    expected = talib.SAR(high, low, acceleration=STEP, maximum=0.2)
    sar = ParabolicSar(float(expected[2]), float(high[1]), STEP)
    # Of TA-Lib's second candle the state is known: it is long, and has moved once.
    assert expected[1] == low[0]
    found = [
        sar.advance(float(high[n]), float(min(low[n - 1], low[n])), STEP)
        for n in range(2, len(high) - 1)
    ]
    assert found == pytest.approx(list(expected[3:]))
    assert sar.acceleration == 0.2


def test_parabolic_sar_begins_at_the_first_stop_and_moves_the_stop() -> None:
    position = plan(sar_step=STEP)
    # A new high: four hundredths of the way from 90 to 105.
    assert position.advance(104, 1, Extremes(105, 99)) == pytest.approx(90 + 0.04 * 15)
    assert position.moved_by == Reason.PARABOLIC_SAR


def test_parabolic_sar_is_no_higher_than_the_last_two_lows() -> None:
    sar = ParabolicSar(99.0, 130.0, 0.2)
    assert sar.advance(120, 101, STEP) == 101
    # Below a low that undercuts it nothing is lowered.
    assert sar.advance(120, 95, STEP) == 101


@pytest.mark.parametrize("extremes", [Extremes(math.nan, 99), Extremes(105, math.nan)])
def test_a_missing_figure_moves_no_parabolic_sar(extremes: Extremes) -> None:
    assert plan(sar_step=STEP).advance(104, 1, extremes) == 90


LOWS = np.array([5.0, 4, 3, 4, 5, 4.5, 6, 7, 6.5, 8, 9])


def test_a_swing_low_is_known_once_its_last_candle_has_completed() -> None:
    found = {n: swing_low(LOWS, n, 2) for n in range(len(LOWS))}
    known = {n: low for n, low in found.items() if not math.isnan(low)}
    assert known == {4: 3.0}
    one_beside = {n: swing_low(LOWS, n, 1) for n in range(len(LOWS))}
    assert {n: low for n, low in one_beside.items() if low > 0} == {3: 3.0, 6: 4.5, 9: 6.5}


@pytest.mark.parametrize("candles", [1, 2, 3])
def test_a_swing_low_looks_at_no_later_candle(candles: int) -> None:
    for n in range(len(LOWS)):
        cut, whole = swing_low(LOWS[: n + 1], n, candles), swing_low(LOWS, n, candles)
        assert cut == whole or (math.isnan(cut) and math.isnan(whole))


def test_the_stop_follows_a_swing_low_up_and_not_down() -> None:
    position = plan(swing_low="6h")
    assert position.advance(104, 1, Extremes(swing_low=98.0)) == 98
    assert position.moved_by == Reason.SWING_LOW
    assert position.advance(104, 1, Extremes(swing_low=97.0)) == 98
    assert position.advance(104, 1) == 98


def test_candles_beside_a_swing_low_follow_from_the_timeframe_and_are_warm_up() -> None:
    rules = StopRules(initial_atr=2, swing_low="6h")
    assert [rules.swing_candles(timeframe) for timeframe in ("1h", "15m")] == [6, 24]
    dates = pd.Series(pd.date_range("2024-01-01", periods=1, freq="1h", tz="UTC"))
    setup = Setup("Mini", {"up": holds(pd.Series([True]))}, rules)
    assert setup.on(Axis(dates, "1h")).history == 12
    with pytest.raises(ValueError, match=r"^swing_low '6h' is shorter than a candle of 1d$"):
        setup.on(Axis(dates, "1d"))


@pytest.mark.parametrize(
    ("rules", "fault"),
    [
        ({"trail_atr": 0.4}, "trail_atr is 0.4: expected a number from 0.5 to 40"),
        ({"trail_pct": 60}, "trail_pct is 60: expected a number from 0.2 to 50"),
        ({"sar_step": 1}, "sar_step is 1: expected a number from 0.002 to 0.1"),
        ({"swing_low": "6"}, "swing_low is '6': expected a length of time such as '36h' or"),
    ],
)
def test_what_cannot_be_used_is_named_with_what_is_accepted(
    rules: dict[str, Any], fault: str
) -> None:
    (found,) = StopRules(initial_atr=2, **rules).faults()
    assert found.startswith(fault)
