"""Where the money between a bot and its replay went, part by part."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.research.drift.alarms import result_alarm, slippage_alarm
from ballast.research.drift.fills import fill_differences, match
from ballast.research.drift.record import Fill, Part, Traded

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
REPLAY = Traded(
    "ETH/USDT",
    10.0,
    Fill(NOON, 100.0, 100.05),
    Fill(NOON + 5 * HOUR, 110.0, 109.9),
    "exit",
    0.001,
    98.0,
)
HALF = Part("target", 5.0, Fill(NOON + 2 * HOUR, 105.0, 105.0))
prices = st.floats(50, 200)


def bot(enter: Fill, leave: Fill | None = REPLAY.leave, reason: str = "exit") -> Traded:
    return replace(REPLAY, enter=enter, leave=leave, reason=reason)


def test_shortfall_is_split_into_its_parts() -> None:
    """Bought 10 at 100 decided, 100.2 ordered, 100.5 filled; sold as decided."""
    mine = bot(Fill(NOON, 100.2, 100.5), Fill(NOON + 5 * HOUR, 110.0, 110.0))
    found = match([mine], [REPLAY], HOUR).shortfall()
    assert found.delay == pytest.approx(20)
    assert found.execution == pytest.approx(30)
    assert found.fees == pytest.approx(21)  # 0.1 % of 1,000 and of 1,100, on 1,000
    assert found.missed == 0


@given(prices, prices, prices, prices)
def test_the_parts_add_up_to_what_the_fills_cost(
    asked: float, paid: float, wanted: float, got: float
) -> None:
    for hour in (5, 1):
        mine = bot(Fill(NOON, asked, paid), Fill(NOON + hour * HOUR, wanted, got))
        found = match([mine], [REPLAY], HOUR).shortfall()
        lost = 10 * ((paid - 100.0) + (110.0 - got))
        assert (found.delay + found.execution + found.exits) * 1000 / 10_000 == pytest.approx(
            lost, abs=1e-6
        )


def test_trades_of_one_side_only_are_missed_or_extra() -> None:
    late = replace(REPLAY, enter=Fill(NOON + 4 * HOUR, 100, 100), profit=-5.0)
    found = match([late], [REPLAY], HOUR)
    assert (found.missed, found.extra, found.both) == ((REPLAY,), (late,), ())
    near = replace(REPLAY, enter=Fill(NOON + 3 * HOUR, 100, 100))
    assert match([near], [REPLAY], HOUR).both == ((near, REPLAY),)


def test_missed_profit_is_lost_and_missed_losses_are_won() -> None:
    missed = replace(REPLAY, pair="SOL/USDT", profit=20.0)
    mine = bot(REPLAY.enter)
    assert match([mine], [REPLAY, missed], HOUR).shortfall().missed == pytest.approx(200)


def test_late_orders_worse_fills_and_other_exits_are_named() -> None:
    late = Fill(NOON + timedelta(seconds=90), 100.0, 100.2)
    mine = bot(late, Fill(NOON + 3 * HOUR, 105.0, 105.0), "time_stop")
    found = list(fill_differences(match([mine], [REPLAY], HOUR), timedelta(seconds=60)))
    assert [each.what for each in found] == ["late entry", "worse entry fill", "exit"]


def test_a_stop_is_not_late_within_its_candle() -> None:
    stopped = replace(REPLAY, reason="stop_loss")
    leave = Fill(NOON + 5 * HOUR + timedelta(minutes=40), 110.0, 109.9)
    mine = bot(REPLAY.enter, leave, "trailing_stop_loss")
    found = fill_differences(match([mine], [stopped], HOUR), timedelta(seconds=60))
    assert [each.what for each in found if each.what != "worse stop fill"] == []


STOPPED = replace(REPLAY, reason="stop_loss", leave=Fill(NOON + 2 * HOUR, 95.0, 94.9))


@pytest.mark.parametrize(
    ("after", "is_same"),
    [
        (timedelta(0), True),
        (timedelta(minutes=59), True),
        (HOUR + timedelta(seconds=5), True),
        (timedelta(minutes=-1), False),
        (timedelta(minutes=-117), False),
        (HOUR + timedelta(minutes=1), False),
        (4 * HOUR, False),
    ],
)
def test_stops_of_different_candles_are_not_the_same_fill(after: timedelta, is_same: bool) -> None:
    """One at 12:03 and one at 14:00 were one fill, at prices that had nothing to do with it."""
    mine = bot(REPLAY.enter, Fill(NOON + 2 * HOUR + after, 95.0, 94.9), "trailing_stop_loss")
    matched = match([mine], [STOPPED], HOUR)
    assert [fill.kind for fill in matched.fills()] == ["entry", "stop"][: 1 + is_same]
    found = [(each.what, each.bot, each.replay) for each in fill_differences(matched, 60 * SECOND)]
    left = mine.leave
    assert left is not None
    told = ("exit", f"trailing_stop_loss {left.at:%m-%d %H:%M}", "stop_loss 05-01 14:00")
    assert found == ([] if is_same else [told])


def test_exits_by_the_same_rule_days_apart_are_not_the_same_fill() -> None:
    """The earlier one counted as in time, and its price as slippage."""
    mine = bot(REPLAY.enter, Fill(NOON + HOUR, 90.0, 90.0))
    matched = match([mine], [REPLAY], HOUR)
    assert [fill.kind for fill in matched.fills()] == ["entry"]
    assert [each.what for each in fill_differences(matched, 60 * SECOND)] == ["exit"]
    part = replace(HALF, fill=Fill(NOON + 9 * HOUR, 105.0, 105.0))
    matched = match([replace(REPLAY, parts=(part,))], [replace(REPLAY, parts=(HALF,))], HOUR)
    assert [fill.kind for fill in matched.fills()] == ["entry", "exit"]
    assert [each.what for each in fill_differences(matched, 60 * SECOND)] == ["parts"]


def test_an_order_before_the_replays_is_named_and_not_in_time() -> None:
    mine = bot(Fill(NOON - 2 * HOUR, 100.0, 100.0))
    matched = match([mine], [REPLAY], HOUR)
    assert [fill.in_time(60 * SECOND) for fill in matched.fills()] == [False, True]
    (found,) = fill_differences(matched, 60 * SECOND)
    assert (found.what, found.bot) == ("early entry", "7200 s before, +0.0 bps")


def test_slippage_far_above_the_models_alarms_and_as_modelled_does_not() -> None:
    modelled = [4.0, 5.0, 6.0, 5.0, 4.5, 5.5, 5.0, 6.5, 3.5, 5.0]
    assert slippage_alarm(modelled * 3, modelled * 3).at is None
    worse = slippage_alarm([each + 15 for each in modelled], modelled)
    assert worse.at is not None
    assert worse.sequential == "shifted"


def test_better_results_never_alarm() -> None:
    reference = [1.0, -1.0, 2.0, -0.5, 0.3, 3.0, -1.0]
    assert result_alarm([each + 5 for each in reference], reference).at is None
    assert result_alarm([-9.0] * 7, reference).at is not None


def test_too_few_are_not_judged() -> None:
    assert not slippage_alarm([50.0], [5.0]).judged
    assert not result_alarm([], []).judged


def test_parts_that_both_sold_are_compared_as_fills_and_the_rest_is_what_is_left() -> None:
    """Half at 105 and half at 110; the bot got 104 for the first half."""
    replay = replace(REPLAY, parts=(HALF,))
    got = replace(HALF, fill=Fill(NOON + 2 * HOUR, 105.0, 104.0))
    mine = replace(bot(Fill(NOON, 100.0, 100.0)), parts=(got,))
    matched = match([mine], [replay], HOUR)
    assert [fill.amount for fill in matched.fills()] == [10.0, 5.0, 5.0]
    lost = 5.0 * (105.0 - 104.0) + 5.0 * (110.0 - 109.9)
    assert matched.shortfall().execution * 1000 / 10_000 == pytest.approx(lost)


def test_a_part_that_one_side_did_not_sell_is_a_difference() -> None:
    replay = replace(REPLAY, parts=(HALF,))
    found = list(fill_differences(match([REPLAY], [replay], HOUR), timedelta(seconds=60)))
    assert [(each.what, each.bot, each.replay) for each in found] == [
        ("parts", "none", "target 05-01 14:00")
    ]
    assert not list(fill_differences(match([replay], [replay], HOUR), timedelta(seconds=60)))
