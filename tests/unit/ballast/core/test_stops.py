"""A stop is known before the order, only ever rises, and is never lost to a missing figure."""

import math
from dataclasses import replace
from datetime import timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.core.stops import StopPlan, StopRules, due, initial_stop, relative_to
from ballast.core.trails import Extremes
from tests.unit.ballast.core.made import START, moment

PRICES = st.floats(1e-8, 1e8)
RULES = st.builds(
    StopRules,
    initial_atr=st.floats(0.5, 20),
    chandelier_atr=st.none() | st.floats(0.5, 40),
    chandelier_slack_atr=st.floats(0, 20),
    trail_atr=st.none() | st.floats(0.5, 40),
    trail_pct=st.none() | st.floats(0.2, 50),
    sar_step=st.none() | st.floats(0.002, 0.1),
    swing_low=st.none() | st.just("6h"),
    break_even_r=st.none() | st.floats(0.25, 10),
)
MISSING = st.sampled_from([math.nan, math.inf, -math.inf])
CANDLES = st.lists(
    st.tuples(
        st.floats(50, 200) | st.floats(0, 1e9) | MISSING,
        st.floats(1e-6, 1e6) | st.just(0.0) | MISSING,
    ),
    max_size=30,
)
TRAIL = StopRules(initial_atr=2.0, chandelier_atr=3.0)


def plan(rules: StopRules = TRAIL, entry: float = 100.0, stop: float = 90.0) -> StopPlan:
    return StopPlan(entry, stop, rules, cost_ratio=0.003)


@settings(max_examples=500)
@given(RULES, CANDLES, st.lists(st.floats(allow_nan=True, allow_infinity=False), max_size=30))
def test_a_stop_never_falls_whatever_the_candles(
    rules: StopRules, candles: list[tuple[float, float]], raised: list[float]
) -> None:
    position = plan(rules)
    before = position.stop
    for number, (close, atr) in enumerate(candles):
        low = raised[number] if number < len(raised) else math.nan
        after = position.advance(close, atr, Extremes(close, low, low))
        if number < len(raised):
            position.tighten(raised[number])
        assert position.stop >= after >= before
        assert math.isfinite(position.stop)
        before = position.stop


@settings(max_examples=500)
@given(RULES, st.lists(st.tuples(st.floats(50, 200), st.floats(0.01, 10)), max_size=20))
def test_a_trail_stays_below_the_highest_close_unless_it_breaks_even(
    rules: StopRules, candles: list[tuple[float, float]]
) -> None:
    position = plan(rules)
    for close, atr in candles:
        position.advance(close, atr)
        assert position.stop <= max(position.highest_close, position.entry * 1.003)


@settings(max_examples=500)
@given(
    RULES,
    st.lists(st.tuples(st.floats(50, 200), st.floats(0.01, 10)), min_size=1, max_size=10),
    st.floats(0, 100),
)
def test_a_lower_last_close_or_a_larger_last_range_never_gives_a_stop_above_the_others(
    rules: StopRules, candles: list[tuple[float, float]], worse: float
) -> None:
    *before, (close, atr) = candles
    stops = []
    for last in ((close, atr), (close - worse, atr), (close, atr + worse)):
        position = plan(rules)
        for candle in [*before, last]:
            position.advance(*candle)
        stops.append(position.stop)
    assert stops[1] <= stops[0]
    assert stops[2] <= stops[0]


@settings(max_examples=500)
@given(RULES, CANDLES, st.integers(-20, 20))
def test_the_unit_of_price_scales_a_stop_and_changes_nothing_else(
    rules: StopRules, candles: list[tuple[float, float]], power: int
) -> None:
    factor = 2.0**power
    one, other = plan(rules), plan(rules, 100 * factor, 90 * factor)
    for close, atr in candles:
        one.advance(close, atr)
        other.advance(close * factor, atr * factor)
    assert other.stop == pytest.approx(one.stop * factor, rel=1e-12)
    assert other.closed_below == one.closed_below


@settings(max_examples=500)
@given(RULES, CANDLES, st.integers(0, 30))
def test_a_plan_replayed_after_a_restart_equals_the_one_that_was_not_interrupted(
    rules: StopRules, candles: list[tuple[float, float]], at: int
) -> None:
    through = plan(rules)
    for candle in candles[:at]:
        through.advance(*candle)
    replayed = plan(rules)
    for candle in candles[:at]:
        replayed.advance(*candle)
    replayed.tighten(through.stop)
    for candle in candles[at:]:
        assert replayed.advance(*candle) == through.advance(*candle)
        assert replayed.closed_below == through.closed_below


