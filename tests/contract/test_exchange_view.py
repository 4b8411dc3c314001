"""What the exchange view reaches for inside Freqtrade is there and does what is wanted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import ccxt
import pandas as pd
import pytest
from freqtrade.data.dataprovider import DataProvider
from freqtrade.enums import RunMode
from freqtrade.exceptions import ExchangeError, TemporaryError

from ballast.execution.exchange_view import ExchangeView
from tests.contract.live_bot import PAIR, PRICE, enter, live_bot
from tests.engine import ScriptedStrategy, base_config, offline_exchange


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


@contextmanager
def real_bot(folder: Path) -> Iterator[Any]:
    """A bot that believes it trades for real; its requests are answered by the test."""
    with live_bot(ScriptedStrategy, folder) as bot:
        bot.config["dry_run"] = bot.exchange._config["dry_run"] = False
        try:
            yield bot
        finally:
            bot.config["dry_run"] = bot.exchange._config["dry_run"] = True


ANSWER = {
    "id": 12,
    "clientOrderId": "x-TKT5PX2Fabc",
    "symbol": PAIR,
    "side": "sell",
    "type": "limit",
    "amount": 2.0,
    "filled": None,
    "status": "open",
    "stopPrice": 95.0,
    "price": 94.0,
    "timestamp": 1_704_067_200_500,
    "fee": {},
}


def test_orders_are_read_through_ccxt_and_bear_its_mark(tmp_path: Path) -> None:
    with real_bot(tmp_path) as bot:
        view = view_of(bot)
        assert view.is_real
        with patch.object(bot.exchange._api, "fetch_open_orders", return_value=[ANSWER]) as asked:
            (order,) = view.open_orders(PAIR)
        asked.assert_called_once_with(PAIR)
        assert (order.id, order.side, order.amount, order.filled) == ("12", "sell", 2.0, 0.0)
        assert order.is_open
        assert order.is_stop
        assert order.ours
        assert order.created == datetime(2024, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)
        by_hand = {**ANSWER, "clientOrderId": "web_1", "stopPrice": None, "status": "closed"}
        with patch.object(bot.exchange._api, "fetch_orders", return_value=[by_hand]):
            (order,) = view.orders(PAIR, order.created)
        assert not order.ours
        assert not order.is_stop
        assert not order.is_open


def test_orders_are_sent_and_cancelled_through_freqtrade(tmp_path: Path) -> None:
    """Each with the arguments that its methods have today."""
    with real_bot(tmp_path) as bot:
        view, api = view_of(bot), bot.exchange._api
        with patch.object(bot.strategy.dp, "ohlcv", return_value=candle()):
            with patch.object(api, "create_order", return_value=dict(ANSWER)) as sent:
                view.sell(PAIR, 1.5)
                view.place_stop(PAIR, 1.5, 95.0)
            assert view.last_price(PAIR) == 100.0
        market, stop = sent.call_args_list
        assert market.args[:4] == (PAIR, "market", "sell", 1.5)
        assert stop.kwargs["type"] == "stop_loss_limit"
        assert (stop.kwargs["amount"], stop.kwargs["params"]["stopPrice"]) == (1.5, 95.0)
        with patch.object(api, "cancel_order", return_value=dict(ANSWER)) as cancelled:
            view.cancel(view._seen(PAIR, ANSWER))
        assert cancelled.call_args.args[:2] == ("12", PAIR)


# As OKX lists them: the stop is in no list of orders but its own.
OKX_STOP = {
    "algoId": "4312",
    "instId": "BTC-USDT",
    "ordType": "conditional",
    "side": "sell",
    "sz": "2",
    "slTriggerPx": "95",
    "slOrdPx": "-1",
    "state": "live",
    "cTime": "1704067200500",
}


def test_a_stop_that_is_listed_apart_from_orders_is_among_the_open_ones(tmp_path: Path) -> None:
    """Freqtrade places a 'conditional' order there, whose price ccxt calls `stopLossPrice`."""
    config = {**base_config(tmp_path, [PAIR]), "exchange": {"name": "okx"}}
    config |= {"runmode": RunMode.LIVE, "dry_run": False}
    exchange = offline_exchange(config, [PAIR])
    asked: list[dict[str, Any]] = []

    def apart(query: dict[str, Any]) -> dict[str, Any]:
        asked.append(query)
        return {"code": "0", "data": [OKX_STOP]}

    try:
        api = exchange._api
        api.market(PAIR)["id"] = "BTC-USDT"
        api.markets_by_id = {"BTC-USDT": [api.market(PAIR)]}
        with (
            patch.object(api, "privateGetTradeOrdersPending", lambda _: {"code": "0", "data": []}),
            patch.object(api, "privateGetTradeOrdersAlgoPending", apart),
            patch.object(exchange, "fetch_orders", lambda *_: []),
        ):
            view = ExchangeView(DataProvider(config, exchange), lambda: pytest.fail("asked"))
            (stop,) = view.open_orders(PAIR)
            assert view.orders(PAIR, datetime.now(UTC)) == [stop]
    finally:
        exchange.close()
    assert asked[0] == {"instId": "BTC-USDT", "ordType": "conditional"}
    assert (stop.id, stop.side, stop.amount, stop.stop) == ("4312", "sell", 2.0, 95.0)
    assert stop.is_stop
    assert stop.is_open


@pytest.mark.parametrize(
    ("name", "apart"),
    [("binance", False), ("kraken", False), ("okx", True), ("gate", True), ("kucoin", True)],
)
def test_ccxt_knows_where_stops_are_listed_apart(name: str, apart: bool) -> None:
    api = getattr(ccxt, name)()
    found = api.feature_value_by_type("spot", None, "fetchOpenOrders", "trigger", False)
    assert found is apart


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("binance", True),
        ("kraken", True),
        ("bybit", False),
        ("okx", False),
        ("gate", False),
        ("kucoin", False),
        ("bitget", False),
        ("hyperliquid", False),
    ],
)
def test_ccxt_knows_where_one_request_gives_all_open_orders(name: str, whole: bool) -> None:
    """Where it gives a page of them, or none of the stops, pairs are asked one by one."""
    api = getattr(ccxt, name)()
    wanted = {"symbolRequired": False, "limit": None, "trigger": False}
    of_spot = ("spot", None, "fetchOpenOrders")
    found = {key: api.feature_value_by_type(*of_spot, key, "unknown") for key in wanted}
    assert (found == wanted) is whole


def test_open_orders_of_all_pairs_are_asked_for_without_one_and_told_by_pair(
    tmp_path: Path,
) -> None:
    """ccxt's Binance refuses that unless its warning is taken as read."""
    with real_bot(tmp_path) as bot:
        view, api = view_of(bot), bot.exchange._api
        assert api.options["fetchOpenOrders"]["warnWithoutSymbol"] is True
        api.options["fetchOpenOrders"]["another"] = 1
        sent: list[dict[str, Any]] = []

        def answered(query: dict[str, Any]) -> list[dict[str, Any]]:
            sent.append(query)
            return []

        with patch.object(api, "privateGetOpenOrders", answered):
            assert view.open_orders_of([PAIR]) == {PAIR: []}
        assert sent == [{}]
        assert api.options["fetchOpenOrders"]["another"] == 1
        other = {**ANSWER, "id": 13, "symbol": "ETH/USDT"}
        with patch.object(api, "fetch_open_orders", return_value=[ANSWER, other]) as asked:
            found = view.open_orders_of([PAIR])
        asked.assert_called_once_with()
        assert found == {PAIR: [view._seen(PAIR, ANSWER)]}


