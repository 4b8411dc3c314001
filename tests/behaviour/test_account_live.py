"""The account is the bot's own: what comes and goes on the exchange is neither profit nor loss."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from freqtrade.persistence import Order, PairLocks, Trade
from freqtrade.rpc import RPC

from ballast.core.events import EventKind
from ballast.risk.flows import Flows
from sandbox.candles import Candles
from sandbox.markets import Market
from sandbox.orders import Side
from sandbox.units import UNIT
from tests.behaviour.faulty import faulty_run
from tests.behaviour.live_story import BOUGHT, Told, hourly, story_run
from tests.behaviour.mini import Mini, Story, at, quiet, signal
from tests.exchange import PAIR, TableSource
from tests.live_run import live_run

NO_SIGNAL = quiet(12)
# Two candles, and the comparisons of the account within them.
TWO_CANDLES = 125
OF_MONEY = ("DailyLossLimit", "WeeklyLossLimit", "DrawdownLadder")
MINUTE: dict[str, Any] = {"loop_seconds": 60}


def pay_in(told: Told, amount: float) -> None:
    """A person's deposit; a withdrawal where it is negative."""
    account, now_ms = told.run.exchange.account, round(told.run.now.timestamp() * 1000)
    move = account.deposit if amount > 0 else account.withdraw
    move(now_ms, "USDT", round(abs(amount) * UNIT))


def lose(told: Told, amount: float, fee: float = 0.0, fee_in: str = "AAA") -> None:
    """
    A trade of 5,000 that has closed with a loss, on the exchange and in the database.

    Its fees (ratio) are paid in a coin that is not the quote currency: booked, and still in cash.
    """
    now = told.run.now
    number = Order.session.query(Order).count()
    rates = (100.0, 100.0 - amount / 50)
    trade = Trade(
        pair=PAIR,
        exchange="binance",
        base_currency="AAA",
        stake_currency="USDT",
        stake_amount=5_000.0,
        amount=50.0,
        open_rate=rates[0],
        close_rate=rates[1],
        fee_open=fee,
        fee_close=fee,
        fee_open_currency=fee_in,
        fee_close_currency=fee_in,
        open_date=now - timedelta(minutes=2),
        close_date=now - timedelta(minutes=1),
        is_open=False,
        close_profit=-amount / 5_000,
        close_profit_abs=-amount - fee * (10_000 - amount),
        enter_tag="",
    )
    for side, rate in zip(("buy", "sell"), rates, strict=True):
        number += 1
        order = Order(
            ft_order_side=side,
            ft_pair=PAIR,
            ft_is_open=False,
            ft_amount=50.0,
            ft_price=rate,
            order_id=f"made-{number}",
            status="closed",
            amount=50.0,
            filled=50.0,
            average=rate,
            cost=50 * rate,
            order_date=now - timedelta(minutes=1),
        )
        trade.orders.append(order)
    Trade.session.add(trade)
    Trade.commit()
    pay_in(told, -amount)


def sizes(told: Told) -> dict[str, float]:
    """Sizes that the guards of money allow, by name."""
    standing = told.run.bot.strategy.session.engine.guard_set.standing()
    return {name: standing[name].multiplier for name in OF_MONEY}


def equity(told: Told) -> float:
    return float(told.run.bot.strategy.session.engine.guard_set.snapshot.equity)


def flows(told: Told) -> list[float]:
    return [event.value for event in told.events if event.kind is EventKind.FLOW]


def test_a_withdrawal_of_what_was_not_lost_blocks_nothing_and_is_told_once(tmp_path: Path) -> None:
    with story_run(tmp_path, NO_SIGNAL, **MINUTE) as told:
        told.loops(3)
        pay_in(told, -500)
        told.run.minutes(TWO_CANDLES)
        assert flows(told) == [-500.0]
        assert equity(told) == 9_500.0
        assert set(sizes(told).values()) == {1.0}
        told.run.killed()
        told.run.started()
        told.listen()
        told.run.minutes(TWO_CANDLES)
        assert flows(told) == [-500.0]
        assert equity(told) == 9_500.0


def test_a_deposit_makes_no_loss_good(tmp_path: Path) -> None:
    with story_run(tmp_path, NO_SIGNAL, **MINUTE) as told:
        told.loops(3)
        lose(told, 800)
        told.run.minutes(60)
        assert equity(told) == 9_200.0
        lost = sizes(told)
        assert lost["DrawdownLadder"] == 0.11
        pay_in(told, 1_000)
        told.run.minutes(TWO_CANDLES)
        assert flows(told) == [1_000.0]
        assert equity(told) == 10_200.0
        assert sizes(told) == lost


