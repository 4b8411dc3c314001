"""The capital given to a bot is what percentages are of; a stake that the user names is a cap."""

from __future__ import annotations

from typing import Any

import pytest

from ballast.core.stops import StopRules
from tests.behaviour.mini import FEE, Mini, Story, play, quiet, signal
from tests.engine import BacktestOutcome

BOUGHT: Story = [*quiet(2), signal(), *quiet(3, 101)]


def stake(**config: Any) -> float:
    (trade,) = play(BOUGHT, config=config).trades.itertuples()
    return float(trade.stake_amount)


def bound(outcome: BacktestOutcome) -> str:
    (pair,) = outcome.trades["pair"]
    proposal = outcome.strategy.session.proposals.last(pair)
    assert proposal is not None
    return str(proposal.sized.binding)


def test_risk_is_a_share_of_the_available_capital_without_the_ratio() -> None:
    """As Freqtrade's own stakes are; the wallet of 10,000 is not the bot's."""
    usual = stake()
    assert stake(available_capital=1_000) == pytest.approx(usual / 10, rel=1e-3)
    both = {"available_capital": 1_000, "tradable_balance_ratio": 0.1}
    assert stake(**both) == pytest.approx(usual / 10, rel=1e-3)


def test_risk_is_a_share_of_the_tradable_part_of_the_balance() -> None:
    assert stake(tradable_balance_ratio=0.5) == pytest.approx(stake() / 2, rel=1e-3)


def test_a_stake_in_the_configuration_is_one_more_cap() -> None:
    outcome = play(BOUGHT, config={"stake_amount": 100})
    assert bound(outcome) == "USER_STAKE"
    (trade,) = outcome.trades.itertuples()
    assert 99 < trade.stake_amount <= 100


def test_a_stake_in_the_configuration_makes_none_larger() -> None:
    outcome = play(BOUGHT, config={"stake_amount": 9_000})
    assert bound(outcome) == "RISK_AT_STOP"


class BreakEven(Mini):
    """Moves its stop to the entry and costs one R above it."""

    stops = StopRules(initial_atr=4, break_even_r=1.0)


@pytest.mark.parametrize("fee", [0.0, FEE, 0.004])
def test_a_break_even_exit_loses_nothing_at_any_fee(fee: float) -> None:
    rise = [(100 + n, 101 + n, 99.8 + n, 100.8 + n) for n in range(1, 7)]
    story: Story = [*BOUGHT, *rise, (106.8, 106.9, 99, 99.5), *quiet(3, 99.5)]
    (trade,) = play(story, BreakEven, fee=fee).trades.itertuples()
    assert trade.exit_reason == "trailing_stop_loss"
    assert 0 <= trade.profit_ratio < 0.002


@pytest.mark.parametrize("fee", [0.0, 0.004])
def test_what_is_risked_includes_the_fee_that_is_charged(fee: float) -> None:
    """Half a percent of 10,000, distance to the stop, both fees, slippage and gap included."""
    outcome = play(BOUGHT, fee=fee)
    (trade,) = outcome.trades.itertuples()
    proposal = outcome.strategy.session.proposals.last(trade.pair)
    assert proposal is not None
    depth = 1 - proposal.stop / trade.open_rate
    lost = trade.stake_amount * (depth + 2 * (fee + 0.0005) + 0.005)
    assert lost == pytest.approx(50, rel=1e-3)
