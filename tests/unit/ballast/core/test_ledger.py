"""Equity is capital, results and marks; what comes or goes is neither profit nor loss."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ballast.config.guards import GuardSettings
from ballast.core.beginnings import Beginnings
from ballast.core.guard_set import GuardSet
from ballast.core.ledger import Books, Cause, Ledger, LedgerMemory
from ballast.core.snapshot import Snapshot
from tests.unit.ballast.core.made import moment, restarted

OF_MONEY = ("DailyLossLimit", "WeeklyLossLimit", "DrawdownLadder")


def guards() -> GuardSet:
    built = GuardSettings().build(60)
    return GuardSet({name: built[name] for name in OF_MONEY})


class Account:
    """An account whose guards look at it candle by candle, as the engine has it."""

    def __init__(self, capital: float = 10_000.0) -> None:
        self.ledger = Ledger(capital)
        self.guards = guards()
        self.closed, self.hours, self.number = 0.0, 0.0, 0
        self.opened: dict[int, float] = {}

    @property
    def equity(self) -> float:
        return self.ledger.capital + Books(self.closed, self.opened).results

    def candle(self, hours: float = 1.0, closed_now: dict[int, float] | None = None) -> list[str]:
        """Look at a candle; what each guard says of it."""
        self.hours += hours
        for flow in self.ledger.take(Books(self.closed, self.opened), closed_now or {}):
            self.guards.flowed(flow.factor)
        self.guards.observe(Snapshot(moment(self.hours), self.equity))
        return self.verdicts()

    def verdicts(self) -> list[str]:
        return [f"{name} {v} {v.multiplier}" for name, v in self.guards.standing().items()]

    def close(self, percent: float, hours: float = 1.0) -> list[str]:
        """A trade closes with a result in percent of equity; the candle after it."""
        result = self.equity * percent / 100
        self.closed += result
        self.number += 1
        return self.candle(hours, {self.number: result})

    def pay_in(self, amount: float) -> None:
        self.ledger.arrive(amount, Cause.CASH)

    def restart(self) -> None:
        memory = self.ledger.memory.model_dump_json()
        self.ledger = Ledger()
        self.ledger.memory = LedgerMemory.model_validate_json(memory)
        before, self.guards = self.guards, guards()
        for name, guard in self.guards.guards.items():
            restarted(before.guards[name], guard)
        kept = before.beginnings.model_dump_json()
        self.guards.beginnings = Beginnings.model_validate_json(kept)


def blocks(said: Sequence[str]) -> list[str]:
    return [line.split()[1] for line in said if line.endswith(" 0.0")]


def test_a_withdrawal_of_what_was_not_lost_blocks_nothing() -> None:
    account = Account()
    account.candle()
    account.pay_in(-500)
    said = account.candle()
    assert all(line.endswith(" 1.0") for line in said)
    assert account.equity == 9_500


def test_a_deposit_makes_no_loss_good() -> None:
    """8 % are lost: the smallest size stays, deposit or not."""
    account, without = Account(), Account()
    for one in (account, without):
        one.candle()
        one.close(-8.0)
    account.pay_in(1_000)
    assert account.candle() == without.candle()
    assert "DRAWDOWN began at 8 % (limit 8 %)" in " ".join(account.verdicts())


def test_a_loss_after_a_deposit_is_the_same_loss() -> None:
    """6 % of an account that was half as large in the morning."""
    account, without = Account(), Account()
    for one in (account, without):
        one.candle()
    account.pay_in(5_000)
    account.candle()
    without.candle()
    assert account.close(-6.0) == without.close(-6.0)
    assert {"DAILY_LOSS", "WEEKLY_LOSS"} <= set(blocks(account.verdicts()))


CANDLES = st.lists(
    st.tuples(
        # Hours since the last candle, change of equity in percent, money in or out in percent of
        # equity, and whether the bot is restarted.
        st.sampled_from([1, 1, 1, 5, 23, 24, 100, 168]),
        st.sampled_from([0.0, 0.3, -0.4, -1.0, -1.5, -2.0, -3.0, 2.5, 6.0]),
        st.sampled_from([0.0, 0.0, 5.0, -5.0, 150.0, -90.0]),
        st.booleans(),
    ),
    max_size=25,
)


@settings(max_examples=300, deadline=None)
@given(CANDLES)
def test_flows_and_restarts_never_change_a_guards_verdict(
    candles: list[tuple[float, float, float, bool]],
) -> None:
    account, without = Account(), Account()
    account.candle()
    without.candle()
    for hours, change, flow, restart in candles:
        account.pay_in(account.equity * flow / 100)
        if restart:
            # What has arrived and was not taken is found again.
            account.candle(0)
            account.restart()
        assert account.close(change, hours) == without.close(change, hours)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(-2_000, 30_000), min_size=1, max_size=8), st.floats(-5, 5))
def test_flows_that_cancel_out_leave_everything_as_it_was(
    amounts: list[float], change: float
) -> None:
    account = Account()
    account.candle()
    account.close(change)
    before = [guard.memory.model_dump() for guard in account.guards.guards.values()]
    for amount in (*amounts, -sum(amounts)):
        account.pay_in(amount)
        account.candle(0)
    after = [guard.memory.model_dump() for guard in account.guards.guards.values()]
    for one, other in zip(before, after, strict=True):
        assert other == pytest.approx(one, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("left", [0.0, -100.0])
def test_an_account_that_is_emptied_and_filled_again_remembers_its_drawdown(left: float) -> None:
    account = Account()
    account.candle()
    account.close(-8.0)
    said = account.verdicts()
    account.pay_in(left - account.equity)
    assert set(blocks(account.candle())) == {"DAILY_LOSS", "WEEKLY_LOSS", "DRAWDOWN"}
    account.restart()
    account.pay_in(5_000 - left)
    assert account.candle() == said
    assert account.equity == pytest.approx(5_000)


FILLS = st.lists(st.tuples(st.floats(-300, 300), st.integers(1, 3)), min_size=1, max_size=8)


class Notice(NamedTuple):
    """A part of a trade's exit, as the bot hears of it; the last one closes the trade."""

    trade: int
    result: float
    last: bool