def test_a_loss_of_an_account_that_has_just_been_paid_into_fires_its_limits(tmp_path: Path) -> None:
    with story_run(tmp_path, NO_SIGNAL, **MINUTE) as told:
        told.loops(3)
        pay_in(told, 5_000)
        told.run.minutes(TWO_CANDLES)
        assert equity(told) == 15_000.0
        lose(told, 900)
        told.run.minutes(60)
        assert equity(told) == 14_100.0
        assert sizes(told)["DailyLossLimit"] == sizes(told)["WeeklyLossLimit"] == 0.0


def test_money_that_is_missing_for_a_moment_caps_sizes_at_once_and_latches_nothing(
    tmp_path: Path,
) -> None:
    rarely = {"watch": {"reconcile_minutes": 120}}
    with story_run(tmp_path, NO_SIGNAL, ballast=rarely, **MINUTE) as told:
        told.run.minutes(58)
        pay_in(told, -8_800)
        bot = told.run.bot
        bot.wallets.update()
        engine = bot.strategy.session.engine
        assert engine.equity(told.run.now) == 1_200.0
        told.run.minutes(4)
        assert engine.guard_set.snapshot.now == at(4)
        assert equity(told) == 10_000.0
        pay_in(told, 8_800)
        bot.wallets.update()
        assert engine.equity(told.run.now) == 10_000.0
        told.run.minutes(TWO_CANDLES)
        assert flows(told) == []
        assert set(sizes(told).values()) == {1.0}


def test_money_out_and_back_draws_no_stop_closer(tmp_path: Path) -> None:
    """Of 10,000 only 1,200 are left for some hours, of which the heat of one trade is too much."""
    with story_run(tmp_path, [*BOUGHT, *quiet(5, 101)], **MINUTE) as told:
        told.loops(4)
        stop = told.trade.stop_loss
        pay_in(told, -8_800)
        told.run.minutes(TWO_CANDLES)
        assert flows(told) == [-8_800.0]
        assert told.trade.stop_loss == stop
        pay_in(told, 8_800)
        told.run.minutes(TWO_CANDLES)
        assert flows(told) == [-8_800.0, 8_800.0]
        assert told.trade.is_open
        assert told.trade.stop_loss == stop
        assert set(sizes(told).values()) == {1.0}


def test_balances_that_answer_late_at_an_entry_are_no_profit(tmp_path: Path) -> None:
    """Cash and coins of one purchase were both counted, until the balances were read again."""
    ballast = {"market": {"leader": PAIR}, "watch": {"reconcile_minutes": 120}}
    late = {"kind": "balance_late", "late_s": 8}
    with faulty_run(tmp_path, late, ballast=ballast, loop_seconds=5) as bot:
        bot.until(at(3) + timedelta(minutes=2))
        bot.run.clock.shift(55 * 60)
        bot.until(at(4) + timedelta(minutes=1))
        assert bot.is_bought_once
        engine = bot.run.bot.strategy.session.engine
        assert engine.guard_set.snapshot.now == at(4)
        assert engine.guard_set.snapshot.equity == pytest.approx(10_000, abs=10)
        assert engine.guard_set.guards["DrawdownLadder"].memory.peak <= 10_010


def test_a_stop_that_filled_while_the_machine_slept_is_no_profit(tmp_path: Path) -> None:
    fallen: Story = [*BOUGHT[:5], (101, 101.1, 94, 95), *quiet(5, 95)]
    with story_run(tmp_path, fallen, **MINUTE) as told:
        told.run.minutes(100)
        assert told.trade.has_open_sl_orders
        told.run.clock.move_to(told.run.now + timedelta(minutes=75))
        told.run.exchange.advance()
        assert told.coins < 0.01
        seen: list[float] = []
        for _ in range(5):
            told.run.loop()
            seen.append(equity(told))
        told.run.minutes(TWO_CANDLES)
        assert not told.trade.is_open
        assert max(seen) <= 10_010
        assert equity(told) == pytest.approx(10_000 + told.trade.close_profit_abs, abs=0.01)
        assert flows(told) == []
        assert sizes(told)["DrawdownLadder"] == 1.0


