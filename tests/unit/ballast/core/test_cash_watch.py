"""A flow is what own orders do not explain, twice; orders and balances that are late are none."""

from __future__ import annotations

import dataclasses
import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ballast.core.cash_watch import APART, CashReading, CashWatch
from tests.unit.ballast.core.made import moment

EQUITY = 10_000.0
MINUTE = timedelta(minutes=1)


def reading(minute: float, cash: float = 10_000.0, **changed: object) -> CashReading:
    at = moment(0) + minute * MINUTE
    usual = CashReading(at, cash, own=0.0, fees=0.0, orders=0, certain=True)
    return dataclasses.replace(usual, **changed)  # type: ignore[arg-type]


def seen(*readings: CashReading, base: float = 10_000.0) -> list[float]:
    watch = CashWatch(base)
    return [watch.see(one, EQUITY) for one in readings]


def test_a_withdrawal_is_a_flow_at_the_second_reading() -> None:
    assert seen(reading(0), reading(10, 9_500), reading(20, 9_500)) == [0.0, 0.0, -500.0]


def test_what_has_settled_is_not_told_again() -> None:
    again = seen(reading(0, 9_500), reading(10, 9_500), reading(20, 9_500), reading(30, 9_500))
    assert again == [0.0, -500.0, 0.0, 0.0]


def test_what_comes_between_two_readings_waits_for_a_third() -> None:
    told = seen(reading(0, 9_500), reading(10, 9_000), reading(20, 9_000), reading(30, 9_000))
    assert told == [0.0, -500.0, 0.0, -500.0]


def test_what_is_there_again_was_no_flow() -> None:
    """8,800 out and back between two readings."""
    assert seen(reading(0, 1_200), reading(10), reading(20)) == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("late", [8_000.0, 12_000.0])
def test_a_balance_that_is_late_for_an_order_is_no_flow(late: float) -> None:
    """One order, of which the balance tells some seconds late, or which the bot notices late."""
    told = seen(
        reading(0),
        reading(10, late),
        reading(10.2, late),
        reading(11, orders=1, own=2_000.0, cash=12_000.0),
        reading(20, orders=1, own=2_000.0, cash=12_000.0),
    )
    assert told == [0.0] * 5


def test_an_order_between_two_readings_makes_the_second_the_first() -> None:
    told = seen(
        reading(0, 9_500),
        reading(10, 8_500, own=-1_000.0, orders=1),
        reading(20, 8_500, own=-1_000.0, orders=1),
    )
    assert told == [0.0, 0.0, -500.0]


def test_nothing_is_a_flow_while_it_is_not_known_what_became_of_an_order() -> None:
    unknown = [reading(minute, 8_000, certain=False) for minute in (0, 10, 20)]
    assert seen(*unknown, reading(30, 8_000), reading(40, 8_000)) == [0.0] * 4 + [-2_000.0]
    assert seen(reading(0, 8_000), *unknown[1:]) == [0.0] * 3


def test_two_readings_must_be_apart() -> None:
    close = APART / MINUTE * 0.9
    assert seen(reading(0, 9_500), reading(close, 9_500)) == [0.0, 0.0]
    assert seen(reading(0, 9_500), reading(close / 0.9, 9_500)) == [0.0, -500.0]


@pytest.mark.parametrize(("paid_in", "flow"), [(10.0, 0.0), (10.01, 10.01)])
def test_a_thousandth_of_equity_is_no_flow_yet(paid_in: float, flow: float) -> None:
    told = seen(reading(0, 10_000 + paid_in), reading(10, 10_000 + paid_in))
    assert told == [0.0, pytest.approx(flow)]


def test_small_flows_add_up_until_they_are_told() -> None:
    told = seen(*(reading(10 * n, 10_000 - 4 * n) for n in range(5)))
    assert told == [0.0, 0.0, 0.0, 0.0, pytest.approx(-12.0)]


def test_fees_whose_coin_is_not_known_are_no_flow() -> None:
    """Booked as 40 in quote currency, and paid in another coin: the cash is still there."""
    kept = [reading(10 * n, 10_040, fees=40.0, orders=2) for n in range(1, 4)]
    assert seen(reading(0), *kept) == [0.0] * 4


@pytest.mark.parametrize("equity", [math.nan, math.inf])
def test_an_equity_that_is_not_known_lets_nothing_be_a_flow(equity: float) -> None:
    watch = CashWatch(10_000.0)
    assert [watch.see(reading(10 * n, 9_000), equity) for n in range(3)] == [0.0] * 3


PARTS = st.lists(st.tuples(st.floats(-3_000, 3_000), st.integers(1, 4)), min_size=1, max_size=6)


@given(PARTS, st.randoms(use_true_random=False))
def test_splitting_a_fill_and_reordering_its_notices_change_nothing(
    orders: list[tuple[float, int]], random: object
) -> None:
    """
    Each order fills in some parts, all at once on the exchange; the bot hears of the parts in any
    order, one at a time, and the balances are read every time.
    """
    parts = [change / count for change, count in orders for _ in range(count)]
    random.shuffle(parts)  # type: ignore[attr-defined]
    cash = 10_000.0 + sum(parts)
    watch, own, flows = CashWatch(10_000.0), 0.0, 0.0
    for number, part in enumerate(parts, 1):
        own += part
        flows += watch.see(reading(number, cash, own=own, orders=number), EQUITY)
    for number in range(len(parts) + 1, len(parts) + 4):
        flows += watch.see(reading(number, cash, own=own, orders=len(parts)), EQUITY)
    assert flows == 0.0
    assert watch.base == 10_000.0