def test_all_pairs_are_asked_one_by_one_where_that_is_refused_and_nothing_is_taken_for_none(
    tmp_path: Path,
) -> None:
    with real_bot(tmp_path) as bot:
        view, api = view_of(bot), bot.exchange._api
        with patch.object(api, "fetch_open_orders", side_effect=ccxt.BadRequest("a symbol")):
            assert view.open_orders_of([PAIR]) is None
        late = patch.object(api, "fetch_open_orders", side_effect=ccxt.RequestTimeout("late"))
        with late, pytest.raises(TemporaryError, match="late"):
            view.open_orders_of([PAIR])
        with patch.object(api, "feature_value", return_value=50):
            assert view.open_orders_of([PAIR]) is None


def candle() -> pd.DataFrame:
    return pd.DataFrame({"close": [100.0]})


def test_the_terms_of_a_trade_are_columns_of_freqtrades_trades(tmp_path: Path) -> None:
    """An adopted entry is recorded with them."""
    with live_bot(ScriptedStrategy, tmp_path) as bot:
        terms = view_of(bot).terms(PAIR)
        (trade,) = enter(bot)
        assert {name: getattr(trade, name) for name in terms} == terms
        assert view_of(bot).smallest(PAIR, PRICE) == pytest.approx(5.0 * 1.05)
        assert view_of(bot).base(PAIR) == "BTC"


def test_orders_of_a_paper_run_are_nowhere_to_be_asked_for(tmp_path: Path) -> None:
    with live_bot(ScriptedStrategy, tmp_path) as bot:
        for asked in (
            lambda view: view.open_orders(PAIR),
            lambda view: view.open_orders_of([PAIR]),
            lambda view: view.orders(PAIR, datetime.now(UTC)),
            lambda view: view.sell(PAIR, 1.0),
            lambda view: view.place_stop(PAIR, 1.0, 1.0),
        ):
            with pytest.raises(RuntimeError, match="live trading alone"):
                asked(view_of(bot))


def test_what_ccxt_raises_for_open_orders_is_an_error_of_freqtrades(tmp_path: Path) -> None:
    with real_bot(tmp_path) as bot:
        failing = patch.object(
            bot.exchange._api, "fetch_open_orders", side_effect=ccxt.RequestTimeout("late")
        )
        with failing, pytest.raises(ExchangeError, match="late"):
            view_of(bot).open_orders(PAIR)