def test_own_trades_and_their_fees_leave_nothing_unexplained(tmp_path: Path) -> None:
    """To a millionth of what was traded; fees are taken in the coin and in quote currency."""
    story: Story = [*BOUGHT, *quiet(2, 101), signal(103), *quiet(8, 103)]
    with story_run(tmp_path, story, fee=0.004, **MINUTE) as told:
        told.run.minutes(30)
        told.leave()
        told.run.minutes(TWO_CANDLES)
        own: Flows = told.run.bot.strategy.session.engine._flows
        told.run.bot.wallets.update()
        assert len(told.run.trades) >= 1
        assert own.pending == pytest.approx(0.0, abs=1e-3)
        assert flows(told) == []


@pytest.mark.parametrize("fee_in", ["BNB", "AAA"])
def test_fees_that_never_leave_the_cash_are_own_costs_and_no_flow(
    fee_in: str, tmp_path: Path
) -> None:
    """Paid in BNB, or eaten into coins that were there before: 92 of 10,000 here."""
    with story_run(tmp_path, NO_SIGNAL, **MINUTE) as told:
        told.loops(3)
        lose(told, 800, fee=0.01, fee_in=fee_in)
        told.run.minutes(TWO_CANDLES)
        own: Flows = told.run.bot.strategy.session.engine._flows
        assert own.pending == pytest.approx(0.0, abs=1e-6)
        assert flows(told) == []
        assert equity(told) == pytest.approx(9_200 - 92)


def test_a_deleted_trade_is_a_flow_and_makes_no_loss_good(tmp_path: Path) -> None:
    with story_run(tmp_path, NO_SIGNAL, **MINUTE) as told:
        told.loops(3)
        lose(told, 800)
        told.run.minutes(60)
        lost = sizes(told)
        RPC(told.run.bot)._rpc_delete(told.trade.id)
        told.run.minutes(TWO_CANDLES)
        # It had never been: the loss is undone, and the cash that it cost is gone.
        assert sorted(flows(told)) == [pytest.approx(-800), pytest.approx(800)]
        assert equity(told) == 9_200.0
        assert sizes(told) == lost


def test_what_telegram_shows_is_what_holds(tmp_path: Path) -> None:
    """`/unlock` removes the lock of a guard and those of others: only the guard's comes back."""
    with story_run(tmp_path, NO_SIGNAL, **MINUTE) as told:
        told.loops(3)
        lose(told, 800)
        told.run.minutes(60)
        until = told.run.now + timedelta(hours=5)
        PairLocks.lock_pair("*", until, "by hand")
        rpc = RPC(told.run.bot)
        before = {lock["reason"] for lock in rpc._rpc_locks()["locks"]}
        assert any(reason.startswith("DAILY_LOSS") for reason in before)
        rpc._rpc_delete_lock(pair="*")
        assert rpc._rpc_locks()["locks"] == []
        told.loops(1)
        after = {lock["reason"] for lock in rpc._rpc_locks()["locks"]}
        assert "by hand" not in after
        assert any(
            reason.startswith("DAILY_LOSS") and "guards rearm DailyLossLimit" in reason
            for reason in after
        )
        assert sizes(told)["DailyLossLimit"] == 0.0
        told.loops(3)
        assert {lock["reason"] for lock in rpc._rpc_locks()["locks"]} == after


def force_entry(told: Told, stake: float | None = None) -> Any:
    return RPC(told.run.bot)._rpc_force_entry(PAIR, None, stake_amount=stake)


def test_a_forced_entry_with_a_stake_buys_no_more_than_that(tmp_path: Path) -> None:
    with story_run(tmp_path, NO_SIGNAL, force_entry_enable=True) as told:
        told.loops(3)
        trade = force_entry(told, 50.0)
        assert trade.stake_amount == pytest.approx(50, rel=0.01)


def test_a_forced_entry_without_one_is_sized_as_any_other(tmp_path: Path) -> None:
    with story_run(tmp_path, NO_SIGNAL, force_entry_enable=True) as told:
        told.loops(3)
        assert force_entry(told).stake_amount > 500


def test_the_fee_that_own_orders_were_charged_is_what_sizes_and_break_even_reckon_with(
    tmp_path: Path,
) -> None:
    with story_run(tmp_path, BOUGHT, fee=0.004) as told:
        session = told.run.bot.strategy.session
        assert session.sizer._costs_of(PAIR).round_trip == pytest.approx(2 * 0.0015)
        told.loops(4)
        assert told.trade.fee_open == pytest.approx(0.004)
        assert session.sizer._costs_of(PAIR).round_trip == pytest.approx(2 * 0.0045)
        (managed,) = session.stop_manager._managed.values()
        assert managed.plan.cost_ratio == pytest.approx(2 * 0.0045)


