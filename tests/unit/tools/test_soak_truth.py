"""What a soak run says is worked out from the exchange's orders, and each zero can be other."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.orders import Order
from tests.exchange import SYMBOL, Desk, Row, table
from tools import soak_truth
from tools.soak_plan import kill_moments
from tools.soak_report import is_stale
from tools.soak_strategy import is_signal
from tools.soak_truth import Books

STILL: Row = (100, 100, 100, 100, 6000)
FALLING: Row = (100, 100, 90, 90, 6000)


@pytest.fixture
def desk() -> Desk:
    return Desk(table([STILL] * 4 + [FALLING] + [(90, 90, 90, 90, 6000)] * 4))


def found(desk: Desk) -> list[soak_truth.Position]:
    end_ms = desk.exchange.market.clock.now_ms()
    return soak_truth.positions(SYMBOL, desk.exchange.orders, end_ms)


def books(*orders: Order, coins: int = 0) -> Books:
    """A database that knows the orders as they are."""
    filled = {str(order.id): order.executed for order in orders}
    opened = frozenset(str(order.id) for order in orders if order.is_open)
    return Books(filled, opened, {"AAA": coins})


def test_a_position_goes_from_flat_to_flat_and_its_loss_has_the_fees(desk: Desk) -> None:
    desk.place("BUY", 2)
    desk.go_to(5)
    desk.place("SELL", 1.998)
    (position,) = found(desk)
    assert position.closed_ms is not None
    assert position.loss == pytest.approx(2 * 100 * 0.002, abs=0.1)
    assert position.uncovered_s == 300


def test_two_positions_in_a_row_are_two(desk: Desk) -> None:
    for minute in (0, 5):
        desk.go_to(minute)
        desk.place("BUY", 2)
        desk.go_to(minute + 2)
        desk.place("SELL", 1.998)
    assert len(found(desk)) == 2


def test_what_is_bought_at_the_moment_of_a_sale_is_another_position(desk: Desk) -> None:
    desk.place("BUY", 2)
    desk.go_to(5)
    desk.place("SELL", 1.998)
    desk.place("BUY", 2)
    first, second = found(desk)
    assert first.closed_ms == second.opened_ms
    assert [first.is_bought_twice, second.is_bought_twice] == [False, False]


def test_a_stop_covers_from_when_it_is_accepted(desk: Desk) -> None:
    desk.place("BUY", 2)
    desk.go_to(1)
    desk.place("SELL", 1.998, 80, stop=95)
    desk.go_to(10)
    assert found(desk)[0].spells == [(found(desk)[0].opened_ms, found(desk)[0].opened_ms + 60_000)]


def test_a_stop_for_a_part_covers_nothing(desk: Desk) -> None:
    desk.place("BUY", 2)
    desk.place("SELL", 1, 80, stop=95)
    desk.go_to(10)
    assert found(desk)[0].uncovered_s == 600


def test_a_stop_that_was_triggered_and_sold_nothing_covers_nothing_any_more(desk: Desk) -> None:
    desk.place("BUY", 2)
    desk.place("SELL", 1.998, 94.9, stop=95)
    desk.exchange.hooks.fillable = lambda order, amount, time_ms: 0  # type: ignore[method-assign]
    desk.go_to(40)
    (position,) = found(desk)
    (spell,) = position.spells
    assert 20 * 60_000 < spell[0] - position.opened_ms < 25 * 60_000
    assert spell[1] == desk.clock.now_ms()


def test_what_was_bought_by_two_orders_is_bought_twice(desk: Desk) -> None:
    desk.place("BUY", 2)
    assert not found(desk)[0].is_bought_twice
    desk.place("BUY", 2)
    assert found(desk)[0].is_bought_twice


def test_an_order_that_replaces_the_rest_of_another_buys_nothing_twice(desk: Desk) -> None:
    first = desk.place("BUY", 2, 99)
    desk.exchange.fill(first, first.price, first.amount // 2, desk.clock.now_ms(), maker=True)
    desk.exchange.cancel(first)
    desk.place("BUY", 1)
    assert not found(desk)[0].is_bought_twice
    assert soak_truth.bought_at_once(desk.exchange.orders) == []


def test_two_open_orders_of_a_pair_are_one_too_many(desk: Desk) -> None:
    desk.place("BUY", 1, 99)
    desk.go_to(1)
    second = desk.place("BUY", 1, 99)
    assert soak_truth.bought_at_once(desk.exchange.orders) == [second]


def test_losses_are_measured_by_the_account_as_it_was(desk: Desk) -> None:
    desk.place("BUY", 2)
    desk.go_to(40)
    desk.place("SELL", 1.998)
    (loss,) = soak_truth.over_budget(found(desk), 10_000, 0.5)
    assert loss == pytest.approx(found(desk)[0].loss / 50)
    assert 0.3 < loss < 0.6


def test_an_order_that_traded_and_is_in_no_database_is_lost(desk: Desk) -> None:
    order = desk.place("BUY", 2)
    assert soak_truth.lost_orders([order], books()) == [order]
    assert soak_truth.lost_orders([order], books(order)) == []
    assert soak_truth.difference([order], books()) == pytest.approx(200, abs=1)
    assert soak_truth.difference([order], books(order)) == 0


def test_an_order_that_is_open_and_closed_in_the_database_is_lost(desk: Desk) -> None:
    order = desk.place("BUY", 2, 90)
    assert soak_truth.lost_orders([order], books(order)) == []
    closed = Books({str(order.id): 0}, frozenset(), {})
    assert soak_truth.lost_orders([order], closed) == [order]


def test_time_in_which_the_bot_was_dead_is_told_apart(desk: Desk) -> None:
    desk.place("BUY", 2)
    desk.go_to(10)
    (position,) = found(desk)
    start = position.opened_ms
    assert position.uncovered_s == 600
    assert position.uncovered_while([(start + 60_000, start + 360_000)]) == 300


def test_an_order_that_neither_traded_nor_is_open_is_nobodys_loss(desk: Desk) -> None:
    order = desk.place("BUY", 2, 90)
    assert soak_truth.lost_orders([order], books()) == [order]
    desk.exchange.cancel(order)
    assert soak_truth.lost_orders([order], books()) == []


@pytest.mark.parametrize(("coins", "unknown"), [(0, True), (199_800_000, False), (3 * 10**8, True)])
def test_coins_that_the_database_does_not_know_or_does_not_have_are_unknown(
    coins: int, unknown: bool, desk: Desk
) -> None:
    desk.place("BUY", 2)
    assert bool(soak_truth.unknown_coins(desk.exchange, books(coins=coins))) is unknown


def test_calm_is_when_all_is_known_and_covered(desk: Desk) -> None:
    bought = desk.place("BUY", 2)
    held = books(bought, coins=199_800_000)
    assert not soak_truth.is_calm(desk.exchange, held)
    stop = desk.place("SELL", 1.998, 80, stop=95)
    assert not soak_truth.is_calm(desk.exchange, held)
    known = books(bought, stop, coins=199_800_000)
    assert soak_truth.is_calm(desk.exchange, known)
    # The bot has raised its stop, and the exchange does not know yet.
    assert not soak_truth.is_calm(desk.exchange, replace(known, stops={"AAA": 96}))


def test_the_books_are_read_from_freqtrades_database(tmp_path: Path) -> None:
    path = tmp_path / "trades.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("create table orders (order_id text, filled real, ft_is_open int)")
        database.execute(
            "create table trades (base_currency text, amount real, is_open int, stop_loss real)"
        )
        database.executemany("insert into orders values (?, ?, ?)", [("1", 0.3, 0), ("2", None, 1)])
        database.executemany(
            "insert into trades values (?, ?, ?, ?)",
            [("AAA", 0.1, 1, 95), ("AAA", 0.2, 1, 97), ("B", 9, 0, 1)],
        )
    database.close()
    read = soak_truth.read_books(path)
    assert read.filled == {"1": 30_000_000, "2": 0}
    assert read.open_orders == {"2"}
    assert read.coins == {"AAA": 30_000_000}
    assert read.stops == {"AAA": 97}


@pytest.mark.parametrize(
    ("candles_after", "delay_s", "stale"),
    [(1, 1, False), (1, 123, False), (1, 124, True), (2, 1, True)],
)
def test_an_entry_is_stale_by_the_clock_alone(
    candles_after: int, delay_s: int, stale: bool, desk: Desk
) -> None:
    order = desk.place("BUY", 2)
    signal = next(s for s in range(0, 10 * 3600, 3600) if is_signal(s))
    order.time_ms = 1000 * (signal + candles_after * 3600 + delay_s)
    assert is_stale(order, [order], 3600) is stale


def test_kills_are_spread_over_the_whole_time() -> None:
    import random

    moments = kill_moments(random.Random(1), 4, 0, 400)
    assert [moment // 100 for moment in moments] == [0, 1, 2, 3]