def equity_after(notices: Sequence[Notice], each: Callable[[Account], None]) -> Account:
    account = Account()
    totals: dict[int, float] = {}
    for notice in notices:
        totals[notice.trade] = totals.get(notice.trade, 0.0) + notice.result
    account.opened = dict.fromkeys(totals, 0.0)
    account.candle(0)
    for notice in notices:
        account.opened[notice.trade] += notice.result
        closed_now = {}
        if notice.last:
            closed_now[notice.trade] = account.opened.pop(notice.trade)
            account.closed += closed_now[notice.trade]
        each(account)
        account.candle(0, closed_now)
    return account


@settings(max_examples=200, deadline=None)
@given(FILLS, st.randoms(use_true_random=False), st.integers(0, 8))
def test_splitting_exits_reordering_them_and_restarting_change_no_capital_and_no_equity(
    trades: list[tuple[float, int]], random: object, at: int
) -> None:
    parts = [
        Notice(number, result / count, last=part == count - 1)
        for number, (result, count) in enumerate(trades, 1)
        for part in range(count)
    ]
    whole = [Notice(number, result, last=True) for number, (result, _) in enumerate(trades, 1)]
    mixed = list(whole)
    random.shuffle(mixed)  # type: ignore[attr-defined]

    def restart(account: Account) -> None:
        if int(account.hours) == 0 and len(account.opened) == at:
            account.restart()

    for notices in (parts, whole, mixed):
        account = equity_after(notices, restart)
        assert account.ledger.capital == 10_000
        assert account.equity == pytest.approx(10_000 + sum(result for result, _ in trades))


def test_a_closed_trade_that_is_deleted_makes_no_loss_good() -> None:
    account = Account()
    account.candle()
    account.close(-8.0)
    said = account.verdicts()
    account.closed = 0.0
    (flow,) = account.ledger.take(Books(0.0), {})
    assert (flow.cause, flow.amount) == (Cause.TRADES, pytest.approx(800.0))
    account.guards.flowed(flow.factor)
    assert account.candle() == said


def test_an_open_trade_that_vanishes_takes_its_loss_with_it() -> None:
    account = Account()
    account.opened = {7: -800.0, 8: 0.0}
    said = account.candle()
    account.opened = {}
    (flow,) = account.ledger.take(Books(0.0), {})
    assert (flow.cause, flow.amount) == (Cause.TRADES, 800.0)
    account.guards.flowed(flow.factor)
    assert account.candle() == said


def test_a_trade_that_closes_or_an_unfilled_entry_that_is_cancelled_is_no_flow() -> None:
    ledger = Ledger(10_000.0)
    ledger.take(Books(50.0, {7: -20.0, 8: 0.0}), {})
    assert ledger.take(Books(20.0, {}), {7: -30.0}) == []


def test_a_capital_that_is_not_known_is_no_equity() -> None:
    assert math.isnan(Ledger().capital)


def test_a_withdrawal_alone_draws_no_stop_closer_until_what_is_held_fits_again() -> None:
    ledger = Ledger(10_000.0)
    ledger.arrive(-8_800.0, Cause.CASH)
    ledger.take(Books(0.0), {})
    assert ledger.heat_base(1_200.0, fits=False) == 10_000.0
    ledger.arrive(8_000.0, Cause.CASH)
    ledger.take(Books(0.0), {})
    assert ledger.heat_base(9_200.0, fits=False) == 10_000.0
    assert ledger.heat_base(9_200.0, fits=True) == 9_200.0
    assert ledger.heat_base(9_200.0, fits=False) == 9_200.0