@dataclass(frozen=True)
class TwoMarkets:
    """The bot's pair, and one that is another bot's."""

    rows: TableSource
    other: Market

    def markets(self) -> tuple[Market, ...]:
        return (self.rows.market, self.other)

    def candles(self, pair: str) -> Candles:
        return self.rows.rows

    def labels(self) -> tuple[()]:
        return ()


@contextmanager
def beside_another(
    folder: Path, story: Story, pairs: tuple[str, ...] = (PAIR,), **settings: Any
) -> Iterator[Told]:
    """A bot of AAA, or of more pairs, on an account on which another trades BBB."""
    rows = hourly(story)
    source = TwoMarkets(rows, replace(rows.market, pair="BBB/USDT"))
    with live_run(
        Mini,
        source,
        folder,
        at(3) + timedelta(seconds=1),
        loop_seconds=60,
        stake_amount="unlimited",
        exchange={"pair_whitelist": list(pairs)},
        ballast={"market": {"leader": PAIR}, "watch": {"unknown": "close"}},
        **settings,
    ) as run:
        told = Told(run)
        told.listen()
        yield told


def other_bot(told: Told, side: Side, amount: float, price: float = 0.0) -> None:
    """An order of the other bot, by the same library as ours."""
    mark = f"x-TKT5PX2F{len(told.run.exchange.orders)}"
    told.by_hand(side, amount, mark=mark, symbol="BBBUSDT", price=price)


def test_two_bots_on_one_account_do_not_see_each_other(tmp_path: Path) -> None:
    """Each is given 4,000; the other buys, holds and has orders at work."""
    story: Story = [*quiet(5), signal(), *quiet(6, 101)]
    with beside_another(tmp_path, story, available_capital=4_000) as told:
        told.loops(2)
        other_bot(told, Side.BUY, 8.0)
        other_bot(told, Side.SELL, 3.0, price=150.0)
        other_bot(told, Side.BUY, 2.0, price=50.0)
        told.run.minutes(2 * TWO_CANDLES)
        assert flows(told) == []
        assert told.codes() == ["FOREIGN_HOLDING", "FOREIGN_ORDER", "FOREIGN_ORDER"]
        assert told.codes(EventKind.REFUSED) == []
        assert told.trade.is_open
        assert told.trade.stake_amount == pytest.approx(0.4 * 1_005, rel=0.02)
        assert equity(told) == pytest.approx(4_000, abs=5)
        assert set(sizes(told).values()) == {1.0}
        told.run.killed()
        told.run.started()
        told.listen()
        told.run.minutes(TWO_CANDLES)
        assert len(told.codes()) == 3


def test_what_another_bot_does_in_a_pair_of_ours_refuses_that_pair_alone(tmp_path: Path) -> None:
    """And is left alone, whatever `watch.unknown` says of what is unknown."""
    pairs = (PAIR, "BBB/USDT")
    with beside_another(tmp_path, NO_SIGNAL, pairs, available_capital=4_000) as told:
        told.loops(2)
        other_bot(told, Side.BUY, 8.0)
        other_bot(told, Side.BUY, 2.0, price=50.0)
        told.run.minutes(30)
        watch = told.run.bot.strategy.session.execution.watch
        assert watch.verdict("BBB/USDT", told.run.now).code in ("UNKNOWN_ORDER", "UNKNOWN_POSITION")
        assert not watch.verdict(PAIR, told.run.now).blocks
        # Quote currency that is locked says of no pair.
        assert sorted(told.codes()) == ["FOREIGN_ORDER", "UNKNOWN_ORDER", "UNKNOWN_POSITION"]
        assert len(told.run.exchange.open_orders("BBBUSDT")) == 1
        assert told.run.exchange.account.free("BBB") == round(7.992 * UNIT)


def test_without_a_capital_of_its_own_the_trades_of_another_bot_are_flows(tmp_path: Path) -> None:
    with beside_another(tmp_path, NO_SIGNAL) as told:
        told.loops(2)
        other_bot(told, Side.BUY, 8.0)
        told.run.minutes(TWO_CANDLES)
        other_bot(told, Side.SELL, 7.992)
        told.run.minutes(TWO_CANDLES)
        bought, sold = flows(told)
        assert bought == pytest.approx(-800, rel=0.01)
        assert sold == pytest.approx(800, rel=0.01)
        assert set(sizes(told).values()) == {1.0}
