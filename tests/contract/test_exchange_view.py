"""What `ballast.exchange_view` reaches for inside Freqtrade is there and does what is wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import RunMode

from ballast.exchange_view import ExchangeView
from tests.contract.live_bot import PAIR, PRICE, live_bot
from tests.engine import ScriptedStrategy


def view_of(bot: Any) -> ExchangeView:
    return ExchangeView(bot.strategy.dp, lambda: bot.strategy.wallets)


def test_the_exchange_is_reached_through_the_data_provider(tmp_path: Path) -> None:
    with live_bot(ScriptedStrategy, tmp_path) as bot:
        assert bot.strategy.dp._exchange is bot.exchange
        assert view_of(bot).is_live
        assert not view_of(bot).is_real


def test_the_order_book_and_the_balance_are_those_of_the_bot(tmp_path: Path) -> None:
    with live_bot(ScriptedStrategy, tmp_path) as bot:
        quote = view_of(bot).quote(PAIR)
        assert quote.bids[0] == quote.asks[0] == (PRICE, 1e6)
        assert view_of(bot).free("USDT") == 10_000.0


def test_the_balance_is_read_again_and_not_remembered(tmp_path: Path) -> None:
    with live_bot(ScriptedStrategy, tmp_path) as bot:
        view = view_of(bot)
        with patch.object(bot.wallets, "update", wraps=bot.wallets.update) as update:
            view.free("USDT")
            view.free("USDT")
        assert update.call_count == 2


@pytest.mark.parametrize("mode", [RunMode.BACKTEST, RunMode.HYPEROPT, RunMode.UTIL_EXCHANGE])
def test_a_backtest_cannot_reach_the_exchange_through_it(mode: RunMode) -> None:
    """`dp.orderbook` would make a real request there."""
    dp = DataProvider({"runmode": mode, "candle_type_def": "spot"}, None)
    view = ExchangeView(dp, lambda: pytest.fail("wallets were asked"))
    assert not view.is_live
    assert not view.is_real
    with pytest.raises(RuntimeError, match="backtest"):
        view.quote(PAIR)
    with pytest.raises(RuntimeError, match="backtest"):
        view.free("USDT")