@pytest.mark.parametrize(
    ("close", "atr"),
    [
        (math.nan, 1.0),
        (120.0, math.nan),
        (math.inf, 1.0),
        (120.0, math.inf),
        (-math.inf, 1.0),
    ],
)
def test_a_candle_with_a_missing_figure_moves_nothing(close: float, atr: float) -> None:
    position = plan()
    position.advance(110.0, 1.0)
    before = (position.stop, position.chandelier, position.highest_close, position.closed_below)
    assert position.advance(close, atr) == 107.0
    after = (position.stop, position.chandelier, position.highest_close, position.closed_below)
    assert after == before


def test_an_infinite_price_is_no_stop() -> None:
    position = plan()
    position.tighten(math.inf)
    assert position.stop == 90.0


@pytest.mark.parametrize("atr", [0.0, -1.0])
def test_a_range_that_is_not_above_zero_moves_nothing(atr: float) -> None:
    assert plan().advance(110.0, atr) == 90.0


def test_the_chandelier_hangs_below_the_highest_close() -> None:
    position = plan()
    assert position.advance(110.0, 2.0) == 104.0
    assert position.advance(108.0, 1.0) == 107.0
    assert position.advance(108.0, 5.0) == 107.0
    assert not position.closed_below


def test_a_trail_without_a_range_that_shrinks_follows_closes_only() -> None:
    position = plan()
    assert position.advance(95.0, 3.0) == 91.0
    assert position.highest_close == 100.0


@pytest.mark.parametrize(("close", "below"), [(104.001, False), (104.0, False), (103.999, True)])
def test_a_close_below_the_chandelier_is_told_and_one_on_it_is_not(
    close: float, below: bool
) -> None:
    position = plan(StopRules(2.0, chandelier_atr=3.0, chandelier_slack_atr=1.0))
    position.advance(110.0, 2.0)
    assert position.chandelier == 104.0
    position.advance(close, 2.0)
    assert position.closed_below is below


def test_a_later_close_above_the_chandelier_takes_it_back() -> None:
    position = plan()
    position.advance(110.0, 2.0)
    position.advance(100.0, 2.0)
    position.advance(109.0, 2.0)
    assert not position.closed_below


def test_the_resting_stop_hangs_lower_by_its_slack() -> None:
    position = plan(StopRules(2.0, chandelier_atr=3.0, chandelier_slack_atr=1.0))
    assert position.advance(110.0, 2.0) == 102.0


def test_without_a_trail_only_breaking_even_moves_the_stop() -> None:
    position = plan(StopRules(2.0))
    assert position.advance(150.0, 1.0) == 90.0
    assert not position.closed_below


@pytest.mark.parametrize(("close", "stop"), [(114.999, 90.0), (115.0, 100.3), (115.001, 100.3)])
def test_breaking_even_begins_exactly_at_its_multiple_and_covers_costs(
    close: float, stop: float
) -> None:
    position = plan(StopRules(2.0, break_even_r=1.5))
    assert position.advance(close, 1.0) == pytest.approx(stop)
    assert position.advance(95.0, 1.0) == pytest.approx(stop)


@pytest.mark.parametrize(("close", "reached"), [(109.999, False), (110.0, True), (110.001, True)])
def test_one_r_is_reached_by_a_close_at_it(close: float, reached: bool) -> None:
    position = plan(StopRules(2.0))
    position.advance(close, 1.0)
    assert position.reached(1.0) is reached


def test_r_is_the_distance_to_the_first_stop_and_stays_so() -> None:
    position = plan()
    position.advance(150.0, 1.0)
    assert position.risk == 10.0


@pytest.mark.parametrize("stop", [100.0, 101.0])
def test_r_of_a_fill_at_or_below_its_own_stop_is_one_percent(stop: float) -> None:
    assert plan(stop=stop).risk == 1.0


@settings(max_examples=500)
@given(PRICES, st.floats(1e-6, 1), st.floats(0.5, 20), st.floats(0.5, 20), st.floats(0.01, 0.5))
def test_the_first_stop_is_below_the_close_within_the_disaster_stop_and_wider_with_the_range(
    close: float, atr_ratio: float, near: float, far: float, disaster: float
) -> None:
    near, far = sorted((near, far))
    atr = close * atr_ratio
    narrow = initial_stop(close, atr, StopRules(near), disaster)
    wide = initial_stop(close, atr, StopRules(far), disaster)
    assert close * (1 - disaster) <= wide <= narrow < close
    assert initial_stop(close, atr * 2, StopRules(near), disaster) <= narrow


