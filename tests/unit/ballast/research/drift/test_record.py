"""What a bot's database tells of a trade that sold in parts, by Freqtrade's own books."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from freqtrade.persistence import Order, Trade, init_db
from sqlalchemy import create_engine

from ballast.research.drift.record import Part, Record, Traded, read_trades

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
JOURNAL = Record("Made", "1h", {}, (), ())


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    url = f"sqlite:///{tmp_path / 'trades.sqlite'}"
    init_db(url)
    yield url
    Trade.session.remove()


def order(side: str, amount: float, price: float, hour: int, tag: str = "") -> Order:
    at = NOON + timedelta(hours=hour)
    return Order(
        ft_order_side=side,
        ft_pair="ETH/USDT",
        ft_is_open=False,
        ft_amount=amount,
        ft_price=price,
        order_id=f"{side}{hour}",
        status="closed",
        symbol="ETH/USDT",
        order_type="limit",
        side=side,
        price=price,
        average=price - 0.1 if side == "sell" else price,
        amount=amount,
        filled=amount,
        remaining=0.0,
        cost=amount * price,
        order_date=at,
        order_filled_date=at,
        ft_order_tag=tag,
    )


def traded(database: str, *orders: Order) -> Traded:
    trade = Trade(
        pair="ETH/USDT",
        stake_amount=1000.0,
        amount=10.0,
        amount_requested=10.0,
        open_rate=100.0,
        open_date=NOON,
        fee_open=0.001,
        fee_close=0.001,
        is_open=True,
        exchange="binance",
        strategy="Made",
        leverage=1.0,
        is_short=False,
        orders=[orders[0]],
    )
    Trade.session.add(trade)
    trade.recalc_open_trade_value()
    for each in orders[1:]:
        trade.orders.append(each)
        trade.update_trade(each)
    Trade.commit()
    engine = create_engine(database)
    (found,) = read_trades(engine, database, JOURNAL)
    engine.dispose()
    return found


def test_parts_and_what_they_have_left_are_told_apart(database: str) -> None:
    found = traded(
        database,
        order("buy", 10.0, 100.0, 0),
        order("sell", 4.0, 105.0, 2, "target"),
        order("sell", 6.0, 110.0, 5, "trailing_stop_loss"),
    )
    (part,) = found.parts
    assert isinstance(part, Part)
    assert (part.reason, part.amount, part.fill.price) == ("target", 4.0, 104.9)
    assert (found.amount, found.last_amount) == (10.0, 6.0)
    assert found.leave is not None
    assert found.leave.at == NOON + timedelta(hours=5)


def test_of_a_trade_that_is_open_every_sale_is_a_part(database: str) -> None:
    found = traded(database, order("buy", 10.0, 100.0, 0), order("sell", 4.0, 105.0, 2, "target"))
    assert found.leave is None
    assert (found.amount, found.last_amount) == (10.0, 6.0)


def test_a_stop_that_rested_is_told_by_when_it_filled(database: str) -> None:
    """It is placed, and placed anew, long before."""
    stop = order("stoploss", 10.0, 95.0, 1)
    stop.order_filled_date = NOON + timedelta(hours=7)
    found = traded(database, order("buy", 10.0, 100.0, 0), stop)
    assert found.leave is not None
    assert found.leave.at == NOON + timedelta(hours=7)
