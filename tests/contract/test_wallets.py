"""What Freqtrade calls a bot's money, and when it has read the balances.

Ballast's ledger begins with the same capital, watches the balances that are read anyway, and tells
a stake that a person named from one that Freqtrade has worked out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from freqtrade.persistence import Trade
from freqtrade.rpc import RPC

from ballast.risk.flows import stated_capital
from tests.contract.live_bot import PAIR, enter, live_bot
from tests.contract.test_stakes import Asking
from tests.engine import ScriptedStrategy

UNLIMITED: dict[str, Any] = {"stake_amount": "unlimited", "force_entry_enable": True}


@pytest.mark.parametrize(
    ("settings", "capital"),
    [
        ({}, 10_000),
        ({"tradable_balance_ratio": 0.5}, 5_000),
        ({"available_capital": 4_000, "tradable_balance_ratio": 0.5}, 4_000),
    ],
)
def test_what_freqtrade_gives_a_bot_is_what_the_ledger_begins_with(
    settings: dict[str, Any], capital: float, tmp_path: Path
) -> None:
    """`available_capital` is not multiplied by the ratio."""
    with live_bot(ScriptedStrategy, tmp_path, **settings) as bot:
        assert bot.wallets.get_total_stake_amount() == capital
        assert stated_capital(bot.config) == capital


def test_the_moment_of_the_last_reading_is_known_and_changes_with_every_one(
    tmp_path: Path,
) -> None:
    with live_bot(ScriptedStrategy, tmp_path) as bot:
        first = bot.wallets._last_wallet_refresh
        assert first is not None
        bot.wallets.update(require_update=False)
        assert bot.wallets._last_wallet_refresh == first
        bot.wallets.update()
        assert bot.wallets._last_wallet_refresh > first


def test_a_forced_stake_is_proposed_as_it_was_named_and_any_other_as_the_wallets_have_it(
    tmp_path: Path,
) -> None:
    class Told(Asking):
        offered: ClassVar[dict[str, Any]] = {}
        stake = 100.0

    with live_bot(Told, tmp_path, **UNLIMITED) as bot:
        usual = bot.wallets.get_trade_stake_amount(PAIR, bot.config["max_open_trades"])
        rpc = RPC(bot)
        rpc._rpc_force_entry(PAIR, None)
        assert Told.offered["proposed_stake"] == usual == 1_000
        Trade.session.delete(Trade.get_open_trades()[0])
        Trade.commit()
        rpc._rpc_force_entry(PAIR, None, stake_amount=70.0)
        assert Told.offered["proposed_stake"] == 70.0


def test_the_number_of_a_deleted_trade_is_given_again(tmp_path: Path) -> None:
    """By SQLite, to the trade after it: which trades have been seen cannot be a number alone."""
    with live_bot(ScriptedStrategy, tmp_path) as bot:
        (first,) = enter(bot)
        number = first.id
        Trade.session.delete(first)
        Trade.commit()
        (second,) = enter(bot)
        assert second.id == number


def test_an_entry_that_has_not_filled_is_a_trade_of_no_amount_with_an_open_order(
    tmp_path: Path,
) -> None:
    """So that its value must be taken from the order."""
    with live_bot(
        ScriptedStrategy, tmp_path, unfilledtimeout={"entry": 10, "unit": "minutes"}
    ) as bot:
        bot.execute_entry(PAIR, 1_000.0, 90.0, enter_tag="scripted")
        (trade,) = Trade.get_open_trades()
        (order,) = trade.open_orders
        assert trade.amount == 0
        assert order.ft_order_side == trade.entry_side
        assert order.safe_amount * order.safe_price == pytest.approx(1_000)
