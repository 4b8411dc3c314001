"""What Freqtrade makes of the stake a strategy asks for.

Ballast's sizer answers with the stake that its risk budget allows; every correction made after it
is listed here, because one of them buys more than was asked.
"""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from tests.engine import ScriptedStrategy, flat, run_backtest

PAIR = "BTC/USDT"
MINIMUM = 100.0
# Freqtrade keeps 5 % for amounts that round down, and in backtests assumes a stop of 5 %.
SMALLEST_STAKE = MINIMUM * 1.05 / 0.95


class Asking(ScriptedStrategy):
    stake: ClassVar[Any] = None
    offered: ClassVar[dict[str, Any]] = {}

    def custom_stake_amount(self, **offered: Any) -> Any:
        self.offered.update(offered)
        return self.stake


def stakes(stake: Any) -> Any:
    """Stakes of the trades that a request for `stake` USDT leads to."""
    strategy = type("Asking", (Asking,), {"stake": stake, "offered": {}})
    outcome = run_backtest(strategy, {PAIR: flat(4)}, min_notional=MINIMUM)
    return pytest.approx(list(outcome.trades["stake_amount"]), rel=1e-6)


@pytest.mark.parametrize("stake", [0, 0.0, None, -50.0])
def test_no_stake_is_no_trade(stake: Any) -> None:
    """How Ballast refuses on the last line: 0 is safe, and so is a forgotten return."""
    assert stakes(stake) == []


def test_stake_is_taken_as_asked_between_the_limits() -> None:
    """The risk budget arrives unchanged."""
    assert stakes(500.0) == [500.0]


def test_stake_a_little_too_small_is_raised() -> None:
    """Up to 30 % more than the risk budget: Ballast drops what is below the minimum itself."""
    assert stakes(SMALLEST_STAKE / 1.29) == [SMALLEST_STAKE]


def test_stake_far_too_small_is_dropped() -> None:
    """Beyond 30 % there is no trade."""
    assert stakes(SMALLEST_STAKE / 1.31) == []


def test_stake_above_the_wallet_is_clipped() -> None:
    """More than all money becomes all money: no protection at all, so Ballast caps on its own."""
    assert stakes(50_000.0) == [10_000.0]


def test_backtests_minimum_assumes_a_stop_of_five_percent() -> None:
    """Live it is the strategy's own stop: a stake accepted in a backtest may be refused live."""

    class Wide(Asking):
        stoploss = -0.30
        offered: ClassVar[dict[str, Any]] = {}

    run_backtest(Wide, {PAIR: flat(4)}, min_notional=MINIMUM)
    assert Wide.offered["min_stake"] == pytest.approx(SMALLEST_STAKE)


def test_sizer_is_told_the_limits_and_the_price() -> None:
    """All that the sizer needs beside the stop comes in the call."""

    class Told(Asking):
        offered: ClassVar[dict[str, Any]] = {}

    run_backtest(Told, {PAIR: flat(4)})
    assert Told.offered["current_rate"] == 100
    assert Told.offered["proposed_stake"] == 1_000
    assert Told.offered["max_stake"] == pytest.approx(10_000)
    assert Told.offered["entry_tag"] == "scripted"
