"""Freqtrade trades live on the sandbox, from entry to exit, and its books agree with the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pytest

from sandbox.orders import OrderRequest, OrderType, Side, TimeInForce
from sandbox.sources import GeneratedSource
from sandbox.units import UNIT, from_float
from tests.engine import ScriptedStrategy
from tests.exchange import START_MS, SYMBOL, table
from tests.live_run import live_run

START = datetime.fromtimestamp(START_MS / 1000, tz=UTC)
SECOND = timedelta(seconds=1)
ON_EXCHANGE = {
    "entry": "limit",
    "exit": "limit",
    "emergency_exit": "market",
    "stoploss": "limit",
    "stoploss_on_exchange": True,
    "stoploss_on_exchange_interval": 60,
    "stoploss_on_exchange_limit_ratio": 0.99,
}
# Quiet, a rise to 110, a fall from there.
RISE = [(100.0, 100.5, 99.5, 100.0, 600.0)] * 4 + [
    (100, 104, 100, 104, 600),
    (104, 110, 104, 110, 600),
    (110, 110, 109, 109.5, 600),
    (109.5, 109.6, 100, 101, 600),
    (101, 102, 100, 101, 600),
]


class Rider(ScriptedStrategy):
    """Buys after the second candle and trails three percent below the price."""

    timeframe = "5m"
    use_custom_stoploss = True
    order_types: ClassVar[dict[str, Any]] = ON_EXCHANGE
    enters_at: ClassVar[datetime] = START + timedelta(minutes=5)

    def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe["enter_long"] = (dataframe["date"] == self.enters_at).astype(int)
        return dataframe

    def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
        dataframe["exit_long"] = 0
        return dataframe

    def custom_stoploss(self, *args: Any, **kwargs: Any) -> float:
        return -0.03


def test_a_trade_goes_from_partial_fill_to_raised_stop_to_exit_and_the_books_agree(
    tmp_path: Path,
) -> None:
    begin = START + timedelta(minutes=5) + SECOND
    with live_run(Rider, table(RISE), tmp_path, begin, stake_amount=4_000) as run:
        run.minutes(5.2)
        (trade,) = run.trades
        entry = trade.orders[0]
        assert 0 < entry.safe_filled < entry.safe_amount
        assert run.exchange.open_orders()[0].executed
        run.minutes(8)
        (trade,) = run.trades
        assert trade.orders[0].status == "closed"
        assert trade.amount == pytest.approx(trade.orders[0].safe_amount * 0.999, abs=0.001)
        (stop,) = run.exchange.open_orders()
        assert stop.waits_for_trigger
        first_stop = stop.request.stop_price
        assert stop.amount == pytest.approx(trade.amount * 1e8, rel=1e-3)
        run.minutes(12)
        (stop,) = run.exchange.open_orders()
        assert stop.request.stop_price > first_stop * 1.05
        assert run.differences() == []
        run.minutes(10)
        (trade,) = run.trades
        assert not trade.is_open
        assert trade.exit_reason == "stoploss_on_exchange"
        assert trade.close_profit > 0
        assert run.exchange.open_orders() == []
        assert run.differences() == []
        # What the database says of every order and fee leads to the balance of the exchange.
        money = 10_000 * UNIT - from_float(trade.fee_close_cost)
        for order in trade.orders:
            sign = -1 if order.ft_order_side == "buy" else 1
            money += sign * from_float(order.safe_cost if order.safe_filled else 0)
        assert run.exchange.account.free("USDT") == money
        assert run.exchange.account.locked("USDT") == 0


def test_a_killed_bot_comes_back_to_its_position_and_its_stop(tmp_path: Path) -> None:
    begin = START + timedelta(minutes=5) + SECOND
    with live_run(Rider, table(RISE), tmp_path, begin) as run:
        run.minutes(7)
        run.killed()
        run.minutes(3)
        run.started()
        run.minutes(10)
        (trade,) = run.trades
        assert trade.is_open
        assert len(run.exchange.open_orders(trade.pair.replace("/", ""))) == 1
        assert run.differences() == []


def test_what_happened_behind_the_bots_back_is_a_difference(tmp_path: Path) -> None:
    begin = START + timedelta(minutes=5) + SECOND
    with live_run(Rider, table(RISE), tmp_path, begin) as run:
        run.minutes(8)
        assert run.differences() == []
        bought = OrderRequest(
            SYMBOL, Side.BUY, OrderType.MARKET, TimeInForce.GTC, UNIT, 0, 0, 0, "not-the-bot"
        )
        order = run.exchange.place(bought)
        unknown, coins = run.differences()
        assert unknown == f"Order {order.id} is not in the database."
        assert "AAA were bought and not sold" in coins


def ledger_of_a_run(folder: Path) -> tuple[list, list]:
    folder.mkdir()
    source = GeneratedSource(7, days=40, pairs=["BTC/USDT", "ETH/USDT"])
    begin = datetime(2024, 1, 12, tzinfo=UTC) + SECOND

    class Busy(Rider):
        def populate_entry_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
            dataframe["enter_long"] = (dataframe["close"] < dataframe["open"]).astype(int)
            return dataframe

        def populate_exit_trend(self, dataframe: pd.DataFrame, metadata: dict) -> pd.DataFrame:
            dataframe["exit_long"] = (dataframe["close"] > dataframe["open"]).astype(int)
            return dataframe

    with live_run(Busy, source, folder, begin, stake_amount=2_000, loop_seconds=60) as run:
        run.minutes(35)
        trades = [
            (trade.pair, trade.open_date, trade.open_rate, trade.amount, trade.close_date)
            for trade in run.trades
        ]
        assert run.differences() == []
        return trades, list(run.exchange.account.ledger.postings())


@pytest.mark.slow
def test_two_runs_give_the_same_trades_and_the_same_ledger(tmp_path: Path) -> None:
    first, second = (ledger_of_a_run(tmp_path / name) for name in ("first", "second"))
    assert len(first[0]) > 2
    assert first == second