def test_the_first_stop_is_its_distance_below_the_close() -> None:
    assert initial_stop(100.0, 2.0, StopRules(2.5), 0.1) == 95.0
    assert initial_stop(100.0, 4.0, StopRules(2.5), 0.1) == 90.0
    assert initial_stop(100.0, 4.001, StopRules(2.5), 0.1) == 90.0


@pytest.mark.parametrize(
    ("close", "atr"),
    [
        (math.nan, 1.0),
        (math.inf, 1.0),
        (100.0, math.nan),
        (100.0, math.inf),
        (100.0, 0.0),
        (100.0, -1.0),
    ],
)
def test_a_first_stop_without_a_price_or_a_range_is_none(close: float, atr: float) -> None:
    assert math.isnan(initial_stop(close, atr, StopRules(2.0), 0.1))


@settings(max_examples=500)
@given(PRICES, st.floats(1e-9, 1, exclude_max=True))
def test_a_relative_stop_gives_the_absolute_one_back(price: float, share: float) -> None:
    stop = price * share
    relative = relative_to(price, stop)
    if stop >= price:
        assert relative is None
    else:
        assert relative is not None
        assert 0 < relative <= 1
        assert price * (1 - relative) == pytest.approx(stop, rel=1e-6)


@settings(max_examples=500)
@given(PRICES, st.floats(1, 2))
def test_a_stop_not_below_the_price_has_no_relative_form(price: float, times: float) -> None:
    assert relative_to(price, price * times) is None


@settings(max_examples=500)
@given(PRICES)
def test_a_stop_one_step_below_the_price_is_not_taken_for_no_change(price: float) -> None:
    relative = relative_to(price, math.nextafter(price, 0))
    assert relative is not None
    assert relative > 0


@pytest.mark.parametrize("stop", [math.nan, math.inf, -math.inf, 0.0, -1.0])
def test_a_stop_that_is_no_price_has_no_relative_form(stop: float) -> None:
    assert relative_to(100.0, stop) is None


@pytest.mark.parametrize("price", [math.nan, 0.0, -1.0, math.inf])
def test_a_price_that_is_none_gives_no_relative_form(price: float) -> None:
    assert relative_to(price, 90.0) is None


@pytest.mark.parametrize(("hours", "expected"), [(23.999, False), (24.0, True), (24.001, True)])
def test_a_trade_is_overdue_exactly_at_its_time(hours: float, expected: bool) -> None:
    assert (moment(hours) >= due(START, 1440)) is expected


def test_time_open_is_told_in_any_time_zone_and_is_never_negative_enough_to_leave() -> None:
    away = moment(24).astimezone(timezone(timedelta(hours=-11)))
    assert away >= due(START, 1440)
    assert moment(-48) < due(START, 1440)


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"initial_atr": -3}, "initial_atr is -3: expected a number from 0.5 to 20"),
        ({"initial_atr": None}, "initial_atr is None: expected a number from 0.5 to 20"),
        ({"initial_atr": math.nan}, "initial_atr is nan: expected a number from 0.5 to 20"),
        ({"initial_atr": "4"}, "initial_atr is '4': expected a number from 0.5 to 20"),
        ({"initial_atr": True}, "initial_atr is True: expected a number from 0.5 to 20"),
        ({"chandelier_atr": 0.4}, "chandelier_atr is 0.4: expected a number from 0.5 to 40"),
        (
            {"chandelier_slack_atr": -1},
            "chandelier_slack_atr is -1: expected a number from 0 to 20",
        ),
        ({"break_even_r": 11}, "break_even_r is 11: expected a number from 0.25 to 10"),
        ({"time_stop": "10 d"}, "time_stop is '10 d': expected a length of time such as '36h'"),
        ({"time_stop": 10}, "time_stop is 10: expected a length of time such as '36h'"),
        ({"time_stop": ""}, "time_stop is '': expected a length of time such as '36h'"),
    ],
)
def test_rules_that_cannot_be_used_say_which_and_what_is_accepted(
    given: dict[str, Any], fault: str
) -> None:
    (found,) = StopRules(**{"initial_atr": 4, **given}).faults()
    assert found.startswith(fault)


@given(RULES, st.sampled_from([None, "15m", "36h", "10d", "2w"]))
def test_rules_within_their_ranges_have_no_fault(rules: StopRules, time_stop: str | None) -> None:
    assert not list(replace(rules, time_stop=time_stop).faults())
