"""One fault after the other, in live trading: what Ballast makes of it, and what Freqtrade alone.

The tests named 'plain Freqtrade' are the recorded runs of what goes wrong without Ballast, on the
same signals and the same faults; where there is none, Freqtrade itself is not at fault.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.orders import Status
from tests.behaviour.faulty import ENTRY, Plain, faulty_run
from tests.behaviour.mini import Story, at, quiet, signal

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
# A position of Ballast's is without its stop for no longer than this: some loops of five seconds.
BARE_S = 75.0
# The signal's candle ends 30 s after the bot has started, and its faults.
FROM_SIGNAL = {"after_s": 25}
UNTIL_LATE = {**FROM_SIGNAL, "lasts_s": 180}
LOST: dict[str, Any] = {"kind": "answer_lost", "times": 1}
STUCK: dict[str, Any] = {"kind": "order_stuck"}


def test_without_a_fault_a_signal_is_bought_once_and_protected(tmp_path: Path) -> None:
    with faulty_run(tmp_path) as bot:
        bot.until(at(3) + MINUTE)
        assert bot.is_bought_once
        assert bot.books_agree


def test_plain_freqtrade_does_the_same_without_a_fault(tmp_path: Path) -> None:
    with faulty_run(tmp_path, strategy=Plain) as bot:
        bot.until(at(3) + MINUTE)
        assert bot.is_bought_once
        assert bot.books_agree


# Refused, late and lost answers


@pytest.mark.parametrize("kind", ["rate_limited", "server_error"])
def test_a_refused_entry_is_tried_again_after_longer_and_longer_pauses(
    kind: str, tmp_path: Path
) -> None:
    with faulty_run(tmp_path, {"kind": kind, "endpoint": ENTRY}) as bot:
        bot.until(at(3) + 5 * MINUTE)
        assert bot.buys == []
        assert 1 <= bot.attempts <= 3


@pytest.mark.parametrize("kind", ["rate_limited", "server_error"])
def test_plain_freqtrade_goes_on_trying_a_refused_entry(kind: str, tmp_path: Path) -> None:
    with faulty_run(tmp_path, {"kind": kind, "endpoint": ENTRY}, strategy=Plain) as bot:
        bot.until(at(3) + 3 * MINUTE)
        assert bot.attempts >= 6


LATE: list[dict[str, Any]] = [
    {"kind": "banned", **UNTIL_LATE},
    {"kind": "down", **UNTIL_LATE},
    {"kind": "server_error", **UNTIL_LATE},
    {"kind": "slow", "endpoint": "GET /api/v3/depth", "delay_s": 150, "times": 1},
    {"kind": "clock_skew", **UNTIL_LATE},
]


@pytest.mark.parametrize("fault", LATE, ids=lambda fault: fault["kind"])
def test_a_signal_that_has_grown_old_meanwhile_is_not_bought(
    fault: dict[str, Any], tmp_path: Path
) -> None:
    with faulty_run(tmp_path, fault) as bot:
        bot.until(at(3) + 6 * MINUTE)
        assert bot.plan.counts[fault["kind"]]
        assert bot.buys == []


@pytest.mark.parametrize("fault", LATE, ids=lambda fault: fault["kind"])
def test_plain_freqtrade_buys_a_signal_that_has_grown_old(
    fault: dict[str, Any], tmp_path: Path
) -> None:
    with faulty_run(tmp_path, fault, strategy=Plain) as bot:
        bot.until(at(3) + 6 * MINUTE)
        assert bot.buys[0].time_ms / 1000 - at(3).timestamp() > 120


@pytest.mark.parametrize("status", [504, 0])
def test_an_entry_whose_answer_is_lost_is_not_sent_again(status: int, tmp_path: Path) -> None:
    with faulty_run(tmp_path, {**LOST, "status": status}) as bot:
        bot.until(at(3) + 3 * MINUTE)
        assert len(bot.buys) == 1
        assert bot.uncovered_s <= BARE_S


def test_plain_freqtrade_buys_again_when_the_answer_is_lost(tmp_path: Path) -> None:
    with faulty_run(tmp_path, LOST, strategy=Plain) as bot:
        bot.until(at(3) + 3 * MINUTE)
        assert [order.status for order in bot.buys] == [Status.FILLED] * 2
        assert bot.protected < 0.6 * bot.coins


def test_a_stop_whose_answer_is_lost_is_known_again(tmp_path: Path) -> None:
    with faulty_run(tmp_path) as bot:
        bot.bought()
        # The first was placed with the fill; it is taken away, and a new one is due.
        (stop,) = bot.run.exchange.open_orders()
        bot.run.exchange.cancel(stop)
        bot.suffer(**LOST)
        bot.until(at(3) + 5 * MINUTE)
        assert bot.plan.counts == {"answer_lost": 1}
        assert bot.coins < 0.01 or bot.is_bought_once
        assert bot.uncovered_s <= BARE_S
        assert bot.books_agree


def test_plain_freqtrade_can_neither_protect_nor_leave_after_a_stops_answer_is_lost(
    tmp_path: Path,
) -> None:
    with faulty_run(tmp_path, strategy=Plain) as bot:
        bot.bought()
        bot.suffer(**LOST)
        bot.until(at(3) + 5 * MINUTE)
        (trade,) = bot.run.trades
        assert trade.is_open
        assert not trade.has_open_sl_orders
        assert not bot.books_agree


def test_an_order_that_is_not_answered_at_all_is_bought_at_most_once(tmp_path: Path) -> None:
    fault = {"kind": "timeout", "endpoint": ENTRY, "hold_s": 0.01, "times": 1}
    with faulty_run(tmp_path, fault) as bot:
        bot.until(at(3) + 3 * MINUTE)
        assert len(bot.buys) <= 1
        assert not bot.buys or bot.is_bought_once
        assert bot.books_agree


def test_balances_that_come_late_change_nothing(tmp_path: Path) -> None:
    with faulty_run(tmp_path, {"kind": "balance_late", "late_s": 60}) as bot:
        bot.until(at(3) + 3 * MINUTE)
        assert bot.is_bought_once
        assert bot.books_agree


def test_an_hour_without_the_exchange_leaves_a_position_with_its_stop(tmp_path: Path) -> None:
    with faulty_run(tmp_path, loop_seconds=60) as bot:
        bot.until(at(3) + 2 * MINUTE)
        bot.suffer(kind="down", lasts_s=3600)
        bot.until(at(3) + 65 * MINUTE)
        assert bot.is_bought_once
        assert bot.uncovered_s <= BARE_S
        assert bot.books_agree


# Orders


def test_an_order_that_stays_new_is_cancelled(tmp_path: Path) -> None:
    with faulty_run(tmp_path, STUCK) as bot:
        bot.until(at(3) + 6 * MINUTE)
        assert {order.status for order in bot.buys} == {Status.CANCELED}
        assert bot.coins == 0
        assert bot.books_agree


PARTIAL = {"kind": "order_partial", "share": 0.4, "times": 1}


def test_what_a_partial_fill_has_bought_gets_its_stop_and_the_rest_is_cancelled(
    tmp_path: Path,
) -> None:
    with faulty_run(tmp_path, PARTIAL) as bot:
        bot.until(at(3) + 2 * MINUTE)
        assert bot.buys[0].status is Status.CANCELED
        assert bot.is_bought_once
        assert bot.uncovered_s <= BARE_S


def test_plain_freqtrade_leaves_a_partial_fill_without_a_stop(tmp_path: Path) -> None:
    with faulty_run(tmp_path, PARTIAL, strategy=Plain) as bot:
        bot.until(at(3) + 3 * MINUTE)
        assert bot.coins > 1
        assert bot.protected == 0


def test_an_entry_that_is_filled_while_it_is_cancelled_is_a_position_with_a_stop(
    tmp_path: Path,
) -> None:
    with faulty_run(tmp_path, STUCK, {"kind": "fill_in_cancel", "times": 1}) as bot:
        bot.until(at(3) + 6 * MINUTE)
        assert bot.buys[0].status is Status.FILLED
        assert bot.is_bought_once
        assert bot.uncovered_s <= BARE_S
        assert bot.books_agree


def test_an_entry_whose_cancellation_is_refused_is_cancelled_later(tmp_path: Path) -> None:
    with faulty_run(tmp_path, STUCK, {"kind": "cancel_refused", "times": 1}) as bot:
        bot.until(at(3) + 5 * MINUTE)
        assert bot.plan.counts["cancel_refused"] == 1
        assert {order.status for order in bot.buys} == {Status.CANCELED}
        assert bot.books_agree


# Bought at 101, and through the stop half an hour later.
FALLS: Story = [*quiet(2), signal(), (101, 101.2, 90, 95), *quiet(3, 95)]


def test_a_stop_that_is_jumped_over_is_followed_by_a_market_order(tmp_path: Path) -> None:
    with faulty_run(tmp_path, {"kind": "stop_jumped"}, story=FALLS, loop_seconds=20) as bot:
        bot.until(at(3) + 33 * MINUTE)
        assert bot.plan.counts["stop_jumped"]
        assert bot.coins < 0.01
        assert bot.uncovered_s <= BARE_S


def test_plain_freqtrade_holds_on_after_its_stop_was_jumped_over(tmp_path: Path) -> None:
    jumped = {"kind": "stop_jumped"}
    with faulty_run(tmp_path, jumped, strategy=Plain, story=FALLS, loop_seconds=20) as bot:
        bot.until(at(3) + 33 * MINUTE)
        assert bot.coins > 1
        assert bot.uncovered_s > 120


def test_a_stop_that_is_refused_does_not_leave_a_position_bare(tmp_path: Path) -> None:
    with faulty_run(tmp_path, {"kind": "stop_rejected", "times": 1}) as bot:
        bot.until(at(3) + 3 * MINUTE)
        assert bot.plan.counts == {"stop_rejected": 1}
        assert bot.uncovered_s <= BARE_S


# Candles


NO_SIGNAL = quiet(8)
# Row 1 is a signal and row 2 is not: who takes row 1 for the newest is an hour late.
OLD: Story = [*quiet(1), signal(), *quiet(6)]
# Ends where it began, after it has been high: unfinished, it looks like a signal.
UNDECIDED: Story = [*quiet(2), (100.1, 101.9, 99.9, 100.0), *quiet(5)]
SPOILED: list[tuple[dict[str, Any], Story]] = [
    ({"kind": "candle_missing", "late_s": 900}, OLD),
    ({"kind": "candles_frozen", "from": (at(2) + 30 * MINUTE).isoformat()}, OLD),
    ({"kind": "bad_tick", "ratio": 1.3}, NO_SIGNAL),
    ({"kind": "candle_unfinished", "early_s": 2400, "late_s": 60}, UNDECIDED),
]


@pytest.mark.parametrize(("fault", "story"), SPOILED, ids=[f["kind"] for f, _ in SPOILED])
def test_a_spoiled_candle_is_not_bought(
    fault: dict[str, Any], story: Story, tmp_path: Path
) -> None:
    with faulty_run(tmp_path, fault, story=story, begin=at(3) + SECOND) as bot:
        bot.until(at(3) + MINUTE)
        assert bot.plan.counts[fault["kind"]]
        assert bot.buys == []


@pytest.mark.parametrize(("fault", "story"), SPOILED, ids=[f["kind"] for f, _ in SPOILED])
def test_plain_freqtrade_buys_a_spoiled_candle(
    fault: dict[str, Any], story: Story, tmp_path: Path
) -> None:
    begin = at(3) + SECOND
    with faulty_run(tmp_path, fault, strategy=Plain, story=story, begin=begin) as bot:
        bot.until(at(3) + MINUTE)
        assert len(bot.buys) == 1


def test_candles_out_of_order_are_put_right(tmp_path: Path) -> None:
    with faulty_run(tmp_path, {"kind": "candles_disordered"}) as bot:
        bot.until(at(3) + MINUTE)
        assert bot.plan.counts["candles_disordered"]
        assert bot.is_bought_once


# Delisting


def test_a_delisted_pair_is_tried_a_few_times_and_left_alone(tmp_path: Path) -> None:
    with faulty_run(tmp_path, {"kind": "delisting", **FROM_SIGNAL}) as bot:
        bot.until(at(3) + 5 * MINUTE)
        assert bot.buys == []
        assert bot.attempts <= 3
