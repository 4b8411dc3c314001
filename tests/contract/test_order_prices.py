"""What an order's price decides after `order_filled` in a backtest: costs are charged there."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from tests.engine import ScriptedStrategy, flat, run_backtest

PAIR = "BTC/USDT"
FALL = [*flat(3), (100, 100, 80, 82), *flat(2, 82)]
SIGNAL = {"exit_rows": {3}}


def moving(side: str, factor: float, **members: Any) -> type[ScriptedStrategy]:
    """Buys at row 1, and multiplies the price of its filled orders of one side."""

    class Moving(ScriptedStrategy):
        filled: ClassVar[list[Any]] = []

        def order_filled(self, order: Any, **_: Any) -> None:
            self.filled.append(order)
            if order.ft_order_side == side:
                order.ft_price = order.price = order.average = order.ft_price * factor

    return type("Moving", (Moving,), {**members, "filled": []})


def only_trade(strategy: type[ScriptedStrategy], rows: list) -> Any:
    (trade,) = run_backtest(strategy, {PAIR: rows}).trades.itertuples()
    return trade


@pytest.mark.parametrize(("members", "asked"), [(SIGNAL, 100.0), ({}, 90.0)])
def test_price_of_an_exit_is_what_its_order_says_afterwards(
    members: dict[str, Any], asked: float
) -> None:
    """A signal and a stop; profit follows the price, to the last digit."""
    rows = flat(6) if members else FALL
    plain, moved = (
        only_trade(moving("sell", factor, **members), rows) for factor in (1.0, 0.98765)
    )
    assert plain.close_rate == asked
    assert moved.close_rate == asked * 0.98765
    assert moved.profit_abs == pytest.approx(
        plain.profit_abs - plain.amount * asked * (1 - 0.98765), abs=1e-8
    )


def test_price_of_an_entry_is_what_its_order_says_afterwards() -> None:
    """Above the candle's high, too, and with the amount that was decided."""
    plain, moved = (
        only_trade(moving("buy", factor, **SIGNAL), flat(6)) for factor in (1.0, 1.0123)
    )
    assert moved.amount == plain.amount
    assert moved.open_rate == pytest.approx(plain.open_rate * 1.0123, abs=0.05)  # half a tick
    assert moved.stake_amount == pytest.approx(plain.stake_amount * 1.0123)
    assert moved.profit_abs == pytest.approx(-plain.amount * plain.open_rate * 0.0123)


def test_the_order_is_the_trades_own_and_not_a_copy() -> None:
    strategy = moving("sell", 1.0, **SIGNAL)
    (trade,) = run_backtest(strategy, {PAIR: flat(6)}).closed_trades
    assert [id(order) for order in strategy.filled] == [id(order) for order in trade.orders]


def test_reason_of_an_exit_is_known_when_its_order_has_filled() -> None:
    """A stop is told from a signal by it."""
    reasons = []

    class Noting(ScriptedStrategy):
        def order_filled(self, trade: Any, **_: Any) -> None:
            reasons.append(trade.exit_reason)

    run_backtest(Noting, {PAIR: FALL})
    assert reasons[1:] == ["stop_loss"]
