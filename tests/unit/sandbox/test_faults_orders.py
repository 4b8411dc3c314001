"""Orders fail as a plan says, and value is conserved whatever happens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.errors import ApiError
from sandbox.faults import Fault
from sandbox.faults_orders import OrderFaults
from sandbox.faults_plan import FaultPlan
from sandbox.orders import Status
from sandbox.units import from_float
from tests.exchange import Desk, Row, table

STILL: Row = (100, 100, 100, 100, 600)
FALLING: Row = (100, 100, 90, 90, 600)


class Rehearsal:
    """A desk whose orders meet faults."""

    def __init__(self) -> None:
        self.desk = Desk(table([STILL, FALLING, *[(90, 91, 89, 90, 600)] * 4]), coins=10)
        self.plan = FaultPlan(self.desk.clock, 1)
        self.orders = OrderFaults(self.plan, self.desk.exchange)
        self.desk.exchange.hooks = self.orders

    def suffer(self, **fault: Any) -> None:
        self.plan.add(Fault.from_json(fault, "Fault"))


@pytest.fixture
def rehearsal() -> Iterator[Rehearsal]:
    made = Rehearsal()
    yield made
    assert made.desk.exchange.audit() == []


def test_a_stuck_order_stays_new_though_the_price_goes_through_it(rehearsal: Rehearsal) -> None:
    rehearsal.suffer(kind="order_stuck", times=1)
    stuck = rehearsal.desk.place("BUY", 1, 95)
    rehearsal.desk.go_to(12)
    assert stuck.status is Status.NEW
    rehearsal.plan.remove()
    rehearsal.desk.go_to(20)
    assert stuck.status is Status.NEW
    rehearsal.desk.exchange.cancel(stuck)
    assert stuck.status is Status.CANCELED


def test_an_order_without_a_limit_is_not_stuck(rehearsal: Rehearsal) -> None:
    rehearsal.suffer(kind="order_stuck")
    assert rehearsal.desk.place("BUY", 1).status is Status.FILLED


def test_a_partial_fill_is_followed_by_silence(rehearsal: Rehearsal) -> None:
    rehearsal.suffer(kind="order_partial", share=0.4)
    order = rehearsal.desk.place("BUY", 1, 101)
    rehearsal.desk.go_to(20)
    assert order.status is Status.PARTIALLY_FILLED
    assert order.executed == from_float(0.4)


def test_a_partly_filled_market_order_expires(rehearsal: Rehearsal) -> None:
    rehearsal.suffer(kind="order_partial", share=0.4)
    order = rehearsal.desk.place("SELL", 1)
    assert order.status is Status.EXPIRED
    assert order.executed == from_float(0.4)


def test_an_order_is_filled_while_it_is_cancelled(rehearsal: Rehearsal) -> None:
    rehearsal.suffer(kind="fill_in_cancel")
    order = rehearsal.desk.place("BUY", 1, 95)
    with pytest.raises(ApiError) as refusal:
        rehearsal.desk.exchange.cancel(order)
    assert refusal.value.code == -2011
    assert order.status is Status.FILLED


def test_a_stop_that_is_filled_while_it_is_cancelled_sells_at_its_trigger(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.suffer(kind="fill_in_cancel")
    stop = rehearsal.desk.place("SELL", 1, 89, stop=95)
    with pytest.raises(ApiError):
        rehearsal.desk.exchange.cancel(stop)
    assert stop.status is Status.FILLED
    assert stop.fills[0].price == from_float(95)


def test_a_refused_cancellation_leaves_the_order_open(rehearsal: Rehearsal) -> None:
    rehearsal.suffer(kind="cancel_refused", times=1)
    order = rehearsal.desk.place("BUY", 1, 95)
    with pytest.raises(ApiError) as refusal:
        rehearsal.desk.exchange.cancel(order)
    assert refusal.value.code == -2011
    assert order.is_open
    rehearsal.desk.exchange.cancel(order)
    assert order.status is Status.CANCELED


def test_a_jumped_stop_is_triggered_and_sells_nothing(rehearsal: Rehearsal) -> None:
    rehearsal.suffer(kind="stop_jumped")
    stop = rehearsal.desk.place("SELL", 1, 95, stop=96)
    rehearsal.desk.go_to(20)
    assert stop.status is Status.NEW
    assert stop.working_ms is not None
    assert not stop.executed


def test_a_stop_that_is_not_jumped_sells(rehearsal: Rehearsal) -> None:
    stop = rehearsal.desk.place("SELL", 1, 85, stop=96)
    rehearsal.desk.go_to(20)
    assert stop.status is Status.FILLED


def test_a_stop_is_rejected_and_other_orders_are_not(rehearsal: Rehearsal) -> None:
    rehearsal.suffer(kind="stop_rejected")
    with pytest.raises(ApiError, match="Stop price would trigger immediately"):
        rehearsal.desk.place("SELL", 1, 89, stop=90)
    assert rehearsal.desk.place("SELL", 1, 105).is_open


def test_a_delisted_pair_takes_no_orders_and_loses_its_open_ones(rehearsal: Rehearsal) -> None:
    rehearsal.suffer(kind="delisting", pair="AAA/USDT", after_s=360)
    resting = rehearsal.desk.place("BUY", 1, 95)
    rehearsal.desk.go_to(7)
    rehearsal.orders.close_delisted()
    assert resting.status is Status.CANCELED
    with pytest.raises(ApiError, match="Market is closed"):
        rehearsal.desk.place("BUY", 1, 95)
